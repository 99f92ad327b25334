/**
 * Carries out a plan: opens the world, sends the probes wave by wave, gathers what the witnesses saw, closes
 * the world. What happens is told as it happens, to the run's folder first. It never judges.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type MachineWatch, watchMachine } from '../harness/machine-watch.ts';
import type { ClaudeRun } from '../harness/types/client.ts';
import type { World } from '../harness/types/world.ts';
import type { Clock } from '../platform/clock.ts';
import type { Canary, ProbeResult, RoundAccount } from '../protocol/witness.ts';
import { spentIn } from './night/spent.ts';
import { endedAsPlanned } from './probe-ending.ts';
import { promptOf, rawRequest } from './raw-request.ts';
import { createRedactor } from './redact.ts';
import { type RunEvent, type RunNews, runEventSchema } from './run-events.ts';
import type { Plan, PlannedProbe, Provenance } from './run-record.ts';
import { stageOf } from './stages.ts';
import type { RunFolder } from './stored/run-folder.ts';

export interface ExecuteOptions {
  readonly plan: Plan;
  readonly provenance: Provenance;
  readonly folder: RunFolder;
  /** In a folder of its own. */
  readonly openWorld: (plan: Plan, runDir: string) => Promise<World>;
  /** What is told, and of a night the probes of its rounds as they end, which are not stored with it. */
  readonly onEvent: (event: RunEvent) => void;
  readonly clock: Clock;
  /** Its abort ends the run in order: no further probe, but everything gathered and put away. */
  readonly signal: AbortSignal;
  /** What is done in the world; default: the waves of the plan are sent. */
  readonly drive?: (driving: Driving) => Promise<void>;
  /** Whether `drive` gathers and puts away by itself; what it did not come to is gathered all the same. */
  readonly gathers?: boolean;
  /** Takes the place of all that: opens the worlds that it needs itself. */
  readonly conduct?: ((conducting: Conducting) => Promise<void>) | undefined;
  /** The rounds of a night that is resumed in this folder; absent where it begins. */
  readonly resumes?: readonly RoundAccount[] | undefined;
  /** Called once everything is gathered and put away, while the world is still there. */
  readonly afterwards?: (world: World) => Promise<void>;
}

export type Execution =
  | { readonly ending: 'complete' }
  | { readonly ending: 'interrupted'; readonly note: string }
  /** The surroundings failed, not a probe. */
  | { readonly ending: 'broken'; readonly note: string; readonly cause: unknown };

/** Never rejects: whatever goes wrong is an ending, told with its cause. */
export async function execute(options: ExecuteOptions): Promise<Execution> {
  // What comes after a world is for a run that is one.
  const { plan, provenance, signal, conduct, resumes, afterwards: _, ...rest } = options;
  const tell = createTeller(options);
  let underWay: string[] = [];
  signal.addEventListener('abort', () => (underWay = tell.underWay()), { once: true });
  if (resumes === undefined) tell({ type: 'run_started', plan, provenance });
  else {
    tell({
      type: 'resumed',
      // One that was interrupted is carried out again.
      after: resumes.findLast(({ partial }) => !partial)?.round ?? 0,
      ...(plan.driver?.kind === 'overnight' && { spentMs: spentIn(resumes, plan.driver) }),
      provenance,
    });
  }
  const cause = await failureOf(
    conduct === undefined
      ? carryOut(options, tell)
      : conduct({ ...rest, plan, provenance, signal, resumes, tell }),
  );
  if (signal.aborted) {
    const note = sentence(signal.reason);
    tell({ type: 'interrupted', note, ...(underWay.length > 0 && { underWay }) });
    return { ending: 'interrupted', note };
  }
  if (cause !== undefined) {
    const note = sentence(cause);
    tell({ type: 'broken', note });
    return { ending: 'broken', note, cause };
  }
  tell({ type: 'run_ended' });
  return { ending: 'complete' };
}

async function carryOut(options: ExecuteOptions, tell: Teller): Promise<void> {
  const { plan, folder, openWorld, drive = sendWaves, gathers = false } = options;
  await using world = await openWorld(plan, folder.path);
  tell.hide(() => world.canaries.all());
  tell({ type: 'world_ready' });
  let isGathered = false;
  using machine = watchMachine(
    () => world.target.pid,
    (ms) => tell({ type: 'machine_late', ms }),
  );
  try {
    await drive({ ...options, world, machine, tell });
    isGathered = gathers;
  } finally {
    if (!isGathered) {
      const collected = await world.collect();
      await folder.keep(collected, createRedactor(collected.canaries));
    }
    await options.afterwards?.(world);
  }
}

/** What a run is conducted with. */
export type Conducting = Omit<ExecuteOptions, 'conduct' | 'drive' | 'afterwards'> & { readonly tell: Teller };

