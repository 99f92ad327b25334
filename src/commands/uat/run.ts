import { resolve } from 'node:path';
import type { FinishedRun, Plan, RunOptions, Uat } from '../../ccp-uat.ts';
import { EXIT, OperatorError } from '../../errors.ts';
import { type Host, printJson } from '../shared/host.ts';
import type { Terminal } from '../shared/terminal.ts';
import { callersLicense } from './callers-license.ts';
import { consentToReal } from './consent.ts';
import { type Opened, open } from './load.ts';
import { showPlan } from './show-plan.ts';
import { showRun } from './show-run.ts';
import { watch } from './watch.ts';

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
  readonly timeoutSecs?: string;
  readonly seed?: string;
  readonly runDir?: string;
  readonly only?: readonly string[];
  readonly failFast?: true;
  readonly allowInconclusive?: true;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
}

/**
 * Runs suites one after the other; the exit code is the worst of theirs. An interruption ends the row, in
 * order, and so does a run whose surroundings broke: rejects with the cause, once everything is printed.
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
  const names = suites.length > 0 ? suites : await suitesFor(opened.uat, flags);
  if (names.length > 1 && flags.runDir !== undefined) {
    throw new OperatorError('USAGE', '--run-dir is for one suite', {
      hint: 'Each run needs a folder of its own.',
    });
  }
  const plans = await planAll(opened, names, flags);
  if (flags.dryRun === true) return showPlan(host, plans, { json: flags.json === true });
  const credentials = await consentToReal({ host, terminal, opened, plans, yes: flags.yes === true });
  const license = callersLicense(host, plans);

  using interruption = terminal.interruption();
  const finished: FinishedRun[] = [];
  for (const plan of plans) {
    if (interruption.signal.aborted) break;
    const result = await runOne(
      { host, terminal, uat: opened.uat, plan, flags },
      { credentials, license, signal: interruption.signal },
    );
    await showRun(host, result, { json: flags.json === true });
    finished.push(result);
    if (result.cause !== undefined) break;
  }
  if (flags.json === true)
    printJson(
      host,
      suites.length === 1 ? finished[0]?.record : { runs: finished.map(({ record }) => record) },
    );
  const broken = finished.find(({ cause }) => cause !== undefined);
  if (broken !== undefined) throw broken.cause;
  const codes = finished.map(({ record }) => record.exitCode);
  // An interruption between two runs is in the record of neither.
  return finished.length < plans.length ? EXIT.interrupted : worst(codes);
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
    .filter(({ driver, quota }) => (driver === undefined && quota === undefined) || canDrive)
    .map(({ name }) => name);
}

async function planAll(
  { uat, settings }: Opened,
  names: readonly string[],
  flags: RunFlags,
): Promise<Plan[]> {
  const { timeoutSecs, smokeLanes, useLicenseLogin } = settings;
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
    },
    timeoutMs: timeoutSecs === null ? null : timeoutSecs * 1000,
    seed: flags.seed,
    only: flags.only ?? [],
    failFast: flags.failFast === true,
    allowInconclusive: flags.allowInconclusive === true,
  };
  return Promise.all(names.map((name) => uat.plan(name, options)));
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
}

type Rest = Pick<Parameters<Uat['run']>[0], 'credentials' | 'license' | 'signal'>;

async function runOne({ host, terminal, uat, plan, flags }: One, rest: Rest): Promise<FinishedRun> {
  const progress = await watch(host, terminal);
  const { runDir } = flags;
  try {
    return await uat.run({
      plan,
      folder: runDir === undefined ? undefined : resolve(host.cwd, runDir),
      onEvent: (event) => progress.onEvent(event),
      ...rest,
    });
  } finally {
    await progress.end();
  }
}

/** 130 outranks 3, and 3 outranks 1. */
const worst = (codes: readonly number[]): number => Math.max(EXIT.ok, ...codes);
