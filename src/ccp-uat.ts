/**
 * Composition root of the harness: the suites, the world they run in, the places their results go to. What
 * a command does not need is not imported.
 */
import { randomBytes } from 'node:crypto';
import { OperatorError } from './errors.ts';
import type { RealCredentials, Saboteur } from './harness/types.ts';
import { type Clock, systemClock } from './platform/clock.ts';
import type { ANALYSES, Analysis, Analyzed } from './runs/analyze-log.ts';
import type { Places } from './runs/report/write-reports.ts';
import type { Resumable } from './runs/resume.ts';
import type { RunEvent } from './runs/run-events.ts';
import type { RunOptions } from './runs/run-options.ts';
import type { Plan } from './runs/run-record.ts';
import type { FinishedRun } from './runs/run-suite.ts';
import type { SelftestOptions, SelftestResult } from './runs/selftest.ts';
import type { Suite } from './runs/suite.ts';

export type { Progress } from './runs/report/progress.ts';
export type { FinishedRun, Plan, RunEvent, RunOptions, SelftestResult, Suite };

/** What shows plans and runs to a person. Most commands show none, and an analyzer's memory is measured. */
export const loadProgress = () => import('./runs/report/progress.ts');
export const loadVerdictText = () => import('./runs/report/verdict-text.ts');
export const loadSpend = () => import('./runs/spend.ts');

export interface UatSettings extends Places {
  /** Where relative names count from; absolute. */
  readonly cwd: string;
}

export interface UatPorts {
  readonly clock: Clock;
}

export interface RunRequest {
  readonly plan: Plan;
  /** Absolute; by default a new folder among the results. */
  readonly folder?: string | undefined;
  /** For `--upstream real` only. */
  readonly credentials?: RealCredentials | undefined;
  /** For the licence `env`: settings and their values, absolute where they are paths. */
  readonly license?: Readonly<Record<string, string>> | undefined;
  /** A night that goes on in its folder. */
  readonly resumes?: Resumable['rounds'] | undefined;
  readonly onEvent: (event: RunEvent) => void;
  readonly signal: AbortSignal;
}

export interface SelftestRequest extends Pick<SelftestOptions, 'onResult' | 'signal'> {
  /** Names; none means all there are. */
  readonly saboteurs: readonly string[];
  readonly seed?: string | undefined;
}

export type AnalysisName = keyof typeof ANALYSES;

export interface Uat {
  suites(): Promise<readonly Suite[]>;
  /** Throws USAGE for a suite or check that is none, NOT_READY where a demanded client is missing. */
  plan(
    suite: string,
    options: Omit<RunOptions, 'seed'> & { readonly seed?: string | undefined },
  ): Promise<Plan>;
  /** A night that has not come to its end, by its folder or name; the newest where none is named. Rejects with USAGE where it is none. */
  resumable(run?: string): Promise<Resumable>;
  /** Rejects where nothing could be stored; a run that was broken is finished too, with its cause. */
  run(request: RunRequest): Promise<FinishedRun>;
  /** Rejects with USAGE for a saboteur that is none. */
  selftest(request: SelftestRequest): Promise<SelftestResult>;
  /** Reads a usage log. Throws USAGE where there is none. */
  analyze(name: AnalysisName, log: Pick<Analyzed, 'log' | 'rotated'>): Promise<Analysis>;
  /** Judges a stored run again, by today's checks; the newest where none is named. */
  report(run?: string): Promise<FinishedRun>;
}

