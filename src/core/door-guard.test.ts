/** Whom the door lets in, and what it says to the others. */
import { describe, expect, it } from 'vitest';
import { connectClient } from './testing/raw-client.ts';
import { SONNET_REQUEST } from './testing/requests.ts';
import { JSON_TYPE, MESSAGE, startTwoLanes, type TwoLanes } from './testing/two-lanes.ts';
import { CONTROL_TOKEN, startWorld, type WorldOptions } from './testing/world.ts';

const BODY = '{"model":"claude-haiku-4-5"}';

interface Door extends TwoLanes {
  /** Calls that reached an endpoint of our own. */
  readonly handled: string[];
}

/** Both lanes, and two endpoints of our own. */
async function startDoor(options: WorldOptions['gateway'] = {}): Promise<Door> {
  const handled: string[] = [];
  const endpoint = (method: 'GET' | 'POST', path: string) => ({
    method,
    path,
    handle: () => {
      handled.push(path);
      return { status: 200, contentType: 'application/json', body: '{}' };
    },
  });
  const world = await startTwoLanes(
    (call) => call.answer('200 OK', [JSON_TYPE], MESSAGE),
    (call) => call.answer('200 OK', [JSON_TYPE], MESSAGE),
    {
      gateway: { endpoints: [endpoint('GET', '/healthz'), endpoint('POST', '/v1/ccp/offload')], ...options },
    },
  );
  return { ...world, handled };
}

interface Said {
  readonly status: string;
  readonly body: string;
}

/** Sends one request with exactly these header lines. */
async function send(world: Door, start: string, lines: readonly string[]): Promise<Said> {
  await using client = await connectClient(world.port);
  const body = start.startsWith('POST') ? BODY : '';
  const framing = body === '' ? [] : [`content-length: ${body.length}`];
  client.send([`${start} HTTP/1.1`, ...lines, ...framing, '', body].join('\r\n'));
  const answer = await client.answer();
  return { status: answer.startLine.slice('HTTP/1.1 '.length), body: answer.body().toString() };
}

const errorOf = ({ body }: Said): unknown => JSON.parse(body);

const EVERYWHERE = [
  'POST /v1/messages?beta=true',
  'POST /v1/messages/count_tokens',
  'GET /v1/models',
  'POST /anything',
  'GET /healthz',
  'POST /v1/ccp/offload',
];
const HOST = 'host: 127.0.0.1:8082';
const BEARER = `authorization: Bearer ${CONTROL_TOKEN}`;

describe('a request that a web page can make', () => {
  it.each([
    ['a foreign origin', [HOST, 'origin: https://evil.test']],
    [
      'a foreign origin and text/plain, which needs no preflight',
      [HOST, 'origin: https://evil.test', 'content-type: text/plain'],
    ],
    ['an opaque origin', [HOST, 'origin: null']],
    ['an origin on another port', [HOST, 'origin: http://127.0.0.1:3000']],
    ['a cross-site fetch', [HOST, 'sec-fetch-site: cross-site']],
    ['a fetch from another port', [HOST, 'sec-fetch-site: same-site']],
    [
      'two sites, the first of which is harmless',
      [HOST, 'sec-fetch-site: none', 'sec-fetch-site: cross-site'],
    ],
    ['a name that was made to point here', ['host: evil.test:8082']],
    ['a name that only starts like ours', ['host: 127.0.0.1.evil.test']],
    ['a name that only ends like ours', ['host: evil.localhost']],
    ['no host', []],
    ['an empty host', ['host:']],
  ])('with %s reaches neither an upstream nor an endpoint of ours', async (_, lines) => {
    await using world = await startDoor();
    for (const start of EVERYWHERE) {
      const said = await send(world, start, [...lines, BEARER]);
      expect([start, said.status]).toEqual([start, '403 Forbidden']);
      expect(errorOf(said)).toMatchObject({
        type: 'error',
        error: { type: 'permission_error', message: expect.stringContaining('ccp: ') },
      });
    }
    await world.completion(EVERYWHERE.length);
    expect(
      world.completions.map(({ reason, status, attempts }) => [reason, status, attempts.length]),
    ).toEqual(EVERYWHERE.map(() => ['blocked', 403, 0]));
    expect([world.zai.calls.length, world.anth.calls.length, world.handled]).toEqual([0, 0, []]);
  });

  it('from our own address passes, and gets no permission for others', async () => {
    await using world = await startDoor();
    for (const lines of [
      [HOST, 'origin: http://127.0.0.1:8082', 'sec-fetch-site: same-origin'],
      ['host: localhost:8082', 'origin: http://LOCALHOST:8082'],
      ['host: [::1]:8082'],
      ['host: 127.9.9.9'],
    ]) {
      expect(await send(world, 'GET /v1/models', lines)).toEqual({ status: '200 OK', body: MESSAGE });
    }
    await using client = await connectClient(world.port);
    client.send(`GET /healthz HTTP/1.1\r\n${HOST}\r\n\r\n`);
    const { headers } = await client.answer();
    expect(headers.filter((name) => /^access-control/i.test(name))).toEqual([]);
  });
});

