/** Starts what is under test, or finds it running, and gives one handle for all kinds of it. */
import { existsSync } from 'node:fs';
import http from 'node:http';
import { getCompileCacheDir } from 'node:module';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../errors.ts';
import { childEnvironment, type Environment, type Home } from './environment.ts';
import { findFreePort } from './ports.ts';
import { type ProcessGroup, runGroup, startGroup } from './process-group.ts';
import type { EndpointReply, Target, TargetSpec } from './types/target.ts';

export interface TargetOptions {
  readonly spec: TargetSpec;
  /** Its own; it starts in the working directory there, in which nothing lies. */
  readonly home: Home;
  /** Where it is told to write; absolute. */
  readonly logsDir: string;
  /** Its settings and keys, beside what every child gets. */
  readonly settings: Environment;
  /** Whether its commands are run; default true. Only the built-in one has any. */
  readonly commands?: boolean | undefined;
  /** Until it answers. */
  readonly readyTimeoutMs: number;
  /** Ends the waiting, not what is running: an interrupted run still asks its target what it knows. */
  readonly signal?: AbortSignal | undefined;
}

const POLL_MS = 20;
const ENDPOINT_TIMEOUT_MS = 10_000;
const COMMAND_TIMEOUT_MS = 20_000;
/** The proxy lets streams under way finish for 10 s; one second more and it has not kept its word. */
const STOP_GRACE_MS = 11_000;
const TAIL_LINES = 20;

/** A target that died before it was ready: a death like any other, and not a failing of its surroundings. */
export class TargetEnded extends OperatorError {}

/** Rejects with NOT_READY, and what it printed last, where it stays silent; with `TargetEnded` where it ends before it is ready. */
export async function startTarget(options: TargetOptions): Promise<Target> {
  const { spec } = options;
  if (spec.kind === 'url') return findTarget(spec.url, options);
  if (spec.kind === 'cmd') return launchCommand(spec.command, options);
  return launchBuiltin(options);
}

/** The launcher of a program of this project, also when this file runs from `dist`. */
function launcher(program: 'ccp'): string {
  let folder = import.meta.dirname;
  while (!existsSync(path.join(folder, 'bin', `${program}.js`))) folder = path.dirname(folder);
  return path.join(folder, 'bin', `${program}.js`);
}

async function launchBuiltin(options: TargetOptions): Promise<Target> {
  const env = environmentOf(options);
  const ccp = (args: readonly string[]) => ({
    file: process.execPath,
    args: [launcher('ccp'), ...args],
    env,
    cwd: options.home.work,
  });
  const group = await startGroup({
    ...ccp(['serve', '--port', '0']),
    graceMs: STOP_GRACE_MS,
  });
  const url = await readyOr(group, options, async () => {
    const announced = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(group.stderr())?.[1];
    return announced !== undefined && (await answers(announced, (status) => status === 200))
      ? announced
      : undefined;
  });
  const port = new URL(url).port;
  return {
    ...launchedTarget('builtin', url, group, options),
    ccp: async (args) => {
      if (options.commands === false) return null;
      const command = ccp(args);
      return runGroup({ ...command, env: { ...env, CCP_PORT: port }, timeoutMs: COMMAND_TIMEOUT_MS });
    },
    startCcp: async (args) => startGroup({ ...ccp(args), signal: options.signal }),
  };
}

/** The request to end reaches the whole group: a shell that ended first would take the proxy with it, and its exit code. */
const OUTLIVE = 'trap : TERM';

async function launchCommand(command: string, options: TargetOptions): Promise<Target> {
  const port = await findFreePort();
  const group = await startGroup({
    file: 'sh',
    args: ['-c', `${OUTLIVE}\n${command.replaceAll('{port}', String(port))}`],
    env: { ...environmentOf(options), CCP_PORT: String(port) },
    cwd: options.home.work,
    graceMs: STOP_GRACE_MS,
  });
  const url = `http://127.0.0.1:${port}`;
  // It may be any proxy: whatever it answers there, it answers.
  await readyOr(group, options, async () => (await answers(url, () => true)) || undefined);
  return launchedTarget('cmd', url, group, options);
}

