/**
 * Checks that change their mind: the same plan carried out again by the same programs passes what failed before, or fails
 * what passed. Chance has decided one of the two, so the later run is red, whatever it says, and so is every one after it: no
 * number of repetitions makes it green. What ends that is another source, or a person who removes the run that says otherwise.
 */
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Flake, RunRecord } from './run-record.ts';
import { everyRun } from './stored/history.ts';

/**
 * Holds each check against every run that is stored and judged it; of those that contradict it the newest is told. Runs that
 * did not come to their end say nothing. `since`: programs that are not of this package may have changed, and real upstreams
 * have, so only runs that began after that (epoch milliseconds) count there.
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
  const opinions = record.checks.filter(isOpinion);
  const against = new Map<string, { readonly flake: Flake; readonly startedAt: string }>();
  for await (const past of everyRun(resultsDir, { suite: record.suite, folder })) {
    if (!isSameAgain(past.record, record, since)) continue;
    const { startedAt, checks } = past.record;
    for (const now of opinions) {
      const before = checks.find(({ id }) => id === now.id);
      if (before === undefined || before.outcome === now.outcome || !isOpinion(before)) continue;
      if ((against.get(now.id)?.startedAt ?? '') >= startedAt) continue;
      const flake = flakeOf(now, before, path.relative(folder, past.folder), past.record);
      against.set(now.id, { flake, startedAt });
    }
  }
  return opinions.flatMap(({ id }) => against.get(id)?.flake ?? []);
}

type Outcome = RunRecord['checks'][number];

const flakeOf = (now: Outcome, before: Outcome, folder: string, { plan: { seed } }: RunRecord): Flake => ({
  check: now.id,
  outcome: now.outcome,
  before: before.outcome,
  folder,
  seed,
});

/** That too little was seen may be the machine's doing, as where it was busy: such a run is red by itself, and by no other. */
const isOpinion = ({ outcome }: Outcome): boolean => outcome === 'pass' || outcome === 'fail';

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
  const { run: _, seed, checks: _1, proves: _2, asked: _3, ...rest } = plan;
  // What a night does is drawn from its seed.
  const done = rest.driver?.kind === 'overnight' ? { ...rest, seed } : rest;
  return { ...done, allowInconclusive: false, version, source, node, platform, claude };
}
