/** One exchange over several attempts: who sees which credential, what is tried again, and when not any more. */
import { describe, expect, it } from 'vitest';
import { linesOf, valueOf } from './testing/http1-message.ts';
import { connectClient } from './testing/raw-client.ts';
import { type Call, type RawUpstream, startRawUpstream } from './testing/raw-upstream.ts';
import { HAIKU_REQUEST, HAIKU_STREAM_REQUEST, messagesRequest, SONNET_REQUEST } from './testing/requests.ts';
import { BLOCK_START, delta, EVENT_STREAM, PING, START, WHOLE_STREAM } from './testing/streams.ts';
import { until } from './testing/wait.ts';
import { startWorld, type World, type WorldOptions, ZAI_KEY } from './testing/world.ts';

type Respond = (call: Call, index: number) => void;

interface TwoLanes extends World {
  readonly anth: RawUpstream;
  readonly zai: RawUpstream;
}

const served: Respond = (call) => call.answer('200 OK', [], 'from anthropic');

/** A world with both lanes under the test's command. */
async function startTwoLanes(
  zaiResponds: Respond,
  anthResponds: Respond = served,
  options: Partial<WorldOptions> = {},
): Promise<TwoLanes> {
  const anth = await startRawUpstream(anthResponds);
  const zai = await startRawUpstream(zaiResponds);
  const world = await startWorld({ anth: anth.origin, zai: zai.origin, ...options });
  return {
    ...world,
    anth,
    zai,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await anth[Symbol.asyncDispose]();
      await zai[Symbol.asyncDispose]();
    },
  };
}

/** An error body as Z.AI writes it since 2026. */
function refusal(code: string): string {
  return JSON.stringify({
    type: 'error',
    error: { type: 'rate_limit_error', code, message: `[${code}][no][1]` },
  });
}

describe('a credential of the client', () => {
  const SECRETS = [
    'Authorization: Bearer sk-ant-oat-made-up',
    'X-Api-Key: sk-ant-api-made-up',
    'Cookie: sessionKey=made-up',
    'Proxy-Authorization: Basic made-up',
    'anthropic-organization-id: made-up',
    'x-account-id: made-up',
    'x-custom: sk-ant-made-up',
  ];

  it.each(['/v1/messages', '/v1/messages/count_tokens'])(
    'never reaches another provider by %s',
    async (path) => {
      await using world = await startTwoLanes((call) => call.answer('200 OK', [], '{}'));
      await using client = await connectClient(world.port);
      client.send(
        messagesRequest({ model: 'claude-haiku-4-5' }, [...SECRETS, 'x-kept: 1'], `${path}?beta=true`),
      );
      await client.answer();
      const { request } = world.zai.calls[0] ?? expect.fail();
      expect(request.startLine).toBe(`POST /api/anthropic${path}?beta=true HTTP/1.1`);
      const values = request.headers.filter((_, index) => index % 2 === 1);
      expect(values.filter((value) => value.includes('made-up'))).toEqual([ZAI_KEY]);
      expect(valueOf(request.headers, 'x-api-key')).toBe(ZAI_KEY);
      expect(valueOf(request.headers, 'x-kept')).toBe('1');
      expect(world.anth.calls).toHaveLength(0);
    },
  );

  it('replaces the other provider\u2019s when the exchange falls back', async () => {
    await using world = await startTwoLanes((call) => call.answer('429 Too Many', [], refusal('1302')));
    await using client = await connectClient(world.port);
    client.send(messagesRequest({ model: 'claude-haiku-4-5' }, SECRETS));
    expect((await client.answer()).body().toString()).toBe('from anthropic');
    const { request } = world.anth.calls[0] ?? expect.fail();
    expect(linesOf(request.headers)).toEqual(expect.arrayContaining(SECRETS.slice(0, 3)));
    expect(linesOf(request.headers).join('\n')).not.toContain(ZAI_KEY);
  });

  it('is in no record, though everything failed', async () => {
    await using world = await startTwoLanes(
      (call) => void call.socket.destroy(),
      (call) => void call.socket.destroy(),
    );
    await using client = await connectClient(world.port);
    client.send(messagesRequest({ model: 'claude-haiku-4-5' }, SECRETS));
    const answer = await client.answer();
    await world.completion();
    const said = JSON.stringify([world.decisions, world.completions, world.anomalies, world.log]);
    expect(said + answer.body().toString()).not.toMatch(/made-up|sk-ant/);
  });
});

