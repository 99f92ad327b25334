/** A bundle of what lies among the results. */
import path from 'node:path';
import { OperatorError } from '../../errors.ts';
import { packageVersion } from '../provenance.ts';
import { mapRepository, packageRoot } from '../repository.ts';
import { DamagedRun } from '../stored/damaged-run.ts';
import { runsDir } from '../stored/find-run.ts';
import { headlessAmong, listRuns, newestOfEach } from '../stored/stored-runs.ts';
import { type Build, type BuildOptions, buildBundle } from './build.ts';
import { forgetRefusals, tellRefusal } from './refused-account.ts';
import { readSeed } from './signature.ts';

export interface BundleRequest
  extends Pick<BuildOptions, 'checks' | 'suites' | 'outDir' | 'secrets' | 'signal'> {
  readonly resultsDir: string;
  /** Absolute: the file of the seed to sign with. */
  readonly seedFile?: string | undefined;
}

/**
 * `unsaid`: git would not say which source made it, so another who packs the same may get other bytes. `accounts`: files with
 * the runs that a secret was found in, which say where.
 */
export type Bundled =
  | (Extract<Build, { readonly ok: true }> & { readonly unsaid: boolean })
  | (Extract<Build, { readonly ok: false }> & { readonly accounts: readonly string[] });

/** Covers the newest run of each suite. Throws NOT_READY where there is none, USAGE where there are none but damaged ones, CONFIG for a seed that is none. */
export async function bundleResults({
  resultsDir,
  seedFile,
  secrets,
  ...rest
}: BundleRequest): Promise<Bundled> {
  const seed = seedFile === undefined ? undefined : await readSeed(seedFile);
  const all = await listRuns(resultsDir);
  const runs = newestOfEach(all);
  const headless = await headlessAmong(resultsDir, all);
  if (runs.length === 0) {
    const newest = headless
      .map(({ run }) => run)
      .toSorted()
      .at(-1);
    if (newest !== undefined) throw new DamagedRun(path.join(runsDir(resultsDir), newest), HEADLESS);
    throw new OperatorError(
      'NOT_READY',
      `there is nothing to bundle: no run is stored in ${runsDir(resultsDir)}`,
      {
        hint: 'Run a suite first ("ccp-uat repro-go-quick"), or set CCP_RESULTS_DIR.',
      },
    );
  }
  const repository = await mapRepository(packageRoot());
  const { commit, dirty, unsaid } = repository;
  await forgetRefusals(runs);
  const built = await buildBundle({
    ...rest,
    runs,
    damaged: headless.map((one) => ({ ...one, why: HEADLESS })),
    repository,
    bundler: {
      version: packageVersion(),
      node: process.versions.node,
      commit,
      dirty,
      ...(unsaid && { unsaid }),
    },
    seed,
    secrets: [...secrets, ...(seed === undefined ? [] : [{ name: 'signing-seed', value: seed.text }])],
  });
  return built.ok
    ? { ...built, unsaid: unsaid === true }
    : { ...built, accounts: await tellRefusal(runs, built.finds) };
}

const HEADLESS = 'the beginning of events.jsonl is damaged';
