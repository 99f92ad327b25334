/**
 * What a leg of a night tells as each of its rounds ends: what was under way when the proxy died or the night was interrupted.
 * By that the leg is judged, in the night and whenever it is judged again.
 */
import type { Evidence } from '../../analysis/evidence.ts';
import type { RunEvent } from '../run-events.ts';
import type { Plan } from '../run-record.ts';
import { setAsideKilled, setAsideProbes } from '../stored/set-aside.ts';

export interface ClosedRounds {
  /** Ids of probes that may have been cut short. */
  readonly underWay: readonly string[];
  /** Epoch milliseconds; null where no proxy died amid them. */
  readonly diedAt: number | null;
  /** Whether nothing was begun after the last of these rounds: then there is nothing that the run could have lost. */
  readonly all: boolean;
}

/** Null of a run that is no leg, and of one that came to the end of no round. */
export function closedRounds(events: readonly RunEvent[]): ClosedRounds | null {
  const closings = events.filter((event) => event.type === 'round_closed');
  if (closings.length === 0) return null;
  const rest = events.slice(events.findLastIndex(({ type }) => type === 'round_closed'));
  return {
    underWay: closings.flatMap(({ underWay }) => underWay),
    diedAt: closings.findLast(({ diedAt }) => diedAt !== null)?.diedAt ?? null,
    all: !rest.some(({ type }) => type === 'probe_started' || type === 'broken'),
  };
}

/** A life that was killed was asked nothing: what rests on its answers cannot be judged. */
const NEEDS_ANSWERS: readonly string[] = ['METRICS-01', 'READY-01', 'LANES-01', 'LICENSE-02', 'USAGE-01'];
/** What the next life says of its store as a whole. */
const NEEDS_ALL_RECORDS: readonly string[] = ['STORE-01', 'STORE-02'];

export interface WithoutUnderWay {
  readonly evidence: Evidence;
  /** Ids of the probes that are not judged. */
  readonly setAside: readonly string[];
  /** Check → why it cannot be judged any more. */
  readonly unjudged: ReadonlyMap<string, string>;
}

/** The evidence of a leg without what nobody can be blamed for. */
export function withoutUnderWay(
  stored: Evidence,
  { underWay, diedAt }: ClosedRounds,
  { seed }: Pick<Plan, 'seed'>,
): WithoutUnderWay {
  if (diedAt === null)
    return { evidence: setAsideProbes(stored, underWay), setAside: underWay, unjudged: new Map() };
  const { evidence, ids, recorded } = setAsideKilled(stored, { underWay, diedAt, seed });
  const why = (checks: readonly string[], reason: string) => checks.map((id) => [id, reason] as const);
  return {
    evidence,
    setAside: ids,
    unjudged: new Map([
      ...why(NEEDS_ANSWERS, 'a process that was killed was asked nothing'),
      ...why(
        recorded ? NEEDS_ALL_RECORDS : [],
        'an exchange was put on record as the proxy was killed, and its client does not have it whole',
      ),
    ]),
  };
}

/** The plan of a leg as far as it was carried out: that a night ends before its time is no fault of its last leg. */
export function planAsSent(plan: Plan, events: readonly RunEvent[], setAside: readonly string[]): Plan {
  const sent = new Set(events.flatMap((event) => (event.type === 'probe_started' ? [event.id] : [])));
  const isJudged = (id: string): boolean => sent.has(id) && !setAside.includes(id);
  return { ...plan, waves: plan.waves.map((wave) => wave.filter(({ id }) => isJudged(id))) };
}
