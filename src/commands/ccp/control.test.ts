import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createTestHost, type TestHost } from '../shared/testing/test-host.ts';
import { main } from './main.ts';

interface Seen {
  readonly request: string;
  readonly authorization: string | undefined;
  readonly clientToken: IncomingMessage['headers'][string];
  readonly body: unknown;
}

let host: TestHost;
let server: Server;
let seen: Seen[];
let status: number;

beforeEach(async () => {
  host = createTestHost();
  seen = [];
  status = 200;
  server = createServer((request, response) => void answer(request, response));
  host.env['CCP_PORT'] = String(await listen(server));
  host.write('~/.local/state/ccp/default/control.token', 'c0ntrol\n');
});
afterEach(async () => {
  await close(server);
  host[Symbol.dispose]();
});

const OWN_FAULT = '{"type":"error","error":{"type":"api_error","message":"ccp: a fault inside the proxy"}}';

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  seen.push({
    request: `${request.method} ${request.url}`,
    authorization: request.headers.authorization,
    clientToken: request.headers['x-ccp-token'],
    body: JSON.parse((await text(request)) || 'null'),
  });
  response
    .writeHead(status)
    .end(status === 500 ? OWN_FAULT : '{"rotated_to":"/elsewhere/logs/usage.jsonl.1"}');
}

async function listen(one: Server): Promise<number> {
  await new Promise<void>((resolve) => void one.listen(0, '127.0.0.1', resolve));
  const address = one.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  return address.port;
}

async function close(one: Server): Promise<void> {
  one.closeAllConnections();
  await new Promise((resolve) => void one.close(resolve));
}

it('pauses and resumes the running proxy, with its control token', async () => {
  expect(await main(['offload', 'pause'], host)).toBe(0);
  expect(await main(['offload', 'resume', '--json'], host)).toBe(0);
  const call = { request: 'POST /v1/ccp/offload', authorization: 'Bearer c0ntrol', clientToken: undefined };
  expect(seen).toEqual([
    { ...call, body: { paused: true } },
    { ...call, body: { paused: false } },
  ]);
  expect(host.said().out).toBe('Paused: everything goes to Anthropic.\n{\n  "paused": false\n}\n');
});

it('rotates the log of the running proxy', async () => {
  expect(await main(['log', 'rotate'], host)).toBe(0);
  // Where the proxy has its logs, not where this shell would have them.
  expect(host.said().out).toBe('Rotated to /elsewhere/logs/usage.jsonl.1.\n');
  expect(seen).toMatchObject([{ request: 'POST /v1/ccp/log/rotate', authorization: 'Bearer c0ntrol' }]);
});

it('carries the client token where one is set, and takes the token of the profile', async () => {
  host.env['CCP_CLIENT_TOKEN'] = 'letmein';
  host.env['CCP_PROFILE'] = 'dev';
  host.write('~/.local/state/ccp/dev/control.token', 'dev-token');
  await main(['offload', 'pause'], host);
  expect(seen).toMatchObject([{ clientToken: 'letmein', authorization: 'Bearer dev-token' }]);
});

it('says that no proxy answers, with exit 3', async () => {
  await close(server);
  expect(await main(['offload', 'pause'], host)).toBe(3);
  expect(host.said().err).toContain('(ECONNREFUSED)');
});

it('says that no proxy of these settings ever ran, with exit 3', async () => {
  host.env['CCP_PROFILE'] = 'prod';
  expect(await main(['log', 'rotate'], host)).toBe(3);
  expect(host.said().err).toContain('control.token is not there');
  expect(seen).toEqual([]);
});

it('says that another program answers, with exit 3', async () => {
  status = 404;
  expect(await main(['offload', 'pause'], host)).toBe(3);
  expect(host.said()).toMatchObject({ out: '', err: expect.stringContaining('refused with 404') });
});

it('says that the proxy failed, where and how by its own words, with exit 3', async () => {
  status = 500;
  const url = `http://127.0.0.1:${host.env['CCP_PORT']}`;
  expect(await main(['quotas', 'reload'], host)).toBe(3);
  expect(host.said().err).toContain(
    `the proxy at ${url} failed at /v1/quotas/reload: a fault inside the proxy\n`,
  );
  expect(await main(['quota'], host)).toBe(3);
  expect(host.said().err).toContain(`the proxy at ${url} failed at /v1/quotas: a fault inside the proxy\n`);
});

it('lets doctor tell a proxy from another program on the port', async () => {
  expect(await main(['doctor'], host)).toBe(0);
  expect(host.said().out).toContain('a proxy serves at');
  status = 500;
  expect(await main(['doctor'], host)).toBe(1);
});
