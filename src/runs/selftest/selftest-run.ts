/** One run of the self-test: a suite in a world that a saboteur may have broken, judged, and told again by others. */
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Check, Verdict } from '../../analysis/check.ts';
import { createCanaries } from '../../harness/canaries.ts';
import type { ClaudeLookup } from '../../harness/types/client.ts';
import type { Saboteur } from '../../harness/types/saboteur.ts';
import type { World, WorldPlan } from '../../harness/types/world.ts';
import type { Clock } from '../../platform/clock.ts';
import { judgeBundle } from '../bundle/judge-bundle.ts';
import { conductOf, driveOf } from '../conductors.ts';
import { execute } from '../execute.ts';
import { judgeRun, recordOf } from '../judge.ts';
import { LANES, makePlan } from '../plan.ts';
import { createRedactor } from '../redact.ts';
import { writeMetrics } from '../report/metrics.ts';
import { writeReports } from '../report/write-reports.ts';
import type { Plan, Provenance, RunRecord } from '../run-record.ts';
import { createRunFolder, openRunFolder, type RunFolder, readEvents } from '../stored/run-folder.ts';
import { readStoredRun, type StoredRun } from '../stored/stored-run.ts';
import type { Suite } from '../suite.ts';
import { needsCommands, spoilsStored } from './sabotage.ts';

export interface Surroundings {
  readonly claude: ClaudeLookup;
  readonly checks: readonly Check[];
  readonly seed: string;
  /** As typed: each run says by what it can be repeated. No name means all. */
  readonly asked: { readonly saboteurs: readonly string[]; readonly full: boolean };
  readonly provenance: Provenance;
  readonly clock: Clock;
  readonly openWorld: (
    plan: Plan,
    runDir: string,
    given: Pick<WorldPlan, 'saboteur' | 'commands'>,
  ) => Promise<World>;
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
  readonly retell?: readonly Retelling[];
  /** Where the run is kept: a folder that was made for it, or is made there (absolute; new or empty). By default nothing of it is. */
  readonly keepIn?: RunFolder | string | undefined;
}

export interface Retelling {
  readonly saboteur: Saboteur;
  /** Under whose name it is told: the run is no control any more. */
  readonly suite: Suite;
  /** Absolute; new or empty. */
  readonly keepIn: string | undefined;
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
  const planned = planOf(suite, saboteur, surroundings);
  // What is kept is to have all witnesses.
  const commands = saboteur === undefined || keepIn !== undefined || needsCommands(saboteur, suite, checks);
  const plan = commands ? planned : withoutCommands(planned, checks);
  const folder =
    typeof keepIn === 'object' ? keepIn : await createRunFolder(keepIn ?? path.join(base, 'run'));
  const drive = driveOf(plan);
  const told = new Map<Retelling, string>();
  const execution = await execute({
    plan,
    ...(drive !== undefined && { drive }),
    provenance,
    folder,
    clock,
    signal,
    onEvent: () => {},
    conduct: conductOf(plan),
    openWorld: (part, dir) => openWorld(part, dir, { commands, ...(saboteur !== undefined && { saboteur }) }),
    async afterwards(world) {
      const asItWas = world.retold([]);
      for (const teller of retell) {
        const collected = world.retold(teller.saboteur.faults);
        if (isDeepStrictEqual(collected, asItWas) && !spoilsStored(teller.saboteur)) continue;
        const other = await createRunFolder(teller.keepIn ?? path.join(base, teller.saboteur.name));
        await other.keep(collected, createRedactor(collected.canaries));
        told.set(teller, other.path);
      }
    },
  });
  if (execution.ending === 'broken') {
    // What is kept is looked at where something went wrong.
    if (keepIn !== undefined && !signal.aborted) await keepRun(folder, checks);
    throw execution.cause;
  }
  signal.throwIfAborted();
  const judge = async (from: string): Promise<readonly Verdict[]> =>
    judgeRun(await readStoredRun(from, ITS_END), checks);
  /** What somebody is handed: dear, so only where there is a saboteur of it. */
  const judgePacked = (from: string): Promise<Verdict> =>
    judgeBundle(
      {
        name: path.basename(from),
        run: plan.run,
        folder: from,
        suite: suite.name,
        seed,
        startedAt: clock.now(),
      },
      checks,
    );
  const retold = new Map<Saboteur, readonly Verdict[]>();
  for (const [{ saboteur: teller, suite: as, keepIn: keptIn }, other] of told) {
    await retellEvents(folder.path, other, planOf(as, teller, surroundings));
    const verdicts = await judge(other);
    if (keptIn !== undefined) await keepRun(openRunFolder(other), checks);
    await spoil(other, teller, seed);
    retold.set(teller, spoilsStored(teller) ? [...verdicts, await judgePacked(other)] : verdicts);
  }
  await writeMetrics(folder);
  const packed = retell.some((one) => spoilsStored(one.saboteur)) ? [await judgePacked(folder.path)] : [];
  const verdicts = [...(await judge(folder.path)), ...packed];
  if (keepIn === undefined) return { verdicts, retold };
  // A folder that was made for it holds more than the run: who made it writes the reports when all of that is there.
  const kept = typeof keepIn === 'object' ? await readKept(folder, checks) : await keepRun(folder, checks);
  return { verdicts, retold, kept };
}

/** The self-test goes on, and the run that is judged does not. */
const ITS_END = { goesOn: false } as const;

type Kept = NonNullable<Judged['kept']>;

async function readKept(folder: RunFolder, checks: readonly Check[]): Promise<Kept> {
  const stored = await readStoredRun(folder.path, ITS_END);
  return { folder, stored, record: recordOf(stored, checks) };
}

/** With what a reader looks at first. */
export async function keepRun(folder: RunFolder, checks: readonly Check[]): Promise<Kept> {
  const kept = await readKept(folder, checks);
  await writeReports(folder, kept);
  return kept;
}

/** What happened is what happened to the control run; what it is called and how it can be repeated is another matter. */
async function retellEvents(from: string, to: string, { suite, title, proves, asked }: Plan): Promise<void> {
  const called = { suite, title, proves, ...(asked && { asked }) };
  const folder = openRunFolder(to);
  for (const event of await readEvents(from))
    folder.append(event.type === 'run_started' ? { ...event, plan: { ...event.plan, ...called } } : event);
}

/** Puts into a stored run what a saboteur has put there. */
async function spoil(folder: string, { faults }: Saboteur, seed: string): Promise<void> {
  for (const fault of faults)
    if (fault.layer === 'stored')
      await appendFile(path.join(folder, fault.place), fault.text(createCanaries(seed)));
}

/** For a run in which the commands of the target are not run, the checks that need them skipped. */
const withoutCommands = (plan: Plan, checks: readonly Check[]): Plan => ({
  ...plan,
  checks: plan.checks.map((planned) =>
    checks.find(({ id }) => id === planned.id)?.needs?.includes('commands') === true
      ? { ...planned, skip: 'no command is run, as none would notice this saboteur' }
      : planned,
  ),
});

/** `saboteur`: whom it is run for; none where all that were asked for have it told again. */
function planOf(
  suite: Suite,
  saboteur: Saboteur | undefined,
  { claude, checks, seed, clock, asked }: Surroundings,
): Plan {
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
  const saboteurs = saboteur === undefined ? [...asked.saboteurs] : [saboteur.name];
  return { ...plan, asked: { ...plan.asked, selftest: { saboteurs, full: asked.full } } };
}