/** What a run is driven with. */
export type Driving = ExecuteOptions & {
  readonly world: World;
  readonly machine: MachineWatch;
  readonly tell: Teller;
};

/** For clients that are told to end to have ended, so that what they saw is on record. */
const PARTING_MS = 2_000;

/** Stage by stage, each with its own target; the world was opened in the first. */
async function sendWaves(sending: Driving): Promise<void> {
  const { plan, signal, world, folder, tell } = sending;
  const interrupted = new Promise<'interrupted'>((resolve) => {
    signal.addEventListener('abort', () => resolve('interrupted'), { once: true });
  });
  for (const [index, stage] of plan.stages.entries()) {
    if (signal.aborted) return;
    if (index > 0)
      await world.enter(stage, (life) => folder.keepLife(life, createRedactor(world.canaries.all())));
    if (plan.stages.length > 1) tell({ type: 'stage_started', name: stage.name });
    for (const wave of plan.waves.filter(([probe]) => probe && stageOf(probe, plan) === stage.name)) {
      if (signal.aborted) return;
      const results = await sendWave(wave, sending, interrupted);
      if (plan.failFast && results.includes('bad')) return;
    }
  }
}

async function sendWave(
  wave: readonly PlannedProbe[],
  sending: Driving,
  interrupted: Promise<'interrupted'>,
): Promise<readonly ('good' | 'bad')[]> {
  const sent = Promise.all(wave.map((probe) => sendOne(probe, sending)));
  const results = await Promise.race([sent, interrupted]);
  if (results !== 'interrupted') return results;
  await Promise.race([sent, sleep(PARTING_MS, undefined, { ref: false })]);
  return [];
}

/** Never rejects, so that a probe left behind by an interruption can't surface later. */
export async function sendOne(probe: PlannedProbe, sending: Driving): Promise<'good' | 'bad'> {
  const { world, folder, tell } = sending;
  tell({ type: 'probe_started', id: probe.id });
  try {
    const { report, ...result } = await send(probe, sending);
    folder.keepWire(world.seen(), createRedactor(world.canaries.all()));
    tell({ type: 'probe_ended', result, ...(report !== undefined && { report }) });
    return endedAsPlanned(probe, result) ? 'good' : 'bad';
  } catch (error) {
    tell({ type: 'probe_broke', id: probe.id, problem: sentence(error) });
    return 'bad';
  }
}

type Sent = ProbeResult & { readonly report?: ClaudeRun['report'] };

async function send(probe: PlannedProbe, { plan: { timeoutMs }, world, signal }: Driving): Promise<Sent> {
  const { id, model, scenario, afterMs } = probe;
  if (afterMs !== undefined) await sleep(afterMs, undefined, { signal });
  const expected = {
    expectedLane: probe.lane,
    ...(probe.decision !== undefined && { expectedDecision: probe.decision }),
  };
  if (typeof scenario === 'object')
    world.upstreams[scenario.provider].play(scenario.name, { times: scenario.times ?? 1 });
  if (probe.client === 'claude') {
    const { login = 'key' } = probe;
    return world.runClaude({ id, model, ...expected, login, timeoutMs, prompt: promptOf(probe) });
  }
  const credential = { header: 'x-api-key', value: world.canaries.anthropicKey } as const;
  const { answer: _, ...result } = await world.runProbe({
    id,
    model,
    ...expected,
    timeoutMs,
    ...(typeof scenario === 'object' && { mayPass: [scenario.provider] }),
    request: (canary) => rawRequest(probe, credential, canary),
  });
  return result;
}

interface Teller {
  (news: RunNews): void;
  /** From now on, these are taken out of whatever is told. */
  hide(canaries: () => readonly Canary[]): void;
  /** Ids of the probes of which a beginning was told, and no end. */
  underWay(): string[];
}

function createTeller({ folder, onEvent, clock }: ExecuteOptions): Teller {
  let hidden: (() => readonly Canary[]) | undefined;
  const begun = new Set<string>();
  const tell = (news: RunNews): void => {
    if (news.type === 'probe_started') begun.add(news.id);
    if (news.type === 'probe_ended') begun.delete(news.result.id);
    if (news.type === 'probe_broke') begun.delete(news.id);
    const clean = createRedactor(hidden?.() ?? []).text(JSON.stringify({ ...news, at: clock.now() }));
    const event = runEventSchema.parse(JSON.parse(clean));
    folder.append(event);
    onEvent(event);
  };
  return Object.assign(tell, {
    hide: (canaries: () => readonly Canary[]) => {
      hidden = canaries;
    },
    underWay: () => [...begun],
  });
}

async function failureOf(work: Promise<void>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error ?? new Error('it failed without saying why');
  }
}

const sentence = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason));
