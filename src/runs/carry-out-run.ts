/** A run as it is asked for: with its world, its place among the results and what stands around it. */
import { CHECKS } from '../analysis/checks/index.ts';
import { findClaude } from '../harness/clients/claude-binary.ts';
import type { RealCredentials } from '../harness/types/world.ts';
import type { Clock } from '../platform/clock.ts';
import { conductOf, driveOf } from './conductors.ts';
import type { Resumable } from './night/resume.ts';
import { worldPlanOf } from './plan.ts';
import { fullProvenanceOf, type Invocation } from './provenance.ts';
import { type Places, tryPlaces } from './report/write-reports.ts';
import type { RunEvent } from './run-events.ts';
import type { Plan } from './run-record.ts';
import { type FinishedRun, type RunSuiteOptions, runSuite } from './run-suite.ts';
import { claimRunDir } from './stored/find-run.ts';

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

interface Around extends Pick<RunSuiteOptions, 'suite' | 'since' | 'inTurn'> {
  readonly places: Places;
  readonly invocation: Invocation;
  readonly clock: Clock;
}

/** For a target that runs already to answer. */
const RUNNING_TIMEOUT_MS = 2_000;

/** Rejects where nothing could be stored. */
export async function carryOutRun(
  { plan, credentials, license, folder, ...watching }: RunRequest,
  { places, invocation, ...around }: Around,
): Promise<FinishedRun> {
  // Heavy libraries, which load while the rest gets ready.
  const world = import('../harness/world.ts');
  await tryPlaces(places);
  const runDir = folder ?? (await claimRunDir(places.resultsDir, plan.run));
  const upstream = credentials === undefined ? undefined : ({ kind: 'real', ...credentials } as const);
  const drive = driveOf(plan);
  return runSuite({
    plan,
    ...(drive !== undefined && { drive }),
    conduct: conductOf(plan),
    checks: CHECKS,
    places,
    provenance: await fullProvenanceOf(findClaude(), invocation),
    folder: runDir,
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
    ...around,
    ...watching,
  });
}