describe('a failure of a lane that has a successor', () => {
  it.each([
    ['429 of a throttle', '429 Too Many Requests', refusal('1302'), 'fallback_limit', 'limit'],
    ['429 of a used up window', '429 Too Many Requests', refusal('1308'), 'fallback_limit', 'limit'],
    ['529', '529 Overloaded', refusal('1305'), 'fallback_overload', 'overloaded'],
    ['403', '403 Forbidden', '{}', 'fallback_auth', 'auth'],
    ['500', '500 Oops', 'not JSON', 'fallback_net', 'http_5xx'],
    ['an error inside a success', '200 OK', refusal('1308'), 'fallback_limit', 'limit'],
  ])('by %s is made good by exactly one more attempt', async (_what, status, body, decision, errType) => {
    await using world = await startTwoLanes((call) =>
      call.answer(status, ['content-type: application/json'], body),
    );
    await using client = await connectClient(world.port);
    client.send(HAIKU_REQUEST);
    expect((await client.answer()).body().toString()).toBe('from anthropic');
    expect(await world.completion()).toMatchObject({
      decision,
      lane: 'anthropic',
      reason: 'ok',
      attempts: [
        { provider: 'zai', err_type: errType, header_mode: 'x-api-key' },
        { provider: 'anth', status: 200 },
      ],
    });
    expect(world.decisions).toMatchObject([{ decision: 'to_zai', lane: 'zai', alternatives: ['anth'] }]);
    expect([world.zai.calls.length, world.anth.calls.length]).toEqual([1, 1]);
    expect(
      world.anth.calls[0]?.request.body().equals(world.zai.calls[0]?.request.body() ?? Buffer.alloc(0)),
    ).toBe(true);
  });

  it('by a connection that breaks before the head goes on', async () => {
    await using world = await startTwoLanes((call) => void call.socket.resetAndDestroy());
    await using client = await connectClient(world.port);
    client.send(HAIKU_REQUEST);
    expect((await client.answer()).body().toString()).toBe('from anthropic');
    expect(await world.completion()).toMatchObject({ decision: 'fallback_net' });
    expect(world.zai.calls).toHaveLength(1);
  });

  it('by an error as the first event goes on, and the client sees one stream', async () => {
    const error =
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"1305"}}\n\n';
    await using world = await startTwoLanes(
      (call) => call.answerInPieces('200 OK', [EVENT_STREAM], Buffer.from(PING + error), 11),
      (call) => call.answer('200 OK', [EVENT_STREAM], WHOLE_STREAM),
    );
    await using client = await connectClient(world.port);
    client.send(HAIKU_STREAM_REQUEST);
    expect((await client.answer()).body().toString()).toBe(WHOLE_STREAM);
    expect(await world.completion()).toMatchObject({ decision: 'fallback_overload', reason: 'ok' });
    expect(world.streamStarts).toMatchObject([{ lane: 'anthropic' }]);
  });

  it.each<[string, (call: Call) => void]>([
    ['a reset', (call) => void call.socket.resetAndDestroy()],
    [
      'an error event',
      (call) => call.chunk('event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n'),
    ],
  ])('by %s after the client was sent bytes goes nowhere', async (_what, fail) => {
    const start = START + BLOCK_START + delta('Hello');
    await using world = await startTwoLanes((call) => {
      call.open('200 OK', [EVENT_STREAM]);
      call.chunk(start);
    });
    await using client = await connectClient(world.port);
    client.send(HAIKU_STREAM_REQUEST);
    const answer = await client.head();
    await until(() => answer.bytes === start.length, 'the start of the stream');
    const call = world.zai.calls[0] ?? expect.fail();
    fail(call);
    call.socket.end();
    await client.closed();
    expect(
      answer
        .body()
        .toString()
        .match(/event: message_start/g),
    ).toHaveLength(1);
    expect(await world.completion()).toMatchObject({
      lane: 'zai',
      decision: 'to_zai',
      attempts: [{ provider: 'zai' }],
    });
    expect(world.anth.calls).toHaveLength(0);
  });

  it('by a fault of the request goes nowhere', async () => {
    const body = refusal('1210');
    await using world = await startTwoLanes((call) => call.answer('400 Bad Request', [], body));
    await using client = await connectClient(world.port);
    client.send(HAIKU_REQUEST);
    const answer = await client.answer();
    expect(answer.startLine).toBe('HTTP/1.1 400 Bad Request');
    expect(answer.body().toString()).toBe(body);
    expect([world.zai.calls.length, world.anth.calls.length]).toEqual([1, 0]);
  });

  it('of both lanes gives the client the last answer as it is, after two calls', async () => {
    const last = '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}';
    await using world = await startTwoLanes(
      (call) => call.answer('429 Too Many', ['retry-after: 60'], refusal('1308')),
      (call) => call.answer('529 Overloaded', ['x-should-retry: true'], last),
    );
    await using client = await connectClient(world.port);
    client.send(HAIKU_REQUEST);
    const answer = await client.answer();
    expect(answer.startLine).toBe('HTTP/1.1 529 Overloaded');
    expect(answer.body().toString()).toBe(last);
    // A wait that the other lane stated is not this one's.
    expect(valueOf(answer.headers, 'retry-after')).toBeUndefined();
    expect([world.zai.calls.length, world.anth.calls.length]).toEqual([1, 1]);
  });

  it('that was turned off stays with the client', async () => {
    await using world = await startTwoLanes(
      (call) => call.answer('429 Too Many', [], refusal('1302')),
      served,
      {
        policy: { fallback: new Set(['auth']) },
      },
    );
    await using client = await connectClient(world.port);
    client.send(HAIKU_REQUEST);
    expect((await client.answer()).body().toString()).toBe(refusal('1302'));
    expect(world.anth.calls).toHaveLength(0);
  });
});

