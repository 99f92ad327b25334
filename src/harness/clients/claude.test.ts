import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Home, makeHome } from '../environment.ts';
import { createOutside } from '../outside.ts';
import { listen } from '../ports.ts';
import { runClaude } from './claude.ts';
import { findClaude } from './claude-binary.ts';

let folder: string;
let home: Home;
let opened = new AsyncDisposableStack();
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'claude-test-'));
  home = await makeHome(path.join(folder, 'home'));
});
afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
  await rm(folder, { recursive: true });
});

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** The least that Claude Code takes for Anthropic. */
async function startStub(answer: (response: http.ServerResponse) => void) {
  const seen: Seen[] = [];
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (bytes: Buffer) => {
      body += bytes.toString();
    });
    request.on('end', () => {
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      if (request.method === 'HEAD') response.end();
      else answer(response);
    });
  });
  const port = await listen(server);
  opened.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${port}`, seen };
}

const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: { input_tokens: 7, output_tokens: 1, cache_read_input_tokens: 3, cache_creation_input_tokens: 2 },
};
const EVENTS = [
  { type: 'message_start', message: MESSAGE },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'fine' } },
  { type: 'content_block_stop', index: 0 },
  {
    type: 'message_delta',
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: 5 },
  },
  { type: 'message_stop' },
];
function stream(response: http.ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(EVENTS.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''));
}

describe('finding Claude Code', () => {
  it('takes the binary of the platform package, which needs no install script', () => {
    expect(findClaude({ searchPath: '' })).toMatchObject({ found: true, from: 'package' });
  });

  it('takes one on the PATH where no package is installed, but never the launcher among the modules', async () => {
    const modules = path.join(folder, 'node_modules', '.bin');
    for (const place of [modules, path.join(folder, 'bin')]) {
      await mkdir(place, { recursive: true });
      await writeFile(path.join(place, 'claude'), '#!/bin/sh\n', { mode: 0o755 });
    }
    const from = path.join(folder, 'nowhere.js');
    const searchPath = [modules, path.join(folder, 'bin')].join(path.delimiter);
    expect(findClaude({ from, searchPath })).toEqual({
      found: true,
      from: 'path',
      path: path.join(folder, 'bin', 'claude'),
    });
  });

  it('says what is missing otherwise', () => {
    expect(findClaude({ from: path.join(folder, 'nowhere.js'), searchPath: folder })).toMatchObject({
      found: false,
      reason: expect.stringContaining('@anthropic-ai/claude-code-'),
    });
  });
});

it.each([
  ['a report of an error under exit code 0', '{"subtype":"success","is_error":true,"result":"x"}', 0],
  ['a good report under another exit code', '{"subtype":"success","is_error":false,"result":"x"}', 1],
  ['a report that is no JSON', 'ok', 0],
])('%s is not ok', async (_what, report, exitCode) => {
  const binary = path.join(folder, 'claude');
  await writeFile(binary, `#!/bin/sh\necho '${report}'\nexit ${exitCode}\n`, { mode: 0o755 });
  const credentials = { kind: 'key', key: 'made-up' } as const;
  const run = await runClaude({
    binary,
    url: '',
    model: 'm',
    prompt: 'p',
    home,
    credentials,
    timeoutMs: 5000,
  });
  expect(run).toMatchObject({ ok: false, exitCode });
});

const lookup = findClaude();
describe.skipIf(!lookup.found)('running Claude Code', () => {
  const binary = lookup.found ? lookup.path : '';

  it('sends the made-up key, and gives text, tokens and the line that repeats it', async () => {
    const stub = await startStub(stream);
    const run = await runClaude({
      binary,
      url: stub.url,
      model: 'haiku',
      prompt: "Say 'ok'",
      home,
      timeoutMs: 15_000,
      credentials: { kind: 'key', key: 'sk-ant-api03-made-up' },
    });
    expect(run).toMatchObject({
      ok: true,
      exitCode: 0,
      timedOut: false,
      text: 'fine',
      tokens: { input: 7, output: 5, cacheRead: 3, cacheWrite: 2 },
    });
    expect(stub.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'HEAD /',
      'POST /v1/messages?beta=true',
    ]);
    expect(stub.seen[1]?.headers['x-api-key']).toBe('sk-ant-api03-made-up');
    expect(run.reproduce).toBe(String.raw`claude -p --model haiku 'Say '\''ok'\''' --output-format json`);
  });

  it('sends a stored login as a bearer, and asks about it by way of the proxy that it is given', async () => {
    const outside = createOutside(path.join(folder, 'ca.pem'));
    opened.use(outside);
    // It ends with its answer, whatever else it has begun to ask.
    const stub = await startStub((response) => {
      void vi
        .waitUntil(() => outside.attempts()?.length === 1, { timeout: 10_000 })
        .then(() => stream(response));
    });
    const run = await runClaude({
      binary,
      url: stub.url,
      model: 'sonnet',
      prompt: 'Say ok',
      home,
      timeoutMs: 15_000,
      credentials: {
        kind: 'oauth',
        token: 'sk-ant-oat01-made-up',
        refreshToken: 'sk-ant-ort01-made-up',
        outside: await outside.access(),
      },
    });
    expect(run.ok).toBe(true);
    const message = stub.seen.find(({ method }) => method === 'POST');
    expect(message?.headers.authorization).toBe('Bearer sk-ant-oat01-made-up');
    expect(message?.headers['anthropic-beta']).toContain('oauth-2025-04-20');
    expect(message?.headers['x-api-key']).toBeUndefined();
    expect(outside.attempts()).toMatchObject([
      {
        host: 'api.anthropic.com',
        request: {
          method: 'GET',
          headers: expect.arrayContaining([['Authorization', 'Bearer sk-ant-oat01-made-up']]),
        },
      },
    ]);
  });

  it('is not ok on an API error, whose report calls itself a success', async () => {
    const stub = await startStub((response) => {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({ type: 'error', error: { type: 'invalid_request_error', message: 'no' } }),
      );
    });
    const run = await runClaude({
      binary,
      url: stub.url,
      model: 'haiku',
      prompt: 'Say ok',
      home,
      timeoutMs: 15_000,
      credentials: { kind: 'key', key: 'sk-ant-api03-made-up' },
    });
    expect(run).toMatchObject({ ok: false, exitCode: 1, report: { subtype: 'success', is_error: true } });
  });

  it('is killed when its time is up', async () => {
    const stub = await startStub(() => {});
    const run = await runClaude({
      binary,
      url: stub.url,
      model: 'haiku',
      prompt: 'Say ok',
      home,
      timeoutMs: 1200,
      credentials: { kind: 'key', key: 'sk-ant-api03-made-up' },
    });
    expect(run).toMatchObject({ ok: false, timedOut: true });
  });
});
