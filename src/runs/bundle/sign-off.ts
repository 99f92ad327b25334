/** The checklist that a reviewer signs, filled from the verdicts: what each check is a matter of. */
import type { RunRecord } from '../run-record.ts';
import type { Suite } from '../suite.ts';

/** A suite, as far as a bundle goes by it. */
export type KnownSuite = Pick<Suite, 'name' | 'checks'>;

export const AREAS = ['Routing', 'Safety', 'Observability', 'Stability'] as const;
export type Area = (typeof AREAS)[number];

/** By the group that a check belongs to: the beginning of its name. */
const AREA_OF: ReadonlyMap<string, Area> = new Map([
  ['ROUTE', 'Routing'],
  ['HEADER', 'Routing'],
  ['LANES', 'Routing'],
  ['LICENSE', 'Routing'],
  ['QUOTA', 'Routing'],
  ['LIMIT', 'Routing'],
  ['HYGIENE', 'Safety'],
  ['OWN', 'Safety'],
  ['BYTES', 'Safety'],
  ['STATUS', 'Safety'],
  ['STREAM', 'Safety'],
  ['LOG', 'Observability'],
  ['RECONCILE', 'Observability'],
  ['TOKENS', 'Observability'],
  ['STORE', 'Observability'],
  ['USAGE', 'Observability'],
  ['METRICS', 'Observability'],
  ['READY', 'Observability'],
  ['RUN', 'Stability'],
  ['ABORT', 'Stability'],
  ['TIMEOUT', 'Stability'],
  ['RESTART', 'Stability'],
  ['PERSIST', 'Stability'],
  ['NIGHT', 'Stability'],
  ['SELFTEST', 'Stability'],
]);

/** A check of a group that is new here weighs on the run as a whole. */
export const areaOf = (id: string): Area => AREA_OF.get(id.replace(/-\d+$/, '')) ?? 'Stability';

/** For the test that nothing is filed by default. */
export const isFiled = (id: string): boolean => AREA_OF.has(id.replace(/-\d+$/, ''));

export interface SignOff {
  readonly area: Area;
  /** `open`: something was not judged; only a person can say what that is worth. */
  readonly verdict: 'pass' | 'fail' | 'open';
  readonly passed: number;
  /** What stands against it, as `<suite>/<check>`. */
  readonly failed: readonly string[];
  /** What nobody could say, as `<suite>/<check>`; and as `<check>` what no run was judged by, though a suite has it. */
  readonly unjudged: readonly string[];
}

/** What the whole comes to, in words: where all that was run passed, which areas are open all the same. */
export function wholeIn({ outcome, signOff: areas }: Whole): string {
  const open = areas.filter(({ verdict }) => verdict === 'open').map(({ area }) => area);
  if (outcome !== 'pass' || open.length === 0) return outcome;
  return `pass of what was run, ${open.length} of ${areas.length} areas open: ${open.join(', ')}`;
}

interface Whole {
  readonly outcome: RunRecord['outcome'];
  readonly signOff: readonly { readonly area: string; readonly verdict: SignOff['verdict'] }[];
}

/**
 * An area fails by one check that failed. It is open where a check could not say (inconclusive, invalid), or one that some
 * suite has was judged in no run: its suite was not run, it was left out, or skipped in each.
 */
export function signOff(
  records: readonly Pick<RunRecord, 'suite' | 'checks'>[],
  suites: readonly KnownSuite[],
): SignOff[] {
  const judged = new Set(
    records.flatMap(({ checks }) => checks.flatMap(({ id, outcome }) => (outcome === 'skipped' ? [] : [id]))),
  );
  const all = [
    ...suites.flatMap(({ checks }) => checks),
    ...records.flatMap((one) => one.checks.map(({ id }) => id)),
  ];
  const never = [...new Set(all)].filter((id) => !judged.has(id));
  const verdicts = records.flatMap(({ suite, checks }) =>
    checks.map(({ id, outcome }) => ({ name: `${suite}/${id}`, area: areaOf(id), outcome })),
  );
  return AREAS.map((area) => {
    const own = verdicts.filter((one) => one.area === area);
    const named = (...outcomes: readonly string[]): string[] =>
      own.flatMap(({ name, outcome }) => (outcomes.includes(outcome) ? [name] : []));
    const [passed, failed, unjudged] = [
      named('pass').length,
      named('fail'),
      [...named('inconclusive', 'invalid'), ...never.filter((id) => areaOf(id) === area)],
    ];
    const verdict = failed.length > 0 ? 'fail' : unjudged.length > 0 || passed === 0 ? 'open' : 'pass';
    return { area, verdict, passed, failed, unjudged };
  });
}
