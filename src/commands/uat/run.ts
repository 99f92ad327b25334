import { resolve } from 'node:path';
import {
  type FinishedRun,
  inTurns,
  loadSelection,
  type Plan,
  type RunOptions,
  type Shard,
  type Uat,
} from '../../ccp-uat.ts';
import { EXIT, OperatorError } from '../../errors.ts';
import { type Host, printJson, printWarnings } from '../shared/host.ts';
import type { Terminal } from '../shared/terminal.ts';
import { callersLicense } from './callers-license.ts';
import { consentToReal } from './consent.ts';
import { type Opened, open } from './load.ts';
import { showPlan } from './show-plan.ts';
import { showRun, showTotal } from './show-run.ts';
import { watch, watchOneOfMany } from './watch.ts';

/** As typed; a flag that was left out is undefined. */
export interface RunFlags {
  readonly upstream: RunOptions['upstream'];
  readonly client: RunOptions['client'];
  readonly target: string;
  readonly license?: RunOptions['license'];
  readonly login?: true;
  readonly lanes?: string;
  readonly rounds?: number;
  readonly minutes?: number;
  readonly lane?: 'anthropic' | 'zai';
  readonly maxRequests?: number;
  readonly maxMinutes?: number;
  readonly sleepBetween?: number;
  readonly untilGreen?: true;
  readonly soak?: true;
  readonly chaos?: true;
  /** `true` where the newest night is meant. */
  readonly resume?: string | true;
  /** Long names of the options that were typed, for a command that takes `--resume`. */
  readonly typed?: readonly string[];
  /** Clients at once. */
  readonly width?: number;
  readonly timeoutSecs?: string;
  readonly seed?: string;
  readonly runDir?: string;
  readonly only?: readonly string[];
  readonly repeatEach?: number;
  readonly shard?: Shard;
  readonly workers?: number;
  readonly lastFailed?: true;
  readonly failFast?: true;
  readonly allowInconclusive?: true;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
}

/**
 * Runs suites, one after the other where nothing else is asked for; the exit code is the worst of theirs. An
 * interruption ends the row, in order, and so does a run whose surroundings broke: rejects with the cause, once
 * everything is printed.
 */
export async function run(
  host: Host,
  terminal: Terminal,
  suites: readonly string[],
  flags: RunFlags,
): Promise<number> {
  const opened = open(host, {
    timeoutSecs: flags.timeoutSecs,
    smokeLanes: flags.lanes,
    useLicenseLogin: flags.login && '1',
  });
  const { workers = 1 } = flags;
  mustFitTogether(flags);
  const resumed = await resumedNight(opened, flags);
  const plans =
    resumed === null
      ? await planAll(opened, await chosenOf({ host, uat: opened.uat }, suites, flags), flags)
      : [resumed.plan];
  if (plans.length > 1 && flags.runDir !== undefined) {
    throw new OperatorError('USAGE', '--run-dir is for one suite, run once', {
      hint: 'Each run needs a folder of its own.',
    });
  }
  if (flags.dryRun === true) return showPlan(host, plans, { json: flags.json === true, workers });
  const credentials = await consentToReal({ host, terminal, opened, plans, yes: flags.yes === true });
  const license = callersLicense(host, plans);

  using interruption = terminal.interruption();
  const { signal } = interruption;
  const broken: FinishedRun[] = [];
  const runOne = async (plan: Plan): Promise<FinishedRun> => {
    const result = await runAndShow(
      { host, terminal, uat: opened.uat, plan, flags, alone: workers === 1, resumed },
      { credentials, license, signal },
    );
    if (result.cause !== undefined) broken.push(result);
    return result;
  };
  const goOn = (): boolean => !signal.aborted && broken.length === 0;
  const finished = await inTurns(plans, workers, runOne, goOn);
  if (flags.json !== true && plans.length > 1) showTotal(host, finished, plans.length);
  if (flags.json === true)
    printJson(
      host,
      suites.length === 1 && plans.length === 1
        ? finished[0]?.record
        : { runs: finished.map(({ record }) => record) },
    );
  const [first] = broken;
  if (first !== undefined) throw first.cause;
  const codes = finished.map(({ record }) => record.exitCode);
  // An interruption between two runs is in the record of neither.
  return finished.length < plans.length ? EXIT.interrupted : worst(codes);
}

