/**
 * Proof that the checks can fail: the same run once as it is, then once per saboteur, each of which breaks
 * one thing that the checks it names must notice. A saboteur that one of them overlooks has survived, and the
 * harness has a hole. One that only alters records needs no run of its own: the run that nobody broke is told again,
 * with its alterations.
 */
import { appendFile, copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Check, Outcome, Verdict } from '../analysis/check.ts';
import { createCanaries } from '../harness/canaries.ts';
import type { ClaudeLookup, Saboteur, World } from '../harness/types.ts';
import type { Clock } from '../platform/clock.ts';
import { judgeBundle } from './bundle/judge-bundle.ts';
import { driveOf } from './drivers.ts';
import { execute } from './execute.ts';
import { judgeRun } from './judge.ts';
import { LANES, makePlan } from './plan.ts';
import { createRedactor } from './redact.ts';
import { writeMetrics } from './report/metrics.ts';
import { createRunFolder } from './run-folder.ts';
import type { Plan, Provenance } from './run-record.ts';
import { readStoredRun } from './stored-run.ts';
import type { ClaudeProbeSpec, Lane, ProbeSpec, Suite } from './suite.ts';

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
  /** Those of `caughtBy` that noticed. */
  readonly killedBy: readonly string[];
  /** Whether all of them did. */
  readonly killed: boolean;
  /** Why it was not tried. */
  readonly skipped?: string;
  /** The row of the matrix: how each check came out. */
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

export interface SelftestOptions {
  /** Its raw probes are sent; Claude Code would only make it slow, and is run where a saboteur shows with it alone. */
  readonly suite: Suite;
  /** Those that some saboteurs name in its stead. */
  readonly others: readonly Suite[];
  readonly claude: ClaudeLookup;
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
  const controls = await runControls(options);
  const control = controls.flatMap(({ verdicts }) => verdicts).filter(isRed);
  const retold = new Map(controls.flatMap((one) => [...one.retold]));
  const results = await inTurns(saboteurs, AT_ONCE, async (saboteur) => {
    const verdicts = retold.get(saboteur);
    const result =
      verdicts === undefined ? await trySaboteur(saboteur, options) : resultOf(saboteur, verdicts);
    options.onResult(result);
    return result;
  });
  const tried = results.filter(({ skipped }) => skipped === undefined);
  const ok = control.length === 0 && tried.length > 0 && tried.every(({ killed }) => killed);
  return { seed, ok, control, saboteurs: results };
}

/** A run that nobody breaks of each suite that is used: a check that is red as such would kill every saboteur of it. */
async function runControls(options: SelftestOptions): Promise<readonly Judged[]> {
  const { saboteurs, suite, others } = options;
  const used = others.filter(({ name }) => saboteurs.some(({ during }) => during?.suite === name));
  const tellers = saboteurs.filter(needsNoRun);
  const own = await runOnce(
    { ...suite, probes: [...rawProbes(suite), ...controlProbes(saboteurs)] },
    { retell: tellers.filter(({ during }) => during === undefined) },
    options,
  );
  const theirs = await inTurns(used, AT_ONCE, (one) =>
    runOnce(brief(one), { retell: tellers.filter(({ during }) => during?.suite === one.name) }, options),
  );
  return [own, ...theirs];
}

/** Whether all that it does is to alter what is told or stored, of exchanges that the control run has anyway. */
const needsNoRun = ({ faults, scenario, claude }: Saboteur): boolean =>
  faults.every(({ layer }) => layer === 'records' || layer === 'stored') &&
  scenario === undefined &&
  claude === undefined;

const rawProbes = ({ probes }: Suite): ProbeSpec[] => probes.filter(({ client }) => client === 'curl');

/** What is run with a saboteur. */
function suiteFor(saboteur: Saboteur, { suite, others }: SelftestOptions): Suite {
  const { during } = saboteur;
  if (during === undefined) return { ...suite, probes: [...rawProbes(suite), ...extraProbe(saboteur)] };
  const other = others.find(({ name }) => name === during.suite);
  if (other === undefined)
    throw new Error(`saboteur ${saboteur.name} names the suite ${during.suite}, which does not exist`);
  if (other.stages === undefined) return brief(other);
  const stages = other.stages.filter(({ name }) => during.stages.includes(name));
  return { ...brief(other), stages };
}

/** As much of a suite as shows what a saboteur does: no Claude Code, one short round of a soak, a small window. */
function brief(suite: Suite): Suite {
  const { driver } = suite;
  return {
    ...suite,
    probes: rawProbes(suite),
    ...(driver?.kind === 'soak' && { driver: { ...driver, rounds: 1, roundMs: 1_000 } }),
    ...(driver?.kind === 'limits' && { driver: { ...driver, mockWindow: 3, maxRequests: 6 } }),
  };
}

async function trySaboteur(saboteur: Saboteur, options: SelftestOptions): Promise<SabotageResult> {
  const { claude } = options;
  if (saboteur.claude !== undefined && !claude.found)
    return { ...resultOf(saboteur, []), skipped: `Claude Code was not found: ${claude.reason}` };
  const { verdicts } = await runOnce(suiteFor(saboteur, options), { saboteur }, options);
  return resultOf(saboteur, verdicts);
}

/** A check that lost its evidence has noticed, too: it refuses to pass. */
const isRed = ({ outcome }: Pick<Verdict, 'outcome'>): boolean => outcome !== 'pass' && outcome !== 'skipped';

