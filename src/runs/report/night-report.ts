/** `NIGHT.json`: a night in figures. */
import { loadOf } from '../../analysis/night-load.ts';
import { countRounds } from '../../analysis/night-rounds.ts';
import { latencyOf, type Measured, quartersOf, takenOf } from '../../analysis/night-trends.ts';
import type { Trend } from '../../analysis/trend.ts';
import type { StoredRun } from '../stored/stored-run.ts';

/** One document; undefined of a run that is no night. Slopes are by the minute. */
export function nightReport({
  plan,
  evidence: { night },
  ending,
  startedAt,
}: Pick<StoredRun, 'plan' | 'evidence' | 'ending' | 'startedAt'>): string | undefined {
  if (night === undefined) return undefined;
  const { rounds } = night;
  const sum = (of: (round: (typeof rounds)[number]) => number): number =>
    rounds.reduce((total, round) => total + of(round), 0);
  const document = {
    v: 1,
    run: plan.run,
    seed: plan.seed,
    ending,
    startedAt: new Date(startedAt).toISOString(),
    ...countRounds(rounds),
    green: rounds.filter(({ partial, verdict }) => !partial && verdict.outcome === 'pass').length,
    exchanges: sum(({ witnesses }) => witnesses.client),
    setAside: sum(({ setAside }) => setAside),
    faults: sum(({ faults }) => faults.length),
    deaths: rounds.flatMap(({ round, deaths }) => deaths.map((death) => ({ round, ...death }))),
    loadMs: Math.round(loadOf(rounds)),
    jumpedMs: Math.round(sum(({ jumpMs }) => jumpMs)),
    stalledMs: sum(({ stalledMs }) => stalledMs),
    trends: [
      takenOf(rounds, 'rssMb'),
      takenOf(rounds, 'files'),
      takenOf(rounds, 'sockets'),
      latencyOf(rounds),
    ].map(byTheMinute),
    latencyQuarters: quartersOf(rounds),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function byTheMinute({ trend, worst, ...measured }: Measured) {
  return {
    ...measured,
    trend: trend && perMinute(trend),
    ...(worst !== undefined && {
      worst: worst && { life: worst.life, bound: worst.bound, ...perMinute(worst.trend) },
    }),
  };
}

function perMinute({ slope, low, high, span, ...rest }: Trend) {
  return { slope: slope * 60_000, low: low * 60_000, high: high * 60_000, spanMs: span, ...rest };
}
