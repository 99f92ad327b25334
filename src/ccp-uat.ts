/**
 * Composition root of the harness: the suites, the world they run in, the places their results go to. What
 * a command does not need is not imported.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { plural } from './analysis/plural.ts';
import { WHOLE_RUN } from './analysis/whole-run.ts';
import { nearestName } from './config/nearest-name.ts';
import { OperatorError } from './errors.ts';
import type { Saboteur } from './harness/types/saboteur.ts';
import { type Clock, systemClock } from './platform/clock.ts';
import { createTurns, inTurns } from './platform/in-turns.ts';
import type { ANALYSES, Analysis, Analyzed } from './runs/analyze-log.ts';
import type { Bundled, BundleRequest } from './runs/bundle/bundle-results.ts';
import type { BundleDiff } from './runs/bundle/diff.ts';
import type { Verification, VerifyOptions } from './runs/bundle/verify.ts';
import type { RunRequest } from './runs/carry-out-run.ts';
import type { StillRed } from './runs/last-failed.ts';
import type { Resumable } from './runs/night/resume.ts';
import type { Invocation } from './runs/provenance.ts';
import type { Places } from './runs/report/write-reports.ts';
import type { RunEvent } from './runs/run-events.ts';
import type { RunOptions } from './runs/run-options.ts';
import type { Plan } from './runs/run-record.ts';
import type { FinishedRun } from './runs/run-suite.ts';
import type { Shard } from './runs/selection.ts';
import type { SelftestOptions } from './runs/selftest/selftest.ts';
import type { SelftestResult } from './runs/selftest/selftest-record.ts';
import type { Cleaned, CleanOptions } from './runs/stored/clean-logs.ts';
import type { Pruned, PruneOptions } from './runs/stored/prune-results.ts';
import type { Suite } from './runs/suite.ts';

export type { Progress } from './runs/report/progress.ts';
export type {
  BundleDiff,
  Bundled,
  FinishedRun,
  Plan,
  RunEvent,
  RunOptions,
  RunRequest,
  SelftestResult,
  Shard,
  StillRed,
  Suite,
  Verification,
};
export { inTurns, plural, WHOLE_RUN };

/** What shows plans and runs to a person. Most commands show none, and an analyzer's memory is measured. */
export const loadProgress = () => import('./runs/report/progress.ts');
export const loadVerdictText = () => import('./runs/report/verdict-text.ts');
export const loadSelftestText = () => import('./runs/report/selftest-markdown.ts');
export const loadSelection = () => import('./runs/selection.ts');
export const loadSignOff = () => import('./runs/bundle/sign-off.ts');
export const loadGithub = () => import('./runs/report/github.ts');
export const loadSpend = () => import('./runs/spend.ts');

export interface UatSettings extends Places {
  /** Where relative names count from; absolute. */
  readonly cwd: string;
  /** What was typed; kept with each run. */
  readonly invocation?: Invocation;
}

export interface UatPorts {
  readonly clock: Clock;
}

export interface SelftestRequest extends Pick<SelftestOptions, 'onResult' | 'signal'> {
  /** Names; none means all there are. */
  readonly saboteurs: readonly string[];
  readonly full: boolean;
  readonly seed?: string | undefined;
  /** Where what the saboteurs broke is kept: new or empty. By default none of it is. */
  readonly keep?: string | undefined;
}

/** What the self-test can break. */
export interface KnownSaboteur extends Pick<Saboteur, 'name' | 'breaks'> {
  /** Where it shows soonest. */
  readonly suite: string;
  /** The checks that must notice. */
  readonly noticedBy: readonly string[];
}

export type AnalysisName = keyof typeof ANALYSES;

