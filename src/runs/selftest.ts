/**
 * Proof that the checks can fail: the same run once as it is, then once per saboteur, each of which breaks
 * one thing that a named check must notice. A saboteur that nobody notices has survived, and the harness has
 * a hole.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Check, Outcome, Verdict } from '../analysis/check.ts';
import type { Saboteur, World } from '../harness/types.ts';
import type { Clock } from '../platform/clock.ts';
import { execute } from './execute.ts';
import { judgeRun } from './judge.ts';
import { makePlan } from './plan.ts';
import { writeMetrics } from './report/metrics.ts';
import { createRunFolder } from './run-folder.ts';
import type { Plan, Provenance } from './run-record.ts';
import { readStoredRun } from './stored-run.ts';
import type { Lane, RawProbeSpec, Suite } from './suite.ts';

export interface SelftestResult {
  readonly seed: string;
  /** Whether the control was green and no saboteur survived. */
  readonly ok: boolean;
  /** Of the run that nobody broke: the checks that were not satisfied. */
  readonly control: readonly Verdict[];
  readonly saboteurs: readonly SabotageResult[];
}

export interface SabotageResult {
  readonly name: string;
  readonly breaks: string;
  readonly caughtBy: readonly string[];
  /** Those of `caughtBy` that noticed; none means that it survived. */
  readonly killedBy: readonly string[];
  /** The row of the matrix: how each check came out. */
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

export interface SelftestOptions {
  /** Its raw probes are sent; Claude Code would only make it slow. */
  readonly suite: Suite;
  readonly saboteurs: readonly Saboteur[];
  readonly checks: readonly Check[];
  readonly seed: string;
  readonly provenance: Provenance;
  readonly clock: Clock;
  readonly openWorld: (plan: Plan, runDir: string, saboteur: Saboteur | undefined) => Promise<World>;
  readonly onResult: (result: SabotageResult) => void;
  readonly signal: AbortSignal;
}

/** Each run has a world and processes of its own; more at once would only wait for each other. */
const AT_ONCE = 2;

/** Rejects with the signal's reason where it is interrupted. */
export async function selftest(options: SelftestOptions): Promise<SelftestResult> {
  const { saboteurs, seed } = options;
  const control = (await sabotage(undefined, options)).filter(isRed);
  const results = await inTurns(saboteurs, AT_ONCE, async (saboteur) => {
    const result = resultOf(saboteur, await sabotage(saboteur, options));
    options.onResult(result);
    return result;
  });
  const ok =
    control.length === 0 && results.length > 0 && results.every(({ killedBy }) => killedBy.length > 0);
  return { seed, ok, control, saboteurs: results };
}

/** A check that lost its evidence has noticed, too: it refuses to pass. */
const isRed = ({ outcome }: Pick<Verdict, 'outcome'>): boolean => outcome !== 'pass' && outcome !== 'skipped';

function resultOf({ name, breaks, caughtBy }: Saboteur, verdicts: readonly Verdict[]): SabotageResult {
  const red = new Set(verdicts.filter(isRed).map(({ id }) => id));
  return {
    name,
    breaks,
    caughtBy,
    killedBy: caughtBy.filter((id) => red.has(id)),
    outcomes: Object.fromEntries(verdicts.map(({ id, outcome }) => [id, outcome])),
  };
}

async function sabotage(saboteur: Saboteur | undefined, options: SelftestOptions): Promise<Verdict[]> {
  const { suite, checks, seed, openWorld, clock, provenance, signal } = options;
  signal.throwIfAborted();
  await using folders = new AsyncDisposableStack();
  const runDir = await mkdtemp(path.join(tmpdir(), 'ccp-uat-selftest-'));
  folders.defer(() => rm(runDir, { recursive: true, force: true }));
  const plan = makePlan({
    suite: { ...suite, probes: [...suite.probes, ...extraProbe(saboteur)] },
    checks,
    options: {
      upstream: 'mock',
      client: 'curl',
      target: { kind: 'builtin' },
      timeoutMs: null,
      seed,
      only: [],
      failFast: false,
      allowInconclusive: false,
    },
    claude: { found: false, reason: 'not needed' },
    startedAt: new Date(clock.now()),
  });
  const folder = await createRunFolder(runDir);
  const execution = await execute({
    plan,
    provenance,
    folder,
    clock,
    signal,
    onEvent: () => {},
    openWorld: () => openWorld(plan, runDir, saboteur),
  });
  if (execution.ending === 'broken') throw execution.cause;
  signal.throwIfAborted();
  await writeMetrics(folder);
  return judgeRun(await readStoredRun(runDir), checks);
}

const LANE_OF = { anth: 'anthropic', zai: 'zai' } as const satisfies Record<string, Lane>;

/** What a saboteur needs to show, where the suite does not send it anyway. */
function extraProbe(saboteur: Saboteur | undefined): RawProbeSpec[] {
  if (saboteur?.scenario === undefined) return [];
  const { provider, name: scenario } = saboteur.scenario;
  const model = provider === 'anth' ? 'claude-sonnet-5' : 'claude-haiku-4-5-20251001';
  const probe = {
    client: 'curl',
    id: `for-${saboteur.name}`,
    model,
    lane: LANE_OF[provider],
    op: 'stream',
    scenario,
    // What it comes to is for the checks that the saboteur names.
    mayFail: true,
  } as const;
  return [saboteur.clientLeaves === true ? { ...probe, leaveAfterBytes: LEAVE_AFTER_BYTES } : probe];
}

/** Past the first event of any answer, and far from the end of a paced one. */
const LEAVE_AFTER_BYTES = 600;

/** Like `Promise.all` over `map`, with at most `width` under way; results in the order of the items. */
async function inTurns<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}