describe('an endpoint of our own', () => {
  it.each([
    ['nothing', []],
    ['another word', ['authorization: Bearer guess']],
    ['the bare token', [`authorization: ${CONTROL_TOKEN}`]],
    ['it in another header', [`x-api-key: ${CONTROL_TOKEN}`]],
  ])('that changes something wants the control token, and is shown %s', async (_, lines) => {
    await using world = await startDoor();
    const said = await send(world, 'POST /v1/ccp/offload', [HOST, ...lines]);
    expect(said.status).toBe('401 Unauthorized');
    expect(errorOf(said)).toMatchObject({ type: 'error', error: { type: 'authentication_error' } });
    expect(said.body).not.toContain(CONTROL_TOKEN);
    expect(world.handled).toEqual([]);
  });

  it('takes what bears the token, and is never relayed by a wrong method or path', async () => {
    await using world = await startDoor();
    expect((await send(world, 'POST /v1/ccp/offload', [HOST, BEARER])).status).toBe('200 OK');
    expect((await send(world, 'GET /v1/ccp/offload', [HOST, BEARER])).status).toBe('405 Method Not Allowed');
    expect((await send(world, 'POST /v1/ccp/unknown', [HOST, BEARER])).status).toBe('404 Not Found');
    expect((await send(world, 'POST /healthz', [HOST, BEARER])).status).toBe('405 Method Not Allowed');
    expect([world.anth.calls.length, world.handled]).toEqual([0, ['/v1/ccp/offload']]);
  });
});

