/** A self-test as it is asked for: with its suites, its place among the results and a line in the history. */
import { readdir } from 'node:fs/promises';
import { CHECKS } from '../../analysis/checks/index.ts';
import { OperatorError } from '../../errors.ts';
import { findClaude } from '../../harness/clients/claude-binary.ts';
import { SABOTEURS } from '../../harness/saboteurs/saboteurs.ts';
import { createWorld } from '../../harness/world.ts';
import type { Clock } from '../../platform/clock.ts';
import { compactUtc, worldPlanOf } from '../plan.ts';
import { fullProvenanceOf, type Invocation } from '../provenance.ts';
import { countsOf, verdictOf } from '../report/selftest-markdown.ts';
import { addToHistory, type Places, tryPlaces } from '../report/write-reports.ts';
import type { FinishedRun } from '../run-suite.ts';
import { claimRunDir } from '../stored/find-run.ts';
import type { Suite } from '../suite.ts';
import { checksOfPlain } from './sabotage.ts';
import { type SelftestOptions, type SelftestResult, selftest } from './selftest.ts';

interface Asked
  extends Pick<SelftestOptions, 'saboteurs' | 'asked' | 'seed' | 'keep' | 'onResult' | 'signal'> {
  /** Where most saboteurs show soonest. */
  readonly suite: Suite;
  readonly suites: readonly Suite[];
}

interface Around {
  readonly places: Places;
  readonly invocation: Invocation;
  readonly clock: Clock;
}

/** Rejects with USAGE where the folder to keep runs in is not empty. */
export async function carryOutSelftest(
  { suite, suites, ...asked }: Asked,
  { places, invocation, clock }: Around,
): Promise<FinishedRun & { readonly result: SelftestResult }> {
  const claude = findClaude();
  if (asked.keep !== undefined) await mustBeEmpty(asked.keep);
  await tryPlaces(places);
  const folder = await claimRunDir(places.resultsDir, `${compactUtc(new Date(clock.now()))}-selftest`);
  const { result, record } = await selftest({
    ...asked,
    // Each check must be able to fail, also one that the suite leaves to others of its kind.
    suite: { ...suite, checks: checksOfPlain(CHECKS, suites) },
    others: suites,
    claude,
    known: SABOTEURS.map(({ name }) => name),
    folder,
    checks: CHECKS,
    clock,
    provenance: await fullProvenanceOf(claude, invocation),
    openWorld: (plan, runDir, given) =>
      createWorld({ ...worldPlanOf(plan), runDir, signal: asked.signal, ...given }),
  });
  await addToHistory(places.resultsDir, {
    startedAt: result.startedAt,
    name: 'selftest',
    verdict: verdictOf(result),
    counts: countsOf(result),
    ms: result.ms,
    folder,
  });
  return { result, record, folder };
}

async function mustBeEmpty(folder: string): Promise<void> {
  const [found] = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (found === undefined) return;
  throw new OperatorError('USAGE', `${folder} is not empty (it holds ${found})`, {
    hint: 'Name another folder with --keep.',
  });
}
