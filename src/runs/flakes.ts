/**
 * Checks that change their mind: the same plan carried out again by the same programs, and another outcome. Chance has
 * decided one of the two, so the later run is red, whatever it says: repeating a run does not make it green.
 */
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type PastRun, pastRuns } from './history.ts';
import type { Flake, RunRecord } from './run-record.ts';

/**
 * Holds each check against the newest run before that judged it. Runs that did not come to their end say nothing.
 * `since`: programs that are not of this package may have changed, and real upstreams have, so only runs that began
 * after that (epoch milliseconds) count there.
 */
export async function findFlakes(
  record: RunRecord,
  {
    folder,
    resultsDir,
    since,
  }: { readonly folder: string; readonly resultsDir: string; readonly since: number },
): Promise<Flake[]> {
  if (record.ending !== 'complete') return [];
  const earlier = (await pastRuns(resultsDir, record.suite)).filter(
    (past): past is Judged =>
      past.folder !== folder && past.record !== null && isSameAgain(past.record, record, since),
  );
  return record.checks.flatMap((verdict) => {
    if (!saysSomething(verdict, record.plan)) return [];
    for (const past of earlier) {
      const before = past.record.checks.find(({ id }) => id === verdict.id);
      if (before === undefined || !saysSomething(before, record.plan)) continue;
      return before.outcome === verdict.outcome
        ? []
        : [flakeOf(verdict, before, path.relative(folder, past.folder), past.record)];
    }
    return [];
  });
}

type Outcome = RunRecord['checks'][number];

const flakeOf = (now: Outcome, before: Outcome, folder: string, { plan: { seed } }: RunRecord): Flake => ({
  check: now.id,
  outcome: now.outcome,
  before: before.outcome,
  folder,
  seed,
});

type Judged = PastRun & { readonly record: RunRecord };

/** What was allowed to be unsure is no opinion that could be changed. */
const saysSomething = (
  { outcome }: RunRecord['checks'][number],
  { allowInconclusive }: RunRecord['plan'],
): boolean => outcome !== 'skipped' && !(allowInconclusive && outcome === 'inconclusive');

function isSameAgain(past: RunRecord, now: RunRecord, since: number): boolean {
  if (past.ending !== 'complete') return false;
  if (!isDeepStrictEqual(whatWasDone(past), whatWasDone(now))) return false;
  const isAllOurs = now.plan.target.kind === 'builtin' && now.plan.upstream === 'mock';
  return (isAllOurs && now.provenance.source !== undefined) || Date.parse(past.startedAt) >= since;
}

/**
 * What was sent, to what, by which programs. The seed is no part of it: what depends on it is told with both. Nor is
 * which checks were asked for: one that failed among all may not pass as the only one.
 */
function whatWasDone({ plan, provenance: { version, source, node, platform, claude } }: RunRecord): unknown {
  const { run: _, seed: __, checks: ___, proves: ____, asked: _____, ...done } = plan;
  return { ...done, allowInconclusive: false, version, source, node, platform, claude };
}
