/** A run as its folder tells it: enough to judge it again, also where the run itself never came to that. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Evidence, Night } from '../../analysis/evidence.ts';
import type { Artifact, ProbeResult, Stall } from '../../protocol/witness.ts';
import { closedRounds, planAsSent, withoutUnderWay } from '../night/closed-rounds.ts';
import { endIn } from '../run-end.ts';
import type { RunEvent } from '../run-events.ts';
import type { Answer, Flake, Plan, Provenance, RunRecord } from '../run-record.ts';
import { SELFTEST, type SelftestResult } from '../selftest/selftest-record.ts';
import { MATRIX, matrixIn } from '../selftest/stored-matrix.ts';
import { readCollected, readEvents } from './run-folder.ts';
import { livesUpTo, salvageProxy } from './salvage.ts';
import { setAsideProbes, setAsideUnfinished } from './set-aside.ts';
import { isUnderWay } from './under-way.ts';

export interface StoredRun {
  readonly plan: Plan;
  readonly provenance: Provenance;
  readonly evidence: Evidence;
  /** Everything that it told of itself, in order. */
  readonly events: readonly RunEvent[];
  readonly probes: readonly ProbeResult[];
  /** What Claude Code said of itself, by probe. */
  readonly reports: ReadonlyMap<string, Answer['report']>;
  /** Probes that the harness itself could not carry out, and those under way when the run ended. */
  readonly lost: readonly { readonly id: string; readonly problem: string }[];
  readonly ending: RunRecord['ending'];
  readonly endingNote?: string;
  /** Ids of probes that are not judged: they were under way when the proxy was killed or the run interrupted. */
  readonly setAside: readonly string[];
  /** Check → why it cannot be judged any more, for the same reason. */
  readonly unjudged: ReadonlyMap<string, string>;
  /** Of a self-test that came to it: what became of the saboteurs. */
  readonly matrix: SelftestResult | null;
  /** Checks that had said something else in a run before. */
  readonly flaky: readonly Flake[];
  readonly startedAt: number;
  readonly ms: number;
}

/** `goesOn`: by default what the folder says of that, and a self-test has ended where its matrix is there. Throws USAGE where it holds no run. */
export async function readStoredRun(
  folder: string,
  { goesOn }: { readonly goesOn?: boolean } = {},
): Promise<StoredRun> {
  const [events, collected, reports, matrix] = await Promise.all([
    readEvents(folder),
    readCollected(folder),
    readReports(folder),
    matrixIn(folder),
  ]);
  const { plan, provenance, at: startedAt } = startOf(events);
  const closed = closedRounds(events);
  // What was gathered as a round ended is what it was judged by, whatever came to the world later.
  const salvaged = closed?.all === true ? null : await salvageProxy(folder, plan);
  const probes = events.flatMap((event) => (event.type === 'probe_ended' ? [event.result] : []));
  const { ending, endingNote } =
    closed?.all === true
      ? WHOLE
      : ((goesOn === undefined && plan.suite === SELFTEST ? await endingOfSelftest(folder) : null) ??
        endingOf(events, goesOn ?? (await isUnderWay(folder))));
  const lost = lostProbes(events);
  const night = nightOf(plan, events);
  const evidence: Evidence = {
    ...(night !== null && { night }),
    stalls: stallsIn(events),
    suite: plan.suite,
    run: plan.run,
    probes,
    ...collected,
    ...salvaged,
    ...(salvaged !== null && { lives: livesUpTo(lastStage(events), collected.lives, plan) }),
    artifacts: [...(salvaged ?? collected).artifacts, ...reports],
  };
  const settled =
    ending === 'died' || ending === 'running'
      ? setAsideUnfinished(evidence, { lost: lost.map(({ id }) => id), seed: plan.seed })
      : evidence;
  const cut = cutByInterruption(events, probes);
  const { setAside, unjudged, ...rest } =
    closed === null
      ? { evidence: setAsideProbes(settled, cut), setAside: cut, unjudged: new Map<string, string>() }
      : withoutUnderWay(settled, closed, plan);
  const isJudged = ({ id }: { readonly id: string }): boolean => !setAside.includes(id);
  return {
    plan: closed === null ? plan : planAsSent(plan, events, setAside),
    provenance,
    events,
    probes: probes.filter(isJudged),
    setAside,
    unjudged,
    reports: new Map(
      events.flatMap((event) =>
        event.type === 'probe_ended' && event.report !== undefined ? [[event.result.id, event.report]] : [],
      ),
    ),
    lost: lost.filter(isJudged),
    ending,
    ...(endingNote !== undefined && { endingNote }),
    flaky: events.flatMap((event) => (event.type === 'flaky' ? [flakeOf(event)] : [])),
    matrix,
    startedAt,
    ms: (events.at(-1)?.at ?? startedAt) - startedAt,
    ...rest,
  };
}

