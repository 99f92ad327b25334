/** One run of the self-test: a suite in a world that a saboteur may have broken, judged, and told again by others. */
import { appendFile, copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Check, Verdict } from '../analysis/check.ts';
import { createCanaries } from '../harness/canaries.ts';
import type { ClaudeLookup } from '../harness/types/client.ts';
import type { Saboteur } from '../harness/types/saboteur.ts';
import type { World } from '../harness/types/world.ts';
import type { Clock } from '../platform/clock.ts';
import { judgeBundle } from './bundle/judge-bundle.ts';
import { conductOf, driveOf } from './drivers.ts';
import { execute } from './execute.ts';
import { judgeRun, recordOf } from './judge.ts';
import { LANES, makePlan } from './plan.ts';
import { createRedactor } from './redact.ts';
import { writeMetrics } from './report/metrics.ts';
import { createRunFolder, type RunFolder } from './run-folder.ts';
import type { Plan, Provenance, RunRecord } from './run-record.ts';
import { spoilsStored } from './sabotage.ts';
import { readStoredRun, type StoredRun } from './stored-run.ts';
import type { Suite } from './suite.ts';

export interface Surroundings {
  readonly claude: ClaudeLookup;
  readonly checks: readonly Check[];
  readonly seed: string;
  readonly provenance: Provenance;
  readonly clock: Clock;
  readonly openWorld: (plan: Plan, runDir: string, saboteur: Saboteur | undefined) => Promise<World>;
  readonly signal: AbortSignal;
}

export interface Judged {
  readonly verdicts: readonly Verdict[];
  /** The verdicts on the same run as each of these would have it told; without those who change nothing of it. */
  readonly retold: ReadonlyMap<Saboteur, readonly Verdict[]>;
  /** Of a run whose folder is kept. */
  readonly kept?: { readonly folder: RunFolder; readonly stored: StoredRun; readonly record: RunRecord };
}

export interface Manner {
  readonly saboteur?: Saboteur;
  readonly retell?: readonly Saboteur[];
  /** Absolute; where the run is kept. By default nothing of it is. */
  readonly keepIn?: string | undefined;
}

/** Rejects with the cause where the surroundings broke of themselves, and with the signal's reason where it is interrupted. */
export async function runOnce(
  suite: Suite,
  { saboteur, retell = [], keepIn }: Manner,
  surroundings: Surroundings,
): Promise<Judged> {
  const { checks, seed, openWorld, clock, provenance, signal } = surroundings;
  signal.throwIfAborted();
  await using folders = new AsyncDisposableStack();
  const base = await mkdtemp(path.join(tmpdir(), 'ccp-uat-selftest-'));
  folders.defer(() => rm(base, { recursive: true, force: true }));
  const runDir = keepIn ?? path.join(base, 'run');
  const plan = planOf(suite, surroundings);
  const folder = await createRunFolder(runDir);
  const drive = driveOf(plan);
  const told = new Map<Saboteur, string>();
  const execution = await execute({
    plan,
    ...(drive !== undefined && { drive }),
    provenance,
    folder,
    clock,
    signal,
    onEvent: () => {},
    conduct: conductOf(plan),
    openWorld: (part, dir) => openWorld(part, dir, saboteur),
    async afterwards(world) {
      const asItWas = world.retold([]);
      for (const teller of retell) {
        const collected = world.retold(teller.faults);
        if (isDeepStrictEqual(collected, asItWas) && !spoilsStored(teller)) continue;
        const other = await createRunFolder(path.join(base, teller.name));
        await other.keep(collected, createRedactor(collected.canaries));
        told.set(teller, other.path);
      }
    },
  });
  if (execution.ending === 'broken') throw execution.cause;
  signal.throwIfAborted();
  const judge = async (from: string): Promise<readonly Verdict[]> =>
    judgeRun(await readStoredRun(from), checks);
  /** What somebody is handed: dear, so only where there is a saboteur of it. */
  const judgePacked = (from: string): Promise<Verdict> =>
    judgeBundle(
      { name: path.basename(from), folder: from, suite: suite.name, seed, startedAt: clock.now() },
      checks,
    );
  const retold = new Map<Saboteur, readonly Verdict[]>();
  for (const [teller, other] of told) {
    await copyFile(path.join(runDir, 'events.jsonl'), path.join(other, 'events.jsonl'));
    const verdicts = await judge(other);
    await spoil(other, teller, seed);
    retold.set(teller, spoilsStored(teller) ? [...verdicts, await judgePacked(other)] : verdicts);
  }
  await writeMetrics(folder);
  const packed = retell.some(spoilsStored) ? [await judgePacked(runDir)] : [];
  const verdicts = [...(await judge(runDir)), ...packed];
  if (keepIn === undefined) return { verdicts, retold };
  const stored = await readStoredRun(runDir);
  return { verdicts, retold, kept: { folder, stored, record: recordOf(stored, checks) } };
}

/** Puts into a stored run what a saboteur has put there. */
async function spoil(folder: string, { faults }: Saboteur, seed: string): Promise<void> {
  for (const fault of faults)
    if (fault.layer === 'stored')
      await appendFile(path.join(folder, fault.place), fault.text(createCanaries(seed)));
}

function planOf(suite: Suite, { claude, checks, seed, clock }: Surroundings): Plan {
  return makePlan({
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
}