describe('401 of a provider with a key of its own', () => {
  it('is tried once in the other header mode', async () => {
    await using world = await startTwoLanes((call, index) =>
      call.answer(
        index === 0 ? '401 Unauthorized' : '200 OK',
        [],
        index === 0 ? refusal('1001') : 'from zai',
      ),
    );
    await using client = await connectClient(world.port);
    client.send(messagesRequest({ model: 'claude-haiku-4-5' }, ['authorization: Bearer sk-ant-made-up']));
    expect((await client.answer()).body().toString()).toBe('from zai');
    const credentials = world.zai.calls.map(({ request: { headers } }) => [
      valueOf(headers, 'x-api-key'),
      valueOf(headers, 'authorization'),
    ]);
    expect(credentials).toEqual([
      [ZAI_KEY, undefined],
      [undefined, `Bearer ${ZAI_KEY}`],
    ]);
    expect(await world.completion()).toMatchObject({
      header_mode: 'authorization',
      attempts: [
        { header_mode: 'x-api-key', status: 401, err_type: 'auth' },
        { header_mode: 'authorization', status: 200 },
      ],
    });
  });

  it('in both header modes falls back', async () => {
    await using world = await startTwoLanes((call) => call.answer('401 Unauthorized', [], refusal('1001')));
    await using client = await connectClient(world.port);
    client.send(HAIKU_REQUEST);
    expect((await client.answer()).body().toString()).toBe('from anthropic');
    expect([world.zai.calls.length, world.anth.calls.length]).toEqual([2, 1]);
    const { header_mode, decision } = await world.completion();
    expect({ header_mode, decision }).toEqual({ header_mode: undefined, decision: 'fallback_auth' });
  });

  it('of Anthropic itself is the client\u2019s business', async () => {
    await using world = await startTwoLanes(
      () => {},
      (call) => call.answer('401 Unauthorized', [], '{"a":1}'),
    );
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    expect((await client.answer()).body().toString()).toBe('{"a":1}');
    expect(world.anth.calls).toHaveLength(1);
  });
});

describe('a redirect of another provider', () => {
  it.each(['301 Moved', '307 Temporary Redirect', '308 Permanent Redirect'])(
    'by %s is neither followed nor passed on',
    async (status) => {
      await using world = await startTwoLanes((call) =>
        call.answer(status, ['location: https://elsewhere.test/']),
      );
      await using client = await connectClient(world.port);
      client.send(HAIKU_REQUEST);
      const answer = await client.answer();
      expect(answer.startLine).toBe('HTTP/1.1 502 Bad Gateway');
      expect(valueOf(answer.headers, 'location')).toBeUndefined();
      expect(JSON.parse(answer.body().toString())).toMatchObject({
        type: 'error',
        error: { type: 'api_error' },
      });
      expect(await world.completion()).toMatchObject({
        status: 502,
        err_type: 'protocol',
        reason: 'upstream_error',
      });
      expect([world.zai.calls.length, world.anth.calls.length]).toEqual([1, 0]);
    },
  );
});

describe('a stated wait', () => {
  it('is waited out once on the same lane, where that is wanted', async () => {
    let first = 0;
    await using world = await startTwoLanes(
      (call, index) => {
        if (index === 0) first = performance.now();
        call.answer(
          index === 0 ? '429 Too Many' : '200 OK',
          ['retry-after: 1'],
          index === 0 ? refusal('1302') : 'from zai',
        );
      },
      served,
      { policy: { backoff: true } },
    );
    await using client = await connectClient(world.port);
    client.send(HAIKU_REQUEST);
    expect((await client.answer()).body().toString()).toBe('from zai');
    expect(performance.now() - first).toBeGreaterThan(950);
    expect(world.anth.calls).toHaveLength(0);
  });
});
