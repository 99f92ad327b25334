/** What is no proper request gets a proper answer and a record, and harms nobody else. */
import { describe, expect, it } from 'vitest';
import { connectClient } from './testing/raw-client.ts';
import { messagesRequest, SONNET_STREAM_REQUEST } from './testing/requests.ts';
import { EVENT_STREAM, START, WHOLE_STREAM } from './testing/streams.ts';
import { answerMessage, ask, fails, startTwoLanes } from './testing/two-lanes.ts';
import { until } from './testing/wait.ts';
import { startWorldOver, type World } from './testing/world.ts';

const HOST = 'host: 127.0.0.1';
const POST = `POST /v1/messages HTTP/1.1\r\n${HOST}\r\n`;

/** A world in which another client's stream is under way, which `unharmed` brings to its end. */
async function startWithBystander(): Promise<World & { unharmed(): Promise<void> }> {
  const stack = new AsyncDisposableStack();
  const world = stack.use(
    await startWorldOver((call) => {
      call.open('200 OK', [EVENT_STREAM]);
      call.chunk(START);
    }),
  );
  const bystander = stack.use(await connectClient(world.port));
  bystander.send(SONNET_STREAM_REQUEST);
  await bystander.head();
  const { calls } = world;
  return {
    ...world,
    async unharmed() {
      calls[0]?.chunk(WHOLE_STREAM.slice(START.length));
      calls[0]?.endChunks();
      expect((await bystander.answer()).body().toString()).toBe(WHOLE_STREAM);
      const own = await until(() => world.completions.find(({ op }) => op === 'stream'), 'its record');
      expect(own).toMatchObject({ reason: 'ok', sse: { finished: true } });
      expect(calls).toHaveLength(1);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe('bytes that are no request', () => {
  it.each([
    ['text', 'Guten Tag\r\n\r\n', 400],
    ['a TLS greeting', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['the greeting of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['a version from the future', 'GET / HTTP/9.9\r\n\r\n', 400],
    ['a target with a space', 'GET /a b HTTP/1.1\r\n\r\n', 400],
    ['a header without a colon', `${POST}nonsense\r\n\r\n`, 400],
    ['a header with NUL', `${POST}x: a\0b\r\n\r\n`, 400],
    ['one header of 70,000 bytes', `${POST}x: ${'a'.repeat(70_000)}\r\n\r\n`, 431],
    ['9,000 headers', `${POST}${'x-header: abcdef\r\n'.repeat(9_000)}\r\n`, 431],
    ['both framings', `${POST}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    [
      'both framings in the other order',
      `${POST}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['two lengths', `${POST}content-length: 5\r\ncontent-length: 6\r\n\r\nhello!`, 400],
    ['a length that is no number', `${POST}content-length: 5x\r\n\r\nhello`, 400],
    ['a negative length', `${POST}content-length: -1\r\n\r\n`, 400],
    ['a coding after chunked', `${POST}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`, 400],
  ])('(%s) get an error in the shape of Anthropic and an anomaly', async (_, bytes, status) => {
    await using world = await startWithBystander();
    await using client = await connectClient(world.port);
    client.send(Buffer.from(bytes, 'latin1'));
    const answer = await client.answer();
    expect(answer.startLine).toContain(`HTTP/1.1 ${status} `);
    expect(JSON.parse(answer.body().toString())).toMatchObject({
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message: expect.stringMatching(/^ccp: (malformed HTTP|more than)/),
      },
    });
    expect(await client.closed()).toBe('ended');
    expect(await until(() => world.anomalies[0], 'the anomaly')).toMatchObject({
      kind: 'protocol_violation',
      detail: expect.stringContaining('from a client: '),
    });
    await world.unharmed();
  });
});

describe('a request that cannot be relayed', () => {
  it.each([
    ['a whole URL as target', `GET http://127.0.0.1:8082/v1/models HTTP/1.1\r\n${HOST}\r\n\r\n`, 400],
    ['a whole URL of somebody else', `GET http://evil.test/ HTTP/1.1\r\n${HOST}\r\n\r\n`, 400],
    [
      'a whole URL of an endpoint of ours',
      `POST http://127.0.0.1/v1/ccp/offload HTTP/1.1\r\n${HOST}\r\ncontent-length: 0\r\n\r\n`,
      400,
    ],
    ['the whole server as target', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n\r\n`, 400],
    ['CONNECT', `CONNECT api.anthropic.com:443 HTTP/1.1\r\n${HOST}\r\n\r\n`, 400],
    [
      'CONNECT as a proxy’s client says it',
      'CONNECT evil.test:443 HTTP/1.1\r\nhost: evil.test:443\r\n\r\n',
      403,
    ],
    ['no host', 'GET /v1/models HTTP/1.1\r\n\r\n', 403],
    ['a bad chunk in its body', `${POST}transfer-encoding: chunked\r\n\r\n3\r\n{"a\r\nxyz\r\n`, 400],
    ['a chunk longer than it says', `${POST}transfer-encoding: chunked\r\n\r\n3\r\n{"abc\r\n`, 400],
    [
      'a bad chunk in a body that streams',
      `POST /v1/files HTTP/1.1\r\n${HOST}\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n`,
      400,
    ],
  ])('(%s) gets an error in the shape of Anthropic and a record', async (_, bytes, status) => {
    await using world = await startWithBystander();
    await using client = await connectClient(world.port);
    client.send(bytes);
    const answer = await client.answer();
    expect(answer.startLine).toContain(`HTTP/1.1 ${status} `);
    expect(JSON.parse(answer.body().toString())).toMatchObject({
      type: 'error',
      error: { type: status === 400 ? 'invalid_request_error' : 'permission_error' },
    });
    const record = await until(() => world.completions.find(({ op }) => op !== 'stream'), 'its record');
    expect(record).toMatchObject({ reason: 'blocked', status });
    if (status === 400) expect(record.err_type).toBe('protocol');
    await world.unharmed();
  });

  it('(its body cut short) is told so, while the client still listens', async () => {
    await using world = await startWithBystander();
    await using client = await connectClient(world.port);
    client.send(`${POST}content-length: 100\r\n\r\n{"model":`);
    client.socket.end();
    expect((await client.answer()).startLine).toBe('HTTP/1.1 400 Bad Request');
    const record = await until(() => world.completions.find(({ op }) => op !== 'stream'), 'its record');
    expect(record).toMatchObject({ reason: 'blocked', err_type: 'protocol', status: 400, bytes_in: 9 });
    await world.unharmed();
  });

  it('(its body cut by a reset) is recorded as left by its client', async () => {
    await using world = await startWithBystander();
    await using client = await connectClient(world.port);
    client.send(`${POST}expect: 100-continue\r\ncontent-length: 100\r\n\r\n{"model":`);
    await client.head();
    client.socket.resetAndDestroy();
    const record = await until(() => world.completions.find(({ op }) => op !== 'stream'), 'its record');
    expect(record).toMatchObject({ reason: 'client_abort', status: 499 });
    await world.unharmed();
  });
});

it('outlives clients that ask for a tunnel and reset the connection', async () => {
  await using world = await startWithBystander();
  const clients = 20;
  for (let i = 0; i < clients; i++) {
    await using client = await connectClient(world.port);
    client.send(`CONNECT api.anthropic.com:443 HTTP/1.1\r\n${HOST}\r\n\r\n`);
    client.socket.resetAndDestroy();
  }
  await world.completion(clients);
  await world.unharmed();
});

it('cuts a connection whose upload turns malformed after the answer began, and the upstream with it', async () => {
  await using world = await startWorldOver((call) => call.open('200 OK', ['content-type: text/plain']), {
    upstream: { at: 'head' },
  });
  await using client = await connectClient(world.port);
  client.send(`POST /v1/files HTTP/1.1\r\n${HOST}\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n`);
  await client.head();
  client.send('nonsense\r\n');
  await client.closed();
  expect(await world.completion()).toMatchObject({ reason: 'client_abort', op: 'other', bytes_in: 3 });
  await until(() => world.calls[0]?.closedAt, 'the end at the upstream');
});

it('ignores an expectation that nobody knows', async () => {
  await using world = await startTwoLanes(answerMessage);
  expect(
    (await ask(world, messagesRequest({ model: 'claude-sonnet-5' }, ['expect: the-unexpected']))).status,
  ).toBe('200 OK');
});

describe('a body', () => {
  it.each([
    ['is no JSON', '{"model":"claude-haiku-4-5"', null],
    ['is empty', '', null],
    ['is a list', '["claude-haiku-4-5"]', null],
    ['has a model that is no text', '{"model":{"name":"haiku"}}', null],
    ['names a model inside a message alone', '{"messages":[{"model":"claude-haiku-4-5"}]}', null],
  ])('that %s is Anthropic’s to judge, byte for byte', async (_, body, model) => {
    const refusal = '{"type":"error","error":{"type":"invalid_request_error","message":"m"}}';
    await using world = await startTwoLanes(answerMessage, fails('400 Bad Request', refusal));
    expect(await ask(world, messagesRequest(Buffer.from(body)))).toEqual({
      status: '400 Bad Request',
      body: refusal,
    });
    expect(world.anth.calls[0]?.request.body().toString()).toBe(body);
    expect(world.zai.calls).toEqual([]);
    expect(await world.completion()).toMatchObject({ model, reason: 'upstream_error', err_type: 'http_4xx' });
  });

  it('whose model has control characters is routed by it, and recorded on one line', async () => {
    await using world = await startTwoLanes(answerMessage);
    const model = 'claude-haiku\n{"event":"completion"}\u0000\u001b[2J';
    await ask(world, messagesRequest({ model }));
    expect(world.zai.calls).toHaveLength(1);
    const completion = await world.completion();
    expect(completion.model).toBe(model);
    expect(Array.from(JSON.stringify(completion)).every((character) => character >= ' ')).toBe(true);
  });

  it('whose model is a megabyte long is relayed whole, and recorded cut', async () => {
    await using world = await startTwoLanes(answerMessage);
    const body = Buffer.from(JSON.stringify({ model: `haiku${'x'.repeat(1_000_000)}` }));
    expect((await ask(world, messagesRequest(body))).status).toBe('200 OK');
    expect(world.zai.calls[0]?.request.body().equals(body)).toBe(true);
    await world.completion();
    expect(JSON.stringify([world.decisions, world.completions]).length).toBeLessThan(4_000);
  });
});

describe('a door that closes', () => {
  it('does so with its last exchange, though clients keep their connections', async () => {
    await using world = await startWorldOver((call) => call.open('200 OK', [EVENT_STREAM]));
    await using idle = await connectClient(world.port);
    await using client = await connectClient(world.port);
    idle.send(`GET / HTTP/1.1\r\n${HOST}\r\nx: 1\r\n\r\n`);
    client.send(SONNET_STREAM_REQUEST);
    await client.head();
    const drained = world.gateway.drain(60_000);
    for (const call of world.calls) {
      call.chunk(WHOLE_STREAM);
      call.endChunks();
    }
    await drained;
    expect(await client.closed()).toBe('ended');
    expect(await world.completion(2)).toMatchObject({ reason: 'ok' });
  });

  it.each([
    ['has sent nothing yet', ''],
    ['has sent half a head', 'GET / HTTP/1.1\r\nho'],
  ])('waits for nobody who %s', async (_, bytes) => {
    await using world = await startWorldOver(() => {});
    await using client = await connectClient(world.port);
    client.send(bytes);
    await world.gateway.drain(60_000);
    expect(await client.closed()).toMatch(/ended|reset/);
  });

  it('cuts what does not end in its time, and records it', async () => {
    await using world = await startWorldOver((call) => call.open('200 OK', [EVENT_STREAM]));
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    await client.head();
    await world.gateway.drain(50);
    expect(world.completions).toMatchObject([{ reason: 'client_abort' }]);
    expect(world.gateway.inflight()).toBe(0);
    await until(() => world.calls[0]?.closedAt, 'the end at the upstream');
  });
});
