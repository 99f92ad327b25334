import { gzipSync } from 'node:zlib';
import { EnvHttpProxyAgent, request } from 'undici';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Elsewhere, startElsewhere } from './elsewhere.ts';

let elsewhere: Elsewhere;
beforeAll(async () => {
  elsewhere = await startElsewhere();
});
afterAll(() => elsewhere[Symbol.asyncDispose]());

async function visit(url: string, trusted: boolean): Promise<number> {
  await using dispatcher = proxyAgent(trusted);
  const { statusCode, body } = await request(url, { dispatcher });
  await body.dump();
  return statusCode;
}

function proxyAgent(trusted: boolean): EnvHttpProxyAgent & AsyncDisposable {
  const agent = new EnvHttpProxyAgent({
    httpProxy: elsewhere.url,
    httpsProxy: elsewhere.url,
    noProxy: '',
    ...(trusted && { requestTls: { ca: elsewhere.certPem } }),
  });
  return Object.assign(agent, { [Symbol.asyncDispose]: () => agent.destroy() });
}

test('a client that trusts it gets 403 for any host, and the request is on record', async () => {
  expect(await visit('https://telemetry.example.test/v1/log?x=1', true)).toBe(403);
  await expect
    .poll(() => elsewhere.attempts().at(-1))
    .toEqual({
      host: 'telemetry.example.test',
      request: {
        method: 'GET',
        url: 'https://telemetry.example.test/v1/log?x=1',
        headers: expect.arrayContaining([[':authority', 'telemetry.example.test']]),
        body: '',
      },
    });
});

test('what a client sends is on record without its content coding', async () => {
  await using dispatcher = proxyAgent(true);
  const sent = {
    method: 'POST',
    headers: { 'content-encoding': 'gzip' },
    body: gzipSync('a secret'),
  } as const;
  await (await request('https://telemetry.example.test/', { dispatcher, ...sent })).body.dump();
  await expect.poll(() => elsewhere.attempts().at(-1)?.request?.body).toBe('a secret');
});

test('a client that does not trust it gets nothing, and the host is on record', async () => {
  await expect(visit('https://api.anthropic.com/v1/messages', false)).rejects.toThrow();
  await vi.waitUntil(() => elsewhere.attempts().some(({ host }) => host === 'api.anthropic.com'));
  expect(elsewhere.attempts().at(-1)).toEqual({ host: 'api.anthropic.com' });
});