/** A leg of a night has come to its end with the last of its rounds, also where that ended the night. */
const WHOLE: Pick<StoredRun, 'ending' | 'endingNote'> = { ending: 'complete' };

/** When the machine was late. */
export const stallsIn = (events: readonly RunEvent[]): Stall[] =>
  events.flatMap((event) => (event.type === 'machine_late' ? [{ at: event.at, ms: event.ms }] : []));

/** The rounds that were judged, also those of a night that died. */
function nightOf({ driver }: Plan, events: readonly RunEvent[]): Night | null {
  if (driver?.kind !== 'overnight') return null;
  const rounds = events.flatMap((event) => (event.type === 'round_judged' ? [event.account] : []));
  return { until: driver.until, rounds };
}

/** Reports that are written before the judging and must be as free of secrets as the rest. */
const REPORTS = ['METRICS.json'];

async function readReports(folder: string): Promise<Artifact[]> {
  const read = REPORTS.map(async (place) => {
    const text = await readFile(path.join(folder, place), 'utf8').catch(() => null);
    return text === null ? [] : [{ place, text }];
  });
  return (await Promise.all(read)).flat();
}

function flakeOf(event: Extract<RunEvent, { type: 'flaky' }>): Flake {
  const { type: _, at: __, ...flake } = event;
  return flake;
}

const lastStage = (events: readonly RunEvent[]) => events.findLast((event) => event.type === 'stage_started');

function startOf(events: readonly RunEvent[]) {
  const [first] = events;
  if (first?.type !== 'run_started') throw new Error('a run begins with run_started');
  return first;
}

/** What has ended by its events is the run that nobody broke. Null where it came to its matrix: then they tell. */
async function endingOfSelftest(folder: string): Promise<Pick<StoredRun, 'ending' | 'endingNote'> | null> {
  // In this order: the matrix is written before the other is taken away.
  if (await isUnderWay(folder)) return { ending: 'running', endingNote: 'its matrix is not there yet' };
  const names = await readdir(folder);
  return names.includes(MATRIX) ? null : { ending: 'died', endingNote: 'it never came to its matrix' };
}

function endingOf(events: readonly RunEvent[], goesOn: boolean): Pick<StoredRun, 'ending' | 'endingNote'> {
  const end = endIn(events);
  if (end === undefined) {
    const again = events.findLast((event) => event.type === 'resumed');
    const since = again !== undefined ? `, since it was resumed behind round ${again.after}` : '';
    const last = events.findLast(({ type }) => type !== 'machine_late');
    const words = `its last words were ${last?.type ?? 'none'}${since}`;
    return { ending: goesOn ? 'running' : 'died', endingNote: words };
  }
  return end.type === 'run_ended' ? { ending: 'complete' } : { ending: end.type, endingNote: end.note };
}

/** Ids of the probes under way when the run was interrupted, but for those that came to a whole answer all the same. */
function cutByInterruption(events: readonly RunEvent[], probes: readonly ProbeResult[]): readonly string[] {
  const end = endIn(events);
  if (end?.type !== 'interrupted') return [];
  const answered = new Set(probes.flatMap(({ id, ok }) => (ok ? [id] : [])));
  return (end.underWay ?? []).filter((id) => !answered.has(id));
}

function lostProbes(events: readonly RunEvent[]): StoredRun['lost'] {
  const ended = new Set(events.flatMap((event) => (event.type === 'probe_ended' ? [event.result.id] : [])));
  const broke = new Map(
    events.flatMap((event) => (event.type === 'probe_broke' ? [[event.id, event.problem]] : [])),
  );
  return events.flatMap((event) =>
    event.type === 'probe_started' && !ended.has(event.id)
      ? [{ id: event.id, problem: broke.get(event.id) ?? 'was under way when the run ended' }]
      : [],
  );
}