export function createUat(settings: UatSettings, { clock }: UatPorts = { clock: systemClock }): Uat {
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
    async resumable(run) {
      const [{ findRun }, { resumableNight }] = await Promise.all([
        import('./runs/find-run.ts'),
        import('./runs/resume.ts'),
      ]);
      return resumableNight(await findRun(settings.resultsDir, settings.cwd, run ?? 'overnight'));
    },
    async run({ plan, credentials, license, folder, ...watching }) {
      // The heavy libraries load while the rest gets ready.
      const world = import('./harness/world.ts');
      const [
        { runSuite },
        { worldPlanOf },
        { claimRunDir },
        { tryPlaces },
        { provenanceOf },
        { conductOf, driveOf },
        { CHECKS },
        { findClaude },
      ] = await Promise.all([
        import('./runs/run-suite.ts'),
        import('./runs/plan.ts'),
        import('./runs/find-run.ts'),
        import('./runs/report/write-reports.ts'),
        import('./runs/provenance.ts'),
        import('./runs/drivers.ts'),
        import('./analysis/checks/index.ts'),
        import('./harness/clients/claude-binary.ts'),
      ]);
      await tryPlaces(settings);
      const runDir = folder ?? (await claimRunDir(settings.resultsDir, plan.run));
      const upstream = credentials === undefined ? undefined : ({ kind: 'real', ...credentials } as const);
      const drive = driveOf(plan);
      return runSuite({
        plan,
        ...(drive !== undefined && { drive }),
        conduct: conductOf(plan),
        suite: await suiteNamed(plan.suite),
        checks: CHECKS,
        places: settings,
        provenance: provenanceOf(findClaude()),
        folder: runDir,
        clock,
        openWorld: async (part, folderOfPart) =>
          (await world).createWorld({
            ...worldPlanOf(part),
            runDir: folderOfPart,
            ...(license !== undefined && { callersLicense: license }),
            signal: watching.signal,
            // It is said to run already.
            ...(plan.target.kind === 'url' && { readyTimeoutMs: RUNNING_TIMEOUT_MS }),
            ...(upstream !== undefined && { upstream }),
          }),
        ...watching,
      });
    },
    async selftest({ saboteurs: names, seed = drawSeed(), ...watching }) {
      const [
        { selftest },
        { worldPlanOf },
        { SABOTEURS },
        { createWorld },
        { provenanceOf },
        { CHECKS },
        { findClaude },
      ] = await Promise.all([
        import('./runs/selftest.ts'),
        import('./runs/plan.ts'),
        import('./harness/saboteurs/saboteurs.ts'),
        import('./harness/world.ts'),
        import('./runs/provenance.ts'),
        import('./analysis/checks/index.ts'),
        import('./harness/clients/claude-binary.ts'),
      ]);
      const claude = findClaude();
      return selftest({
        // Each check must be able to fail, also one that the suite leaves to others.
        suite: { ...(await suiteNamed('repro-go-quick')), checks: CHECKS.map(({ id }) => id) },
        others: await loadSuites(),
        claude,
        saboteurs: names.length === 0 ? SABOTEURS : names.map((name) => saboteurNamed(name, SABOTEURS)),
        checks: CHECKS,
        seed,
        clock,
        provenance: provenanceOf(claude),
        openWorld: (plan, runDir, saboteur) =>
          createWorld({
            ...worldPlanOf(plan),
            runDir,
            signal: watching.signal,
            ...(saboteur !== undefined && { saboteur }),
          }),
        ...watching,
      });
    },
    async analyze(name, log) {
      const { ANALYSES } = await import('./runs/analyze-log.ts');
      const { resultsDir, logsDir } = settings;
      return ANALYSES[name]({ ...log, resultsDir, logsDir });
    },
    async report(run) {
      const [{ findRun }, { readStoredRun }, { recordOf }, { CHECKS }] = await Promise.all([
        import('./runs/find-run.ts'),
        import('./runs/stored-run.ts'),
        import('./runs/judge.ts'),
        import('./analysis/checks/index.ts'),
      ]);
      const folder = await findRun(settings.resultsDir, settings.cwd, run);
      return { folder, record: recordOf(await readStoredRun(folder), CHECKS) };
    },
  };
}

/** For a target that runs already to answer. */
const RUNNING_TIMEOUT_MS = 2_000;

const drawSeed = (): string => randomBytes(4).toString('hex');

const loadSuites = async (): Promise<readonly Suite[]> => (await import('../suites/index.ts')).SUITES;

async function suiteNamed(name: string): Promise<Suite> {
  const suites = await loadSuites();
  const suite = suites.find((one) => one.name === name);
  if (suite !== undefined) return suite;
  throw new OperatorError('USAGE', `there is no suite ${name}`, {
    hint: `There are ${suites.map((one) => one.name).join(', ')}.`,
  });
}

function saboteurNamed(name: string, saboteurs: readonly Saboteur[]): Saboteur {
  const saboteur = saboteurs.find((one) => one.name === name);
  if (saboteur !== undefined) return saboteur;
  throw new OperatorError('USAGE', `there is no saboteur ${name}`, {
    hint: `There are ${saboteurs.map((one) => one.name).join(', ')}.`,
  });
}
