/** The proxy as a process of its own, and an upstream for it: what a test of `ccp serve` is made of. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** What starts the program. */
export const CCP = fileURLToPath(new URL('../../../../bin/ccp.js', import.meta.url));
const PATIENCE_MS = 15_000;

export interface ServedOptions {
  readonly cwd: string;
  readonly home: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

/** `ccp serve` under way, or ended. */
export interface Served extends AsyncDisposable {
  /** Where it listens. */
  readonly url: string;
  stderr(): string;
  signal(name: NodeJS.Signals): void;
  /** Its exit code; null where a signal ended it. */
  readonly exited: Promise<number | null>;
}

interface Started {
  readonly child: ChildProcess;
  readonly stderr: () => string;
  readonly exited: Promise<number | null>;
}

/** Starts it on a free port with an environment of its own; resolves when it listens. */
export async function startServed(options: ServedOptions): Promise<Served> {
  const { child, stderr, exited } = start(options, ['--port', '0']);
  const url = await until('the proxy listens', () => {
    if (child.exitCode !== null) throw new Error(`the proxy ended with ${child.exitCode}: ${stderr()}`);
    return /listening on (http:\S+),/.exec(stderr())?.[1];
  });
  return {
    url,
    stderr,
    signal: (name) => void child.kill(name),
    exited,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Starts one that is expected to refuse: its exit code and what it said. */
export async function serveInVain(
  options: ServedOptions,
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const { exited, stderr } = start(options, []);
  return { code: await exited, stderr: stderr() };
}

/** Starts one and waits for nothing. */
export function start({ cwd, home, env, args = [] }: ServedOptions, more: readonly string[]): Started {
  const child = spawn(process.execPath, [CCP, 'serve', ...more, ...args], {
    cwd,
    env: { HOME: home, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    said += piece;
  });
  return { child, stderr: () => said, exited: new Promise((resolve) => void child.once('close', resolve)) };
}

export interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpUpstream extends AsyncDisposable {
  readonly url: string;
  /** What clients asked for: not the question whether it is there, which a scrape or `/readyz` makes the proxy put. */
  readonly seen: SeenRequest[];
}

/** An upstream over plain HTTP that answers as `answer` does; by default with a small message. */
export async function startHttpUpstream(
  answer: (response: ServerResponse, request: SeenRequest) => void = sayHello,
): Promise<HttpUpstream> {
  const seen: SeenRequest[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const one = { path: request.url ?? '', headers: request.headers, body: await text(request) };
    if (!isProbe(request)) seen.push(one);
    answer(response, one);
  };
  // A client that is killed in the midst of its request gets no answer.
  const server = createServer((request, response) => void take(request, response).catch(() => {}));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP');
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

const isProbe = ({ method, url, headers }: IncomingMessage): boolean =>
  method === 'GET' && url?.endsWith('/v1/messages') === true && headers['x-api-key'] === undefined;

function sayHello(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end('{"type":"message","usage":{"input_tokens":1,"output_tokens":2}}');
}

/** Posts a message for a model; gives the status once the whole answer is there. */
export async function ask(url: string, model: string): Promise<number> {
  const answer = await fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': 'made-up-client-key', 'content-type': 'application/json' },
    body: JSON.stringify({ model, max_tokens: 1, messages: [] }),
  });
  await answer.text();
  return answer.status;
}

/** Waits until the usage log has `count` completions, a moment after the answers; gives them. */
export function completions(cwd: string, count: number): Promise<Record<string, unknown>[]> {
  return until(`the log has ${count} completions`, () => {
    const found = usageLines(cwd).filter(({ event }) => event === 'completion');
    return found.length >= count && found;
  });
}

/** The whole lines of the usage log, read as JSON. */
export function usageLines(cwd: string): Record<string, unknown>[] {
  const lines = readFileSync(join(cwd, 'logs/usage.jsonl'), 'utf8').split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line));
}

/** Polls until `look` gives something; what it throws ends the waiting. */
export async function until<T>(what: string, look: () => T | undefined | false | null): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false && found !== null) return found;
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(10);
  }
}