export interface Uat {
  suites(): Promise<readonly Suite[]>;
  /** Throws USAGE for a suite or check that is none, NOT_READY where a demanded client is missing. */
  plan(
    suite: string,
    options: Omit<RunOptions, 'seed'> & { readonly seed?: string | undefined },
  ): Promise<Plan>;
  /** What is still red of these suites, or of all. Throws USAGE for one that is none. */
  lastFailed(suites: readonly string[]): Promise<readonly StillRed[]>;
  /** A night that has not come to its end, by its folder or name; the newest where none is named. Rejects with USAGE where it is none, or was begun by other programs. */
  resumable(run?: string): Promise<Resumable>;
  /** Rejects where nothing could be stored; a run that was broken is finished too, with its cause. */
  run(request: RunRequest): Promise<FinishedRun>;
  saboteurs(): Promise<readonly KnownSaboteur[]>;
  /** Rejects with USAGE for a saboteur that is none, and a folder to keep runs in that is not empty. The folder holds the control run and the matrix. */
  selftest(request: SelftestRequest): Promise<FinishedRun & { readonly result: SelftestResult }>;
  /** Reads a usage log. Throws USAGE where there is none. */
  analyze(name: AnalysisName, log: Pick<Analyzed, 'log' | 'rotated'>): Promise<Analysis>;
  /**
   * Judges a stored run again, by today's checks, and writes its `report.html` anew; the newest where none is named. `problem`:
   * why it could not be written. `selftest`: of the run of one that nobody broke, what that self-test came to.
   */
  report(
    run?: string,
  ): Promise<FinishedRun & { readonly problem?: unknown; readonly selftest?: SelftestResult }>;
  /** Packs the newest run of each suite. Throws NOT_READY where there is none, CONFIG for a seed that is none. */
  bundle(request: Pick<BundleRequest, 'outDir' | 'seedFile' | 'secrets' | 'signal'>): Promise<Bundled>;
  /** `pubkey`: the key itself or the name of a file. Throws CONFIG for one that is no key. */
  verifyBundle(
    file: string,
    given: { readonly pubkey?: string | undefined } & Pick<VerifyOptions, 'expectSha256'>,
  ): Promise<Verification>;
  /** Throws CHECK_FAILED for a bundle whose inventory is not in order. */
  diffBundles(a: string, b: string): Promise<BundleDiff>;
  pruneResults(options: Pick<PruneOptions, 'keep' | 'dryRun'>): Promise<Pruned>;
  cleanLogs(options: Pick<CleanOptions, 'live' | 'dryRun'>): Promise<Cleaned>;
}

