/** Starts and ends the processes of the benchmark. Whatever is started here is ended here, by its own id. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Contestant } from './contestants.ts';
import type { LoadCommand, LoadReply, LoadResult } from './load-protocol.ts';

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 5_000;

const living = new Set<ChildProcess>();
const folders = new Set<string>();

/** For whatever ends the benchmark early: nothing that it started outlives it. */
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
  for (const folder of folders) discard(folder);
});

/** A contestant that listens. `pid` is null for the way without a proxy. */
export interface Running {
  readonly contestant: Contestant;
  readonly port: number;
  readonly pid: number | null;
  readonly headers: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Starts a contestant in a folder of its own and waits until it accepts connections. Throws if it does not. */
export async function startContestant(contestant: Contestant, upstreamPort: number): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  folders.add(folder);
  const place = { port: await freePort(), upstreamPort, folder };
  const headers = contestant.headers?.(place) ?? {};
  const launch = contestant.launch(place);
  if (launch === null) {
    discard(folder);
    return { contestant, port: upstreamPort, pid: null, headers, stop: async () => {} };
  }
  const child = track(
    spawn(launch.file, launch.args, {
      cwd: folder,
      env: { PATH: process.env['PATH'], ...launch.env },
      stdio: ['ignore', 'ignore', 'pipe'],
    }),
  );
  let said = '';
  child.stderr?.on('data', (piece: Buffer) => {
    said = (said + piece.toString()).slice(-2000);
  });
  await listening(place.port, child).catch((error: Error) => {
    child.kill('SIGKILL');
    throw new Error(`${contestant.name}: ${error.message}\n${said}`);
  });
  return {
    contestant,
    port: place.port,
    pid: child.pid ?? null,
    headers,
    async stop() {
      await end(child);
      discard(folder);
    },
  };
}

export interface Upstream {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startUpstream(): Promise<Upstream> {
  const child = forkModule('./upstream.ts');
  const { port } = await nextMessage<{ port: number }>(child, START_TIMEOUT_MS);
  return { port, stop: () => end(child) };
}

export interface Load {
  /** Tells the load process what to do; rejects with what it found wrong, or after `timeoutMs`. */
  tell(command: LoadCommand, timeoutMs: number): Promise<LoadResult | undefined>;
  stop(): Promise<void>;
}

export function startLoad(): Load {
  const child = forkModule('./load.ts');
  return {
    async tell(command, timeoutMs) {
      child.send(command);
      const reply = await nextMessage<LoadReply>(child, timeoutMs);
      if (!reply.ok) throw new Error(reply.message);
      return reply.result;
    },
    stop: () => end(child),
  };
}

/** The next message of a process of ours, which says what type it has. Rejects when it ends or is late. */
function nextMessage<T>(child: ChildProcess, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (): void =>
      reject(new Error(`no word from ${child.spawnargs.at(-1)} within ${timeoutMs} ms`));
    const late = setTimeout(fail, timeoutMs);
    child.once('exit', fail);
    child.once('message', (message: T) => {
      clearTimeout(late);
      child.off('exit', fail);
      resolve(message);
    });
  });
}

const forkModule = (name: string): ChildProcess => track(fork(fileURLToPath(new URL(name, import.meta.url))));

function track(child: ChildProcess): ChildProcess {
  living.add(child);
  child.once('exit', () => living.delete(child));
  return child;
}

function discard(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(late);
}

/** Below those that Linux gives of itself, so that no other program is given it before the contestant listens. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** The port that a listening server was given. */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('the server does not listen on a port');
  return address.port;
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode} before it listened`);
    if (await accepts(port)) return;
    await sleep(50);
  }
  throw new Error(`does not listen after ${START_TIMEOUT_MS} ms`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
