/** Every limit on time has a word of its own, and a way on where there is one. */
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../platform/clock.ts';
import { connectClient } from './testing/raw-client.ts';
import { startRawUpstream } from './testing/raw-upstream.ts';
import {
  HAIKU_REQUEST,
  HAIKU_STREAM_REQUEST,
  SONNET_REQUEST,
  SONNET_STREAM_REQUEST,
} from './testing/requests.ts';
import { createSkippingClock, type SkippingClock } from './testing/skipping-clock.ts';
import { EVENT_STREAM, PING, START, WHOLE_STREAM } from './testing/streams.ts';
import { answerMessage, JSON_TYPE, MESSAGE, type Respond, startTwoLanes } from './testing/two-lanes.ts';
import { until } from './testing/wait.ts';
import { startWorld, startWorldOver, type World } from './testing/world.ts';
import { createUpstreams } from './upstream/upstreams.ts';

const SHORT_MS = 80;

/** A world whose Anthropic lane points at `origin`, with short limits on making a connection. */
async function startWorldTo(origin: string): Promise<World> {
  const upstreams = createUpstreams({
    clock: systemClock,
    dialTimeoutMs: SHORT_MS,
    tlsTimeoutMs: SHORT_MS,
    keepAliveDelayMs: 30_000,
    extraCa: null,
    ownPort: () => 1,
  });
  const world = await startWorld({ anth: origin, gateway: { upstreams } });
  return {
    ...world,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await upstreams.close();
    },
  };
}

/** A port whose queue of connections is full and never emptied: whoever dials it waits. */
async function startDeafPort(): Promise<AsyncDisposable & { readonly port: number }> {
  const deaf = `require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
    require('node:fs').writeSync(1, String(this.address().port));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  })`;
  const child = spawn(process.execPath, ['-e', deaf], { stdio: ['ignore', 'pipe', 'ignore'] });
  const port = await new Promise<number>((resolve) =>
    child.stdout.once('data', (said) => resolve(Number(said))),
  );
  let standing = 0;
  const fillers = Array.from({ length: 8 }, () => connect({ port, host: '127.0.0.1' }, () => standing++));
  // The backlog and one more, says listen(2) of Linux; the rest is left waiting, as the proxy will be.
  await until(() => standing >= 2, 'the queue to be full');
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const filler of fillers) filler.destroy();
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('close', resolve));
    },
  };
}

async function failure(world: World): Promise<object> {
  await using client = await connectClient(world.port);
  client.send(SONNET_REQUEST);
  const answer = await client.answer();
  expect(JSON.parse(answer.body().toString())).toMatchObject({
    type: 'error',
    error: { type: 'api_error', message: expect.stringContaining('ccp: anth failed') },
  });
  const { status, reason, err_type, attempts } = await world.completion();
  return { status, reason, err_type, attempts: attempts.map((attempt) => attempt.err_type) };
}