describe('a path of nothing that there is', () => {
  const ENDPOINTS = [
    { method: 'GET', path: '/healthz' },
    { method: 'GET', path: '/v1/usage' },
    { method: 'GET', path: '/v1/usage/samples' },
    { method: 'POST', path: '/v1/dev/sim-usage' },
  ] as const;
  const handle = () => ({ status: 200, contentType: 'application/json', body: '{}' });
  const start = () => startDoor({ endpoints: ENDPOINTS.map((endpoint) => ({ ...endpoint, handle })) });

  it.each([
    ['GET /v1/usage/foo', 'GET /v1/usage, GET /v1/usage/samples'],
    ['POST /v1/usage/samples/', 'GET /v1/usage, GET /v1/usage/samples'],
    ['GET /v1/usage/?since=-1h', 'GET /v1/usage, GET /v1/usage/samples'],
    ['GET /v1/dev', 'POST /v1/dev/sim-usage'],
    ['GET /healthz/x', 'GET /healthz'],
  ])('beneath a root of ours is answered here with what there is: %s', async (line, there) => {
    await using world = await start();
    const said = await send(world, line, [HOST, 'x-api-key: of-the-client']);
    const [method = '', path = ''] = line.replace(/\?.*/, '').split(' ');
    expect(said.status).toBe('404 Not Found');
    expect(errorOf(said)).toEqual({
      type: 'error',
      error: { type: 'not_found_error', message: `ccp: no ${method} ${path} here, but ${there}` },
    });
    expect([world.anth.calls.length, world.zai.calls.length]).toEqual([0, 0]);
  });

  it.each([
    'GET /v1/usages',
    'GET /v1/models',
    'GET /v1',
    'GET /v1/',
    'GET /',
    'GET /usage',
    'GET /healthzz',
  ])('that only looks like ours is relayed: %s', async (line) => {
    await using world = await start();
    expect((await send(world, line, [HOST])).status).toBe('200 OK');
    expect(world.anth.calls.length).toBe(1);
  });

  it.each([
    ['DELETE /v1/usage', 'GET, HEAD'],
    ['GET /v1/dev/sim-usage', 'POST'],
  ])(
    'with another method is told which are allowed (RFC 9110, section 15.5.6): %s',
    async (line, allowed) => {
      await using world = await start();
      await using client = await connectClient(world.port);
      client.send(`${line} HTTP/1.1\r\n${HOST}\r\n\r\n`);
      const { startLine, headers } = await client.answer();
      expect(startLine).toBe('HTTP/1.1 405 Method Not Allowed');
      expect(headers[headers.indexOf('allow') + 1]).toBe(allowed);
    },
  );
});

describe('a door with a client token', () => {
  const withToken = () => startDoor({ clientToken: 'let-me-in' });

  it('opens to nobody without it, from whatever address', async () => {
    await using world = await withToken();
    for (const start of EVERYWHERE) {
      for (const lines of [[HOST], [HOST, 'x-ccp-token: let-me-i'], [HOST, 'x-ccp-token: let-me-in2']]) {
        expect((await send(world, start, [...lines, BEARER])).status).toBe('403 Forbidden');
      }
    }
    expect([world.zai.calls.length, world.anth.calls.length, world.handled]).toEqual([0, 0, []]);
  });

  it('opens to whoever has it, under any name, and keeps it to itself', async () => {
    await using world = await withToken();
    const lines = ['host: proxy.example', 'X-Ccp-Token: let-me-in'];
    expect((await send(world, 'POST /v1/messages', lines)).status).toBe('200 OK');
    expect((await send(world, 'GET /v1/models', lines)).status).toBe('200 OK');
    const seen = [...world.zai.calls, ...world.anth.calls].flatMap(({ request }) => request.headers);
    expect(seen.join()).not.toMatch(/let-me-in|x-ccp-token|proxy\.example/i);
  });

  it('still refuses a web page that has it', async () => {
    await using world = await withToken();
    const lines = [HOST, 'x-ccp-token: let-me-in', 'origin: https://evil.test'];
    expect((await send(world, 'POST /v1/messages', lines)).status).toBe('403 Forbidden');
  });
});

it('does not go round in circles where an upstream turns out to be this very door', async () => {
  let port = 0;
  await using world = await startWorld({
    anth: 'http://127.0.0.1:1',
    router: () => ({
      provider: {
        id: 'loop',
        lane: 'loop',
        origin: `http://localhost:${port}`,
        basePath: '',
        auth: { kind: 'client' },
        dropHeaders: [],
        rewriteModel: new Map(),
        h2: true,
        feature: null,
        fallback: [],
      },
      decision: 'to_loop',
      alternatives: [],
    }),
  });
  ({ port } = world);
  await using client = await connectClient(port);
  client.send(SONNET_REQUEST);
  const answer = await client.answer();
  expect([answer.startLine, answer.body().toString()]).toEqual([
    'HTTP/1.1 502 Bad Gateway',
    expect.stringContaining('is our own listener'),
  ]);
  expect(await world.completion()).toMatchObject({ err_type: 'net' });
  expect(world.completions).toHaveLength(1);
});