function resultOf({ name, breaks, caughtBy }: Saboteur, verdicts: readonly Verdict[]): SabotageResult {
  const red = new Set(verdicts.filter(isRed).map(({ id }) => id));
  const killedBy = caughtBy.filter((id) => red.has(id));
  return {
    name,
    breaks,
    caughtBy,
    killedBy,
    killed: killedBy.length === caughtBy.length,
    outcomes: Object.fromEntries(verdicts.map(({ id, outcome }) => [id, outcome])),
  };
}

interface Judged {
  readonly verdicts: readonly Verdict[];
  /** The verdicts on the same run as each of these would have it told. */
  readonly retold: ReadonlyMap<Saboteur, readonly Verdict[]>;
}

interface Broken {
  readonly saboteur?: Saboteur;
  readonly retell?: readonly Saboteur[];
}

async function runOnce(
  suite: Suite,
  { saboteur, retell = [] }: Broken,
  options: SelftestOptions,
): Promise<Judged> {
  const { claude, checks, seed, openWorld, clock, provenance, signal } = options;
  signal.throwIfAborted();
  await using folders = new AsyncDisposableStack();
  const base = await mkdtemp(path.join(tmpdir(), 'ccp-uat-selftest-'));
  folders.defer(() => rm(base, { recursive: true, force: true }));
  const runDir = path.join(base, 'run');
  const plan = makePlan({
    suite,
    checks,
    options: {
      upstream: 'mock',
      client: 'auto',
      target: { kind: 'builtin' },
      timeoutMs: null,
      login: false,
      lanes: LANES,
      seed,
      only: [],
      failFast: false,
      allowInconclusive: false,
    },
    claude,
    startedAt: new Date(clock.now()),
  });
  const folder = await createRunFolder(runDir);
  const drive = driveOf(plan);
  const execution = await execute({
    plan,
    ...(drive !== undefined && { drive }),
    provenance,
    folder,
    clock,
    signal,
    onEvent: () => {},
    openWorld: () => openWorld(plan, runDir, saboteur),
    async afterwards(world) {
      for (const teller of retell) {
        const other = await createRunFolder(path.join(base, teller.name));
        const collected = world.retold(teller.faults);
        await other.keep(collected, createRedactor(collected.canaries));
      }
    },
  });
  if (execution.ending === 'broken') throw execution.cause;
  signal.throwIfAborted();
  const judge = async (name: string): Promise<readonly Verdict[]> =>
    judgeRun(await readStoredRun(path.join(base, name)), checks);
  /** Of what somebody is handed: dear, so only where there is somebody who could spoil it. */
  const judgePacked = (name: string): Promise<Verdict> =>
    judgeBundle(
      { name, folder: path.join(base, name), suite: plan.suite, seed, startedAt: clock.now() },
      checks,
    );
  const retold = new Map<Saboteur, readonly Verdict[]>();
  for (const teller of retell) {
    await copyFile(path.join(runDir, 'events.jsonl'), path.join(base, teller.name, 'events.jsonl'));
    const verdicts = await judge(teller.name);
    await spoil(path.join(base, teller.name), teller, seed);
    retold.set(teller, touchesStored(teller) ? [...verdicts, await judgePacked(teller.name)] : verdicts);
  }
  await writeMetrics(folder);
  const verdicts = await judge('run');
  const packed = retell.some(touchesStored) ? [await judgePacked('run')] : [];
  return { verdicts: [...verdicts, ...packed], retold };
}

const touchesStored = ({ faults }: Saboteur): boolean => faults.some(({ layer }) => layer === 'stored');

async function spoil(folder: string, { faults }: Saboteur, seed: string): Promise<void> {
  for (const fault of faults)
    if (fault.layer === 'stored')
      await appendFile(path.join(folder, fault.place), fault.text(createCanaries(seed)));
}

const LANE_OF = { anth: 'anthropic', zai: 'zai' } as const satisfies Record<string, Lane>;

/** What a saboteur needs to show, where the suite does not send it anyway. */
function extraProbe({ name: saboteur, ...needs }: Saboteur): ProbeSpec[] {
  if (needs.claude !== undefined) return [claudeProbe(needs.claude)];
  if (needs.scenario === undefined) return [];
  const { provider, name: scenario } = needs.scenario;
  const model = provider === 'anth' ? 'claude-sonnet-5' : 'claude-haiku-4-5-20251001';
  const probe = {
    client: 'curl',
    id: `for-${saboteur}`,
    model,
    lane: LANE_OF[provider],
    op: 'stream',
    scenario,
    // What it comes to is for the checks that the saboteur names.
    mayFail: true,
  } as const;
  return [needs.clientLeaves === true ? { ...probe, leaveAfterBytes: LEAVE_AFTER_BYTES } : probe];
}

/** The control runs each kind of Claude Code that a saboteur needs. */
function controlProbes(saboteurs: readonly Saboteur[]): ClaudeProbeSpec[] {
  const logins = new Set(saboteurs.flatMap(({ claude }) => claude ?? []));
  return [...logins].map(claudeProbe);
}

const claudeProbe = (login: NonNullable<Saboteur['claude']>): ClaudeProbeSpec => ({
  client: 'claude',
  id: `claude-${login}`,
  model: 'sonnet',
  lane: 'anthropic',
  login,
  // Time enough for what it does beside the answer: once it has that, it ends.
  scenario: 'paced',
});

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