describe('making a connection', () => {
  it('to a host that does not answer ends after the limit on dialling, as net', async () => {
    await using deaf = await startDeafPort();
    await using world = await startWorldTo(`http://127.0.0.1:${deaf.port}`);
    expect(await failure(world)).toEqual({
      status: 502,
      reason: 'upstream_error',
      err_type: 'net',
      attempts: ['net'],
    });
    expect((await world.completion()).latency_ms).toBeGreaterThanOrEqual(SHORT_MS);
  });

  it('to a host that does not shake hands ends after the limit on TLS, as tls', async () => {
    await using silent = await startRawUpstream();
    await using world = await startWorldTo(`https://127.0.0.1:${silent.port}`);
    expect(await failure(world)).toEqual({
      status: 502,
      reason: 'upstream_error',
      err_type: 'tls',
      attempts: ['tls'],
    });
    expect((await world.completion()).latency_ms).toBeGreaterThanOrEqual(SHORT_MS);
    expect(silent.connections).toBe(1);
  });

  it('takes no longer for many that wait for the same one', async () => {
    await using silent = await startRawUpstream();
    await using world = await startWorldTo(`https://127.0.0.1:${silent.port}`);
    await using stack = new AsyncDisposableStack();
    const clients = 30;
    for (let i = 0; i < clients; i++) {
      stack.use(await connectClient(world.port)).send(SONNET_REQUEST);
    }
    await world.completion(clients);
    expect(world.completions.every(({ status, err_type }) => status === 502 && err_type === 'tls')).toBe(
      true,
    );
    expect(silent.connections).toBeLessThan(5);
  });

  it('to a host that speaks no TLS is tls', async () => {
    await using plain = await startRawUpstream(() => {}, {
      onConnection: (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    });
    await using world = await startWorldTo(`https://127.0.0.1:${plain.port}`);
    expect(await failure(world)).toMatchObject({ err_type: 'tls', attempts: ['tls'] });
  });

  it('to a name that does not exist is dns', async () => {
    await using world = await startWorldTo('http://no-such-host.invalid');
    expect(await failure(world)).toMatchObject({ status: 502, err_type: 'dns', attempts: ['dns'] });
  });
});

/** The limit under test; the others are out of reach. */
const MINUTE = 60_000;
const NEVER = { headMs: 0, jsonMs: 0, streamIdleMs: 0 };
/** Longer than limits are off at most: what has not struck by then does not strike. */
const LOOK_MS = 150;

/** Lets minutes pass until the exchange has ended. */
function elapse(world: World, clock: SkippingClock): Promise<unknown> {
  return until(() => {
    clock.skip(MINUTE);
    return world.completions[0];
  }, 'the limit to strike');
}

/** Lets minutes pass, and the proxy take notice. */
async function elapseInVain(world: World, clock: SkippingClock): Promise<void> {
  clock.skip(2 * MINUTE);
  await sleep(LOOK_MS);
  expect(world.completions).toEqual([]);
}

const silent: Respond = () => {};
const beginsJson: Respond = (call) => {
  call.open('200 OK', [JSON_TYPE]);
  call.chunk('{"type":');
};

describe('an answer that does not begin', () => {
  it.each([
    ['the limit on heads', { headMs: MINUTE }, SONNET_STREAM_REQUEST],
    [
      'the limit on whole answers, where that is shorter',
      { headMs: 100 * MINUTE, jsonMs: MINUTE },
      SONNET_REQUEST,
    ],
  ])('ends after %s with 504, and is cancelled upstream', async (_, limits, request) => {
    const clock = createSkippingClock();
    await using world = await startWorldOver(silent, { clock, limits: { ...NEVER, ...limits } });
    await using client = await connectClient(world.port);
    client.send(request);
    const call = await until(() => world.calls[0], 'the request at the upstream');
    clock.skip(MINUTE);
    const answer = await client.answer();
    expect(answer.startLine).toBe('HTTP/1.1 504 Gateway Timeout');
    expect(JSON.parse(answer.body().toString())).toMatchObject({ error: { type: 'timeout_error' } });
    expect(await world.completion()).toMatchObject({
      status: 504,
      reason: 'timeout',
      err_type: 'timeout',
      attempts: [{ provider: 'anth', err_type: 'timeout' }],
    });
    await until(() => call.closedAt, 'the end at the upstream');
  });

  it('of a stream is not bound by the limit on whole answers', async () => {
    const clock = createSkippingClock();
    await using world = await startWorldOver(silent, { clock, limits: { ...NEVER, jsonMs: MINUTE } });
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    const call = await until(() => world.calls[0], 'the request at the upstream');
    await elapseInVain(world, clock);
    call.answer('200 OK', [EVENT_STREAM], WHOLE_STREAM);
    expect((await client.answer()).body().toString()).toBe(WHOLE_STREAM);
  });
});

describe('an answer that does not go on', () => {
  it.each([
    ['for a message', SONNET_REQUEST],
    ['for a stream that is none', SONNET_STREAM_REQUEST],
  ])('is broken after the limit on whole answers (%s)', async (_, request) => {
    const clock = createSkippingClock();
    await using world = await startWorldOver(beginsJson, { clock, limits: { ...NEVER, jsonMs: MINUTE } });
    await using client = await connectClient(world.port);
    client.send(request);
    const answer = await client.head();
    await elapse(world, clock);
    await client.closed();
    expect([answer.whole, answer.body().toString()]).toEqual([false, '{"type":']);
    expect(await world.completion()).toMatchObject({
      status: 200,
      reason: 'timeout',
      err_type: 'timeout',
      attempts: [{ status: 200, err_type: 'timeout' }],
    });
    expect(world.anomalies).toEqual([]);
    await until(() => world.calls[0]?.closedAt, 'the end at the upstream');
  });

  it.each([
    ['there is no limit', SONNET_REQUEST, { headMs: MINUTE }],
    [
      'it is neither message nor list',
      Buffer.from('GET /v1/files/1/content HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'),
      { headMs: MINUTE, jsonMs: MINUTE, streamIdleMs: MINUTE },
    ],
  ])('may take its time where %s', async (_, request, limits) => {
    const clock = createSkippingClock();
    await using world = await startWorldOver(beginsJson, { clock, limits: { ...NEVER, ...limits } });
    await using client = await connectClient(world.port);
    client.send(request);
    await client.head();
    await elapseInVain(world, clock);
    world.calls[0]?.chunk('"message"}');
    world.calls[0]?.endChunks();
    expect((await client.answer()).body().toString()).toBe('{"type":"message"}');
    expect(await world.completion()).toMatchObject({ reason: 'ok' });
  });

  it('is broken after the limit on silence where it is a stream, and leaves a partial', async () => {
    const clock = createSkippingClock();
    await using world = await startWorldOver(
      (call) => {
        call.open('200 OK', [EVENT_STREAM]);
        call.chunk(START + PING);
      },
      { clock, limits: { ...NEVER, streamIdleMs: MINUTE } },
    );
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    const answer = await client.head();
    await until(() => answer.bytes > 0, 'the start of the stream');
    await elapse(world, clock);
    await client.closed();
    expect([answer.whole, answer.body().toString()]).toEqual([false, START + PING]);
    const completion = await world.completion();
    expect(completion).toMatchObject({
      status: 200,
      reason: 'stream_timeout',
      err_type: 'idle_timeout',
      attempts: [{ status: 200, err_type: 'idle_timeout' }],
      sse: { finished: false },
    });
    expect(world.partials.get(completion.rid)?.toString()).toBe(START + PING);
    await until(() => world.calls[0]?.closedAt, 'the end at the upstream');
  });
});

describe('an answer of Z.AI that is held back and does not go on', () => {
  const begins =
    (status: string, header: string, start: string): Respond =>
    (call) => {
      call.open(status, [header]);
      if (start !== '') call.chunk(start);
    };

  it.each([
    [
      'a stream of which there is only a head',
      begins('200 OK', EVENT_STREAM, ''),
      HAIKU_STREAM_REQUEST,
      'streamIdleMs',
    ],
    [
      'a stream that fell silent after a ping',
      begins('200 OK', EVENT_STREAM, PING),
      HAIKU_STREAM_REQUEST,
      'streamIdleMs',
    ],
    [
      'half an error, for a stream',
      begins('503 Busy', JSON_TYPE, '{"type":"err'),
      HAIKU_STREAM_REQUEST,
      'jsonMs',
    ],
    ['half a message', begins('200 OK', JSON_TYPE, '{'), HAIKU_REQUEST, 'jsonMs'],
  ])('(%s) is taken over after its limit', async (_, respond, request, limit) => {
    const clock = createSkippingClock();
    await using world = await startTwoLanes(respond, answerMessage, {
      clock,
      limits: { ...NEVER, [limit]: MINUTE },
    });
    await using client = await connectClient(world.port);
    client.send(request);
    const call = await until(() => world.zai.calls[0], 'the request at the upstream');
    await until(() => {
      clock.skip(world.anth.calls.length === 0 ? MINUTE : 0);
      return world.anth.calls[0];
    }, 'the limit to strike');
    expect((await client.answer()).body().toString()).toBe(MESSAGE);
    expect(await world.completion()).toMatchObject({
      decision: 'fallback_net',
      reason: 'ok',
      attempts: [
        { provider: 'zai', err_type: 'timeout' },
        { provider: 'anth', status: 200 },
      ],
    });
    await until(() => call.closedAt, 'the end at the first upstream');
  });
});