/** Throws USAGE for flags that contradict each other. */
function mustFitTogether({ workers = 1, target, only, lastFailed }: RunFlags): void {
  if (workers > 1 && targetOf(target).kind === 'url') {
    throw new OperatorError(
      'USAGE',
      `--workers ${workers} needs a proxy for each run, and ${target} is one`,
      {
        hint: 'Leave --workers or --target out.',
      },
    );
  }
  if (lastFailed === true && only !== undefined) {
    throw new OperatorError('USAGE', '--last-failed chooses the checks itself', {
      hint: 'Leave --only or --last-failed out.',
    });
  }
}

interface Chosen {
  readonly suite: string;
  /** What to judge by; none means all. */
  readonly only: readonly string[];
}

/** The suites to run. Throws USAGE where `--last-failed` finds nothing red: a run of nothing proves nothing. */
async function chosenOf(
  { host, uat }: { readonly host: Host; readonly uat: Uat },
  suites: readonly string[],
  flags: RunFlags,
): Promise<Chosen[]> {
  const names = suites.length > 0 ? suites : await suitesFor(uat, flags);
  if (flags.lastFailed !== true) return names.map((suite) => ({ suite, only: flags.only ?? [] }));
  const red = await uat.lastFailed(names);
  const unnamed = suites.length > 0 ? [] : await redBeside(uat, names);
  const beside = `red, and run only where named: ${unnamed.join(', ')}`;
  if (red.length === 0) {
    throw new OperatorError('USAGE', '--last-failed: nothing was red in the newest runs', {
      hint: unnamed.length > 0 ? `Also ${beside}.` : 'Leave it out to run everything.',
    });
  }
  if (unnamed.length > 0) printWarnings(host, 'ccp-uat', [`--last-failed: also ${beside}`]);
  return red.map(({ suite, checks }) => ({ suite, only: checks }));
}

/** What is red of the suites that are not among `names`: that they are left out may not pass for being green. */
async function redBeside(uat: Uat, names: readonly string[]): Promise<string[]> {
  const others = (await uat.suites()).map(({ name }) => name).filter((name) => !names.includes(name));
  return others.length === 0 ? [] : (await uat.lastFailed(others)).map(({ suite }) => suite);
}

/**
 * All that can be run like this: a suite that restarts the proxy does so with licences of its own, one that uses a budget
 * up or drives the proxy to its end needs mocks.
 */
async function suitesFor(uat: Uat, { license, target, upstream }: RunFlags): Promise<string[]> {
  const isOurs = targetOf(target).kind !== 'url';
  const canRestart = license === undefined && isOurs;
  const canDrive = upstream === 'mock' && isOurs;
  return (await uat.suites())
    .filter(({ stages }) => stages === undefined || canRestart)
    .filter(({ onlyNamed }) => onlyNamed !== true)
    .filter(({ driver, quota }) => (driver === undefined && quota === undefined) || canDrive)
    .map(({ name }) => name);
}

/** What `--resume` names; null where nothing is resumed. */
async function resumedNight({ uat }: Opened, flags: RunFlags): Promise<Resumed | null> {
  const { resume, runDir } = flags;
  if (resume === undefined) return null;
  if (runDir !== undefined) {
    throw new OperatorError(
      'USAGE',
      '--resume goes on in the folder of the night, and --run-dir names another',
      {
        hint: 'Leave one of them out; --resume takes a folder, too.',
      },
    );
  }
  const other = flags.typed?.find((name) => !BESIDE_THE_PLAN.has(name));
  if (other !== undefined) {
    throw new OperatorError(
      'USAGE',
      `${other} was decided when the night began, and --resume keeps to that`,
      {
        hint: 'Leave it out, or begin another night.',
      },
    );
  }
  return uat.resumable(resume === true ? undefined : resume);
}