async function findTarget(given: string, { readyTimeoutMs, signal }: TargetOptions): Promise<Target> {
  const url = given.replace(/\/+$/, '');
  const deadline = performance.now() + readyTimeoutMs;
  while (!(await answers(url, () => true))) {
    signal?.throwIfAborted();
    if (performance.now() > deadline) {
      throw new OperatorError('NOT_READY', `nothing answers at ${url}`, {
        hint: 'Start it, or leave --target out.',
      });
    }
    await sleep(POLL_MS);
  }
  return {
    kind: 'url',
    url,
    pid: null,
    logsDir: null,
    usageLogPath: null,
    output: () => '',
    ccp: async () => null,
    startCcp: noCommands,
    get: (endpoint, headers) => getEndpoint(url, endpoint, headers),
    stop: async () => ({ exitCode: null }),
    kill: () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

function launchedTarget(
  kind: 'builtin' | 'cmd',
  url: string,
  group: ProcessGroup,
  { logsDir }: TargetOptions,
): Target {
  return {
    kind,
    url,
    pid: group.pid,
    logsDir,
    usageLogPath: path.join(logsDir, 'usage.jsonl'),
    output: group.output,
    ccp: async () => null,
    startCcp: noCommands,
    get: (endpoint, headers) => getEndpoint(url, endpoint, headers),
    stop: async () => ({ exitCode: (await group.stop()).exitCode }),
    kill: (signal) => group.kill(signal),
    [Symbol.asyncDispose]: () => group[Symbol.asyncDispose](),
  };
}

async function noCommands(): Promise<never> {
  throw new TypeError('only the built-in target has commands of ours');
}

function environmentOf({ home, logsDir, settings }: TargetOptions): Environment {
  const cache = getCompileCacheDir();
  return childEnvironment({
    home,
    extra: {
      // A cold start costs half a second, and a home of its own would make every start a cold one.
      ...(cache !== undefined && { NODE_COMPILE_CACHE: path.dirname(cache) }),
      CCP_LOGS_DIR: logsDir,
      ...settings,
    },
  });
}

/** Polls until `check` gives something; stops the group and rejects where it ends, or time is up, before. */
async function readyOr<T>(
  group: ProcessGroup,
  { readyTimeoutMs, signal }: TargetOptions,
  check: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + readyTimeoutMs;
  const ended = group.exited.then(
    ({ signal: by, exitCode }) => `ended (${by ?? `exit code ${exitCode}`}) before it was ready`,
  );
  const late = `was not ready in ${readyTimeoutMs} ms`;
  try {
    for (;;) {
      const found = await check();
      if (found !== undefined) return found;
      signal?.throwIfAborted();
      const over = await Promise.race([ended, sleep(POLL_MS)]);
      if (over !== undefined) throw new TargetEnded(...notReady(over, group.output()));
      if (performance.now() > deadline) throw new OperatorError(...notReady(late, group.output()));
    }
  } catch (error) {
    await group.stop();
    throw error;
  }
}

function notReady(problem: string, output: string): ['NOT_READY', string] {
  const tail = output.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
  return ['NOT_READY', `the target ${problem}${tail === '' ? ', and printed nothing' : `:\n${tail}`}`];
}

async function answers(url: string, accept: (status: number) => boolean): Promise<boolean> {
  try {
    return accept((await getEndpoint(url, '/healthz')).status);
  } catch {
    return false;
  }
}

/** A connection of its own each time: none stays open at the target. */
async function getEndpoint(
  url: string,
  endpoint: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<EndpointReply> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  http
    .get(`${url}${endpoint}`, { agent: false, headers, signal: AbortSignal.timeout(ENDPOINT_TIMEOUT_MS) })
    .on('response', resolve)
    .on('error', reject);
  const response = await promise;
  const given = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(given),
    body: await text(response),
  };
}