export function createUat(settings: UatSettings, { clock }: UatPorts = { clock: systemClock }): Uat {
  const since = clock.now();
  const inTurn = createTurns();
  const around = { places: settings, invocation: settings.invocation ?? NOTHING_TYPED, clock };
  return {
    suites: loadSuites,
    async plan(name, { seed = drawSeed(), ...options }) {
      const [suite, { makePlan }, { CHECKS }, { findClaude }] = await Promise.all([
        suiteNamed(name),
        import('./runs/plan.ts'),
        import('./analysis/checks/index.ts'),
        import('./harness/clients/claude-binary.ts'),
      ]);
      const startedAt = new Date(clock.now());
      return makePlan({
        suite,
        checks: CHECKS,
        options: { ...options, seed },
        claude: findClaude(),
        startedAt,
      });
    },
    async lastFailed(names) {
      const suites = names.length === 0 ? await loadSuites() : await Promise.all(names.map(suiteNamed));
      return (await import('./runs/last-failed.ts')).lastFailed(settings.resultsDir, suites);
    },
    async resumable(run) {
      const [{ findRun }, { resumableNight }, { sourceHash }] = await Promise.all([
        import('./runs/stored/find-run.ts'),
        import('./runs/night/resume.ts'),
        import('./runs/provenance.ts'),
      ]);
      return resumableNight(
        await findRun(settings.resultsDir, settings.cwd, run ?? 'overnight', 'overnight'),
        sourceHash(),
      );
    },
    async run(request) {
      const [{ carryOutRun }, suite] = await Promise.all([
        import('./runs/carry-out-run.ts'),
        suiteNamed(request.plan.suite),
      ]);
      return carryOutRun(request, { ...around, suite, since, inTurn });
    },
    async saboteurs() {
      const { SABOTEURS } = await import('./harness/saboteurs/saboteurs.ts');
      return SABOTEURS.map(({ name, breaks, during, caughtBy, blinds = [] }) => ({
        name,
        breaks,
        suite: during?.suite ?? SELFTEST_SUITE,
        noticedBy: [...caughtBy, ...blinds],
      }));
    },
    async selftest({ saboteurs: names, full, seed = drawSeed(), keep, ...watching }) {
      const [{ carryOutSelftest }, { SABOTEURS }, suites, suite] = await Promise.all([
        import('./runs/selftest/carry-out-selftest.ts'),
        import('./harness/saboteurs/saboteurs.ts'),
        loadSuites(),
        suiteNamed(SELFTEST_SUITE),
      ]);
      const asked = {
        suite,
        suites,
        saboteurs: names.length === 0 ? SABOTEURS : names.map((name) => saboteurNamed(name, SABOTEURS)),
        asked: { saboteurs: names, full },
        keep: keep === undefined ? undefined : path.resolve(settings.cwd, keep),
        seed,
        ...watching,
      };
      return carryOutSelftest(asked, around);
    },
    async analyze(name, log) {
      const { ANALYSES } = await import('./runs/analyze-log.ts');
      const { resultsDir, logsDir } = settings;
      return ANALYSES[name]({ ...log, resultsDir, logsDir });
    },
    async report(run) {
      const [{ findRun }, { readStoredRun }, { recordOf }, { CHECKS }, { rewriteReports }] =
        await Promise.all([
          import('./runs/stored/find-run.ts'),
          import('./runs/stored/stored-run.ts'),
          import('./runs/judge.ts'),
          import('./analysis/checks/index.ts'),
          import('./runs/report/write-reports.ts'),
        ]);
      const folder = await findRun(settings.resultsDir, settings.cwd, run);
      const stored = await readStoredRun(folder);
      const record = recordOf(stored, CHECKS);
      const matrix = stored.matrix ?? undefined;
      // A verdict is worth having also of evidence on a medium that takes nothing more.
      const problem = await rewriteReports(folder, { record, stored, ...(matrix && { matrix }) }).then(
        () => undefined,
        (error: unknown) => error,
      );
      return {
        folder,
        record,
        ...(matrix && { selftest: matrix }),
        ...(problem !== undefined && { problem }),
      };
    },
    async bundle(request) {
      const [{ bundleResults }, { CHECKS }, suites] = await Promise.all([
        import('./runs/bundle/bundle-results.ts'),
        import('./analysis/checks/index.ts'),
        loadSuites(),
      ]);
      return bundleResults({ ...request, resultsDir: settings.resultsDir, checks: CHECKS, suites });
    },
    async verifyBundle(file, { pubkey, expectSha256 }) {
      const [{ verifyBundle }, { readPublicKey }, { CHECKS }, suites] = await Promise.all([
        import('./runs/bundle/verify.ts'),
        import('./runs/bundle/signature.ts'),
        import('./analysis/checks/index.ts'),
        loadSuites(),
      ]);
      const resolve = (name: string): string => path.resolve(settings.cwd, name);
      const publicKey = pubkey === undefined ? undefined : await readPublicKey(pubkey, resolve);
      return verifyBundle(resolve(file), { publicKey, expectSha256, checks: CHECKS, suites });
    },
    async diffBundles(a, b) {
      const { diffBundles } = await import('./runs/bundle/diff.ts');
      return diffBundles(path.resolve(settings.cwd, a), path.resolve(settings.cwd, b));
    },
    async pruneResults(options) {
      const { pruneResults } = await import('./runs/stored/prune-results.ts');
      const besides = (await loadSuites()).flatMap(({ artifacts: { perRun } }) => perRun?.folder ?? []);
      return pruneResults({ ...options, resultsDir: settings.resultsDir, besides, now: clock.now() });
    },
    async cleanLogs(options) {
      const { cleanLogs } = await import('./runs/stored/clean-logs.ts');
      const { logsDir, resultsDir } = settings;
      return cleanLogs({ ...options, logsDir, resultsDir });
    },
  };
}

/** Where most saboteurs show soonest. */
const SELFTEST_SUITE = 'repro-go-quick';

const NOTHING_TYPED: Invocation = { argv: [], environment: {} };

const drawSeed = (): string => randomBytes(4).toString('hex');

const loadSuites = async (): Promise<readonly Suite[]> => (await import('../suites/index.ts')).SUITES;

const suiteNamed = async (name: string): Promise<Suite> => suiteAmong(await loadSuites(), name);

/** Throws USAGE where it is not among them, with the one that was meant and all there are. */
export function suiteAmong(suites: readonly Suite[], name: string): Suite {
  const suite = suites.find((one) => one.name === name);
  if (suite !== undefined) return suite;
  throw new OperatorError('USAGE', `there is no suite ${name}`, {
    hint: `${didYouMean(name, suites)}There are ${suites.map((one) => one.name).join(', ')}.`,
  });
}

function saboteurNamed(name: string, saboteurs: readonly Saboteur[]): Saboteur {
  const saboteur = saboteurs.find((one) => one.name === name);
  if (saboteur !== undefined) return saboteur;
  throw new OperatorError('USAGE', `there is no saboteur ${name}`, {
    hint: `${didYouMean(name, saboteurs)}"ccp-uat list --saboteurs" has them all.`,
  });
}

/** A sentence and a space behind it; empty where none is near. */
function didYouMean(name: string, all: readonly { readonly name: string }[]): string {
  const near = nearestName(
    name,
    all.map((one) => one.name),
  );
  return near === null ? '' : `Did you mean ${near}? `;
}