/** What is no part of the plan of a night: that has everything else from its beginning. */
const BESIDE_THE_PLAN: ReadonlySet<string> = new Set(['--resume', '--dry-run', '--json', '--yes']);

type Resumed = Awaited<ReturnType<Uat['resumable']>>;

/** The repetitions of a suite share its seed: what differs between them is chance. */
async function planAll(
  { uat, settings }: Opened,
  chosen: readonly Chosen[],
  flags: RunFlags,
): Promise<Plan[]> {
  const { timeoutSecs, smokeLanes, useLicenseLogin } = settings;
  const { selectRuns } = await loadSelection();
  const { repeatEach = 1, shard } = flags;
  const options = {
    upstream: flags.upstream,
    client: flags.client,
    target: targetOf(flags.target),
    license: flags.license,
    login: useLicenseLogin,
    lanes: smokeLanes,
    driver: {
      rounds: flags.rounds,
      minutes: flags.minutes,
      lane: flags.lane,
      maxRequests: flags.maxRequests,
      maxMinutes: flags.maxMinutes,
      pauseSecs: flags.sleepBetween,
      until: untilOf(flags),
      chaos: flags.chaos,
      width: flags.width,
    },
    timeoutMs: timeoutSecs === null ? null : timeoutSecs * 1000,
    seed: flags.seed,
    failFast: flags.failFast === true,
    allowInconclusive: flags.allowInconclusive === true,
  };
  const units = selectRuns(
    chosen.map(({ suite }) => suite),
    { repeatEach, shard },
  );
  const planned = new Map<string, Promise<Plan>>();
  return Promise.all(
    units.map(async ({ suite, repetition }) => {
      const only = chosen.find((one) => one.suite === suite)?.only ?? [];
      const plan = planned.get(suite) ?? uat.plan(suite, { ...options, only });
      planned.set(suite, plan);
      const first = await plan;
      return repetition === 1 ? first : { ...first, run: `${first.run}-${repetition}` };
    }),
  );
}

function untilOf({ untilGreen, soak }: RunFlags): 'green' | 'time' | undefined {
  if (untilGreen === true) return 'green';
  return soak === true ? 'time' : undefined;
}

/** `builtin`, a URL, or else a command line for `sh` with `{port}` in it. */
function targetOf(text: string): Plan['target'] {
  if (text === 'builtin') return { kind: 'builtin' };
  if (/^https?:\/\//.test(text)) return { kind: 'url', url: text };
  if (text.includes('{port}')) return { kind: 'cmd', command: text };
  throw new OperatorError('USAGE', `--target ${text} is neither "builtin" nor a URL nor a command`, {
    hint: 'A command says where its port goes: --target "my-proxy --port {port}".',
  });
}

interface One {
  readonly host: Host;
  readonly terminal: Terminal;
  readonly uat: Uat;
  readonly plan: Plan;
  readonly flags: RunFlags;
  /** Whether no other run goes on at the same time. */
  readonly alone: boolean;
  readonly resumed: Resumed | null;
}

type Rest = Pick<Parameters<Uat['run']>[0], 'credentials' | 'license' | 'signal'>;

async function runAndShow(
  { host, terminal, uat, plan, flags, alone, resumed }: One,
  rest: Rest,
): Promise<FinishedRun> {
  const progress = await (alone ? watch(host, terminal) : watchOneOfMany(host));
  const { runDir } = flags;
  try {
    if (resumed !== null) progress.onEvent(resumed.started);
    const finished = await uat.run({
      plan,
      folder: resumed?.folder ?? (runDir === undefined ? undefined : resolve(host.cwd, runDir)),
      resumes: resumed?.rounds,
      onEvent: (event) => progress.onEvent(event),
      ...rest,
    });
    await showRun(host, finished, { json: flags.json === true, before: () => progress.end() });
    if (finished.unshown !== undefined) printWarnings(host, 'ccp-uat', [finished.unshown]);
    return finished;
  } catch (error) {
    await progress.end();
    throw error;
  }
}

/** 130 outranks 3, and 3 outranks 1. */
const worst = (codes: readonly number[]): number => Math.max(EXIT.ok, ...codes);
