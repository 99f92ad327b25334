import type { Transcript } from '../../protocol/transcript.ts';
import { createBearing } from '../bearers.ts';
import type { Check, Violation } from '../check.ts';
import { about, completionOf, pointerTo } from '../check-kit.ts';
import type { Evidence, ProbeResult } from '../evidence.ts';
import { accountOf, type Exchange } from '../exchanges.ts';
import { explainsAnthropic, isFallback } from '../explained.ts';
import { isHaiku, laneOf, requestFacts } from '../wire.ts';

const noHaikuOnAnthropic: Check = {
  id: 'ROUTE-01',
  title: 'No haiku reached Anthropic without a decision that explains it',
  least: 1,
  needs: ['upstream'],
  judge(evidence) {
    const { exchanges } = accountOf(evidence);
    const owners = new Map(exchanges.flatMap((exchange) => exchange.upstream.map((one) => [one, exchange])));
    const haiku = evidence.upstream.filter((transcript) => isHaiku(requestFacts(transcript).model));
    const violations = haiku
      .filter(({ observer }) => laneOf(observer) === 'anthropic')
      .flatMap((transcript) => unexplained(transcript, owners.get(transcript)));
    return { observed: haiku.length, violations };
  },
};

function unexplained(transcript: Transcript, exchange: Exchange | undefined): Violation[] {
  const decision = exchange && completionOf(exchange)?.decision;
  if (exchange === undefined || decision === undefined) {
    return [
      { what: 'Anthropic saw a haiku request of which no record tells', pointers: [pointerTo(transcript)] },
    ];
  }
  if (!explainsAnthropic(decision)) {
    return [about(exchange, 'haiku went to Anthropic', { expected: 'zai', saw: { log: decision } })];
  }
  // A claimed fallback must have left its trace: the lane that failed.
  const failedBefore = completionOf(exchange)?.attempts.some(
    ({ provider }) => laneOf(provider) !== 'anthropic',
  );
  return isFallback(decision) && !failedBefore
    ? [about(exchange, `haiku went to Anthropic as ${decision}, but no other lane was tried`)]
    : [];
}

const expectedLane: Check = {
  id: 'ROUTE-02',
  title: 'Each probe reached exactly the lane where the contract sends it',
  least: 1,
  needs: ['upstream'],
  judge(evidence) {
    const exchanges = Map.groupBy(accountOf(evidence).exchanges, ({ probe }) => probe);
    const ownOf = (probe: ProbeResult): readonly Exchange[] => exchanges.get(probe) ?? [];
    const sent = evidence.probes.filter((probe) => !isStopped(probe, ownOf(probe), evidence));
    const sightings = sightingsIn(evidence);
    const violations = sent.flatMap((probe) =>
      misrouted(probe, sightings.get(probe.canary) ?? [], ownOf(probe)),
    );
    return { observed: sent.length, violations };
  },
};

/** A budget with nobody to take over is to send nothing; that it was right to do so is for QUOTA-01 and -03. */
function isStopped(probe: ProbeResult, own: readonly Exchange[], { lives }: Evidence): boolean {
  const hasBudget = lives.some(({ quota }) => quota?.lane === probe.expectedLane);
  return (
    hasBudget &&
    own.length > 0 &&
    own.every(
      (exchange) => exchange.upstream.length === 0 && completionOf(exchange)?.decision === 'quota_block',
    )
  );
}

/** What the upstreams saw of each phrase, be it matched to an exchange or not. */
function sightingsIn({ probes, upstream }: Evidence): ReadonlyMap<string, readonly Transcript[]> {
  const bearing = createBearing(probes.map(({ canary }) => canary));
  const seen = upstream.flatMap((transcript) =>
    [...bearing(transcript)].map((phrase) => ({ phrase, transcript })),
  );
  return new Map(
    [...Map.groupBy(seen, ({ phrase }) => phrase)].map(([phrase, all]) => [
      phrase,
      all.map(({ transcript }) => transcript),
    ]),
  );
}

function misrouted(
  probe: ProbeResult,
  sightings: readonly Transcript[],
  exchanges: readonly Exchange[],
): Violation[] {
  const lanes = new Set(sightings.map(({ observer }) => laneOf(observer)));
  const excused = new Set(exchanges.flatMap(lanesLeftByFallback));
  const stray = [...lanes].filter((lane) => lane !== probe.expectedLane && !excused.has(lane));
  if (lanes.has(probe.expectedLane) && stray.length === 0) return [];
  return [
    {
      what: `probe ${probe.id} (${probe.model}) did not reach exactly the lane expected`,
      expected: probe.expectedLane,
      saw: { upstream: [...lanes].join(', ') || 'nothing', log: decisionsOf(exchanges) },
      pointers: [`probe:${probe.id}`, ...sightings.map(pointerTo)],
    },
  ];
}

/** Lanes that were tried first and failed, where the record says so. */
function lanesLeftByFallback(exchange: Exchange): string[] {
  const completion = completionOf(exchange);
  if (completion === undefined || !isFallback(completion.decision)) return [];
  return completion.attempts.slice(0, -1).map(({ provider }) => laneOf(provider));
}

const decisionsOf = (exchanges: readonly Exchange[]): string =>
  exchanges.map((exchange) => completionOf(exchange)?.decision ?? 'no record').join(', ') || 'no record';

export const ROUTE_CHECKS: readonly Check[] = [noHaikuOnAnthropic, expectedLane];
