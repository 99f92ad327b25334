import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CODES, type IssuerWorld, startIssuer } from '../testing/issuer-world.ts';

let world: IssuerWorld;
beforeEach(async () => {
  world = await startIssuer();
});
afterEach(() => world[Symbol.asyncDispose]());

/** Over node:http, which lets a request name any host. */
async function asHost(headers: Record<string, string>, path = '/healthz', method = 'GET'): Promise<number> {
  const sending = request({ host: '127.0.0.1', port: world.port, method, path, headers, agent: false }).end();
  const [response] = await once(sending, 'response');
  response.resume();
  return response.statusCode;
}

/** Sends bytes as they are; gives what came back until the connection ended. */
async function raw(bytes: string): Promise<string> {
  const socket = connect(world.port, '127.0.0.1');
  socket.end(bytes);
  return text(socket);
}

describe('who may speak', () => {
  it.each([
    ['a name that was made to point here', { host: 'evil.example' }, 403],
    ['the same with our port', { host: 'evil.example:8787' }, 403],
    ['a name that begins like ours', { host: '127.0.0.1.evil.example' }, 403],
    ['a loopback name', { host: 'localhost:8787' }, 200],
    ['a page of another site', { host: '127.0.0.1', origin: 'https://evil.example' }, 403],
    ['a page of another port', { host: '127.0.0.1:8787', origin: 'http://127.0.0.1:9999' }, 403],
    ['a page that hides where it is from', { host: '127.0.0.1', origin: 'null' }, 403],
    [
      'a cross-site fetch',
      { host: '127.0.0.1', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' },
      403,
    ],
    [
      'a frame',
      {
        host: '127.0.0.1',
        'sec-fetch-site': 'cross-site',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'iframe',
      },
      403,
    ],
    [
      'a link that is followed',
      {
        host: '127.0.0.1',
        'sec-fetch-site': 'cross-site',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
      },
      200,
    ],
    ['an address typed by hand', { host: '127.0.0.1', 'sec-fetch-site': 'none' }, 200],
  ])('%s', async (_name, headers, status) => {
    expect(await asHost(headers)).toBe(status);
  });

  it('a form of another site is no link', async () => {
    const headers = {
      host: '127.0.0.1',
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    expect(await asHost(headers, '/device', 'POST')).toBe(403);
  });
});

describe('behind a proxy with TLS', () => {
  beforeEach(async () => {
    await world[Symbol.asyncDispose]();
    world = await startIssuer({ publicUrl: new URL('https://licences.example') });
  });

  it('answers to its public name and its public origin, and to no other', async () => {
    const host = 'licences.example';
    expect(await asHost({ host, origin: `https://${host}` })).toBe(200);
    expect(await asHost({ host, origin: `http://${host}` })).toBe(403);
    expect(await asHost({ host: 'evil.example' })).toBe(403);
  });

  it('sends people there, with a cookie for that host over TLS alone', async () => {
    const headers = { host: 'licences.example' };
    const sending = request({
      host: '127.0.0.1',
      port: world.port,
      path: '/device',
      headers,
      agent: false,
    }).end();
    const [response] = await once(sending, 'response');
    response.resume();
    expect(response.headers['set-cookie']).toEqual([expect.stringMatching(/^__Host-ccp-form=.*; Secure$/)]);
    expect(response.headers['strict-transport-security']).toMatch(/^max-age=\d+$/);
  });

  it('counts wrong guesses by the address that the proxy saw, not by what a client claims', async () => {
    const guess = (forwarded: string) =>
      world.post('/v1/license/issue', { invite_code: 'NO-SUCH-INVITE' }, { 'x-forwarded-for': forwarded });
    for (let n = 0; n < 10; n += 1) expect((await guess(`198.51.100.${n}, 203.0.113.7`)).status).toBe(403);
    expect((await guess('198.51.100.99, 203.0.113.7')).status).toBe(429);
    expect((await guess('203.0.113.8')).status).toBe(403);
  });
});

it('does not believe x-forwarded-for where no proxy is in front', async () => {
  const guess = (n: number) =>
    world.post(
      '/v1/license/issue',
      { invite_code: 'NO-SUCH-INVITE' },
      { 'x-forwarded-for': `198.51.100.${n}` },
    );
  for (let n = 0; n < 10; n += 1) await guess(n);
  expect((await guess(11)).status).toBe(429);
});

describe('what is not understood', () => {
  it.each([
    ['a path that is none', 'GET', '/nothing', 404, 'not_found'],
    ['another method', 'DELETE', '/device', 405, 'method_not_allowed'],
  ])('%s', async (_name, method, path, status, error) => {
    const response = await fetch(`${world.url}${path}`, { method });
    expect([response.status, await response.json()]).toEqual([
      status,
      { error, error_description: expect.any(String) },
    ]);
  });

  it('names the methods that a path has', async () => {
    expect((await world.get('/v1/token')).headers.get('allow')).toBe('POST');
  });

  it.each([
    ['no JSON', '{', 'application/json', 400],
    ['JSON that is no object', '[]', 'application/json', 400],
    ['null', 'null', 'application/json', 400],
    ['another type', 'invite_code=x', 'text/plain', 415],
    ['a body over 64 KiB', JSON.stringify({ invite_code: 'X'.repeat(70_000) }), 'application/json', 413],
  ])('a body with %s', async (_name, body, type, status) => {
    const response = await fetch(`${world.url}/v1/license/issue`, {
      method: 'POST',
      body,
      headers: { 'content-type': type },
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: expect.any(String) });
  });

  it('a body over 64 KiB that does not say so', async () => {
    const body = ReadableStream.from(Array.from({ length: 20 }, () => Buffer.alloc(8_192, ' ')));
    const response = await fetch(`${world.url}/v1/license/issue`, {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'content-type': 'application/json' },
    });
    expect(response.status).toBe(413);
  });

  it.each([
    ['no HTTP', 'hello\r\n\r\n', '400'],
    ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n', '403'],
    [
      'a target in absolute form',
      'GET http://evil.example/device HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n',
      '400',
    ],
    ['a flood of headers', `GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, '431'],
  ])('%s', async (_name, bytes, status) => {
    expect(await raw(bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('of whatever shape, gets an answer that is no fault of ours', async () => {
    const code = fc.constantFrom(CODES.open, CODES.old, 'x', '\ud800', '"><');
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      code,
      fc.constant('\ud800@\udfff'),
      fc.constant('ccp'),
    );
    const names = [
      'invite_code',
      'email',
      'client_id',
      'grant_type',
      'device_code',
      'code',
      'user_code',
      'csrf',
      'state',
    ];
    const fields = fc.dictionary(fc.constantFrom(...names), fc.oneof(value, fc.jsonValue()), {
      noNullPrototype: true,
    });
    const forms = fc.dictionary(fc.constantFrom(...names), value, { noNullPrototype: true });
    const claim = fc.record({ invite_code: fc.constant(CODES.open), email: value });
    const body = fc.oneof(
      claim.map((given) => JSON.stringify(given)),
      fields.map((given) => JSON.stringify(given)),
      forms.map((given) => new URLSearchParams(given).toString()),
      fc.string(),
    );
    const path = fc.constantFrom(
      '/v1/license/issue',
      '/v1/device/code',
      '/v1/device/token',
      '/v1/token',
      '/device',
      '/authorize',
    );
    const type = fc.constantFrom('application/json', 'application/x-www-form-urlencoded');
    await fc.assert(
      fc.asyncProperty(path, type, body, async (where, contentType, sent) => {
        world.pass(120_000);
        const response = await fetch(`${world.url}${where}`, {
          method: 'POST',
          body: sent,
          headers: { 'content-type': contentType },
          redirect: 'manual',
        });
        await response.arrayBuffer();
        expect(response.status).toBeLessThan(500);
      }),
      { numRuns: 300 },
    );
    expect(world.said).toEqual([]);
  });

  it('leaves the issuer unharmed', async () => {
    for (const bytes of [
      'POST /v1/token HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 10\r\n\r\nab',
      '\0\0\0',
      'GET //// HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n',
    ])
      await raw(bytes);
    expect((await world.post('/v1/license/issue', { invite_code: CODES.open })).status).toBe(200);
  });
});

it('says nothing of a client that breaks off: that is nobody’s fault', async () => {
  const socket = connect(world.port, '127.0.0.1');
  const head = 'POST /v1/token HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 10\r\n\r\nab';
  await new Promise((resolve) => void socket.write(head, resolve));
  // It was read once another request got its answer.
  await world.get('/healthz');
  socket.resetAndDestroy();
  // And its end was noticed once others got theirs.
  for (let n = 0; n < 5; n += 1) await world.get('/healthz');
  expect(world.said).toEqual([]);
});

it('answers HEAD without a body', async () => {
  const response = await fetch(`${world.url}/device`, { method: 'HEAD' });
  expect([response.status, await response.text()]).toEqual([200, '']);
});

it('gives one visitor 120 requests a minute', async () => {
  const replies = await Promise.all(Array.from({ length: 130 }, () => world.get('/v1/keys')));
  expect(replies.filter(({ status }) => status === 429)).toHaveLength(10);
  world.pass(1_000);
  expect((await world.get('/v1/keys')).status).toBe(200);
});

it('answers 500 without details where the disk does not take what must be kept, and says why in its log', async () => {
  const { rmSync, writeFileSync } = await import('node:fs');
  rmSync(world.stateDir, { recursive: true });
  writeFileSync(world.stateDir, '');
  const reply = await world.post('/v1/license/issue', { invite_code: CODES.open });
  expect([reply.status, reply.json['error']]).toEqual([500, 'server_error']);
  expect(reply.text).not.toContain(world.stateDir);
  expect(world.said.join()).toContain('ENOTDIR');
});
