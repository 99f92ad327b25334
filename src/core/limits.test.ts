/** Every limit on time has a word of its own, and a way on where there is one. */
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
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
import { EVENT_STREAM, PING, START, WHOLE_STREAM } from './testing/streams.ts';
import { answerMessage, ask, JSON_TYPE, MESSAGE, type Respond, startTwoLanes } from './testing/two-lanes.ts';
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

describe('an answer that does not begin', () => {
  const silent: Respond = () => {};

  it.each([
    ['the limit on heads', { headMs: SHORT_MS }, SONNET_STREAM_REQUEST],
    ['the limit on whole answers, where that is shorter', { jsonMs: SHORT_MS }, SONNET_REQUEST],
  ])('ends after %s with 504, and is cancelled upstream', async (_, limits, request) => {
    await using world = await startTwoLanes(silent, silent, { limits });
    const { status, body } = await ask(world, request);
    expect([status, JSON.parse(body)]).toMatchObject([
      '504 Gateway Timeout',
      { error: { type: 'timeout_error' } },
    ]);
    expect(await world.completion()).toMatchObject({
      status: 504,
      reason: 'timeout',
      err_type: 'timeout',
      attempts: [{ provider: 'anth', err_type: 'timeout' }],
    });
    await until(() => world.anth.calls[0]?.closedAt, 'the end at the upstream');
  });

  it('of a stream is not bound by the limit on whole answers', async () => {
    await using world = await startTwoLanes(
      silent,
      (call) => setTimeout(() => call.answer('200 OK', [EVENT_STREAM], WHOLE_STREAM), 3 * SHORT_MS),
      { limits: { jsonMs: SHORT_MS } },
    );
    expect((await ask(world, SONNET_STREAM_REQUEST)).body).toBe(WHOLE_STREAM);
  });
});

/** What the client had when its connection broke. */
async function brokenAnswer(world: World, request: Buffer): Promise<string> {
  await using client = await connectClient(world.port);
  client.send(request);
  const answer = await client.head();
  await client.closed();
  expect(answer.whole).toBe(false);
  return answer.body().toString();
}

describe('an answer that does not go on', () => {
  it.each([
    ['for a message', SONNET_REQUEST],
    ['for a stream that is none', SONNET_STREAM_REQUEST],
  ])('is broken after the limit on whole answers (%s)', async (_, request) => {
    await using world = await startWorldOver(
      (call) => {
        call.open('200 OK', [JSON_TYPE]);
        call.chunk('{"type":');
      },
      { limits: { jsonMs: SHORT_MS } },
    );
    expect(await brokenAnswer(world, request)).toBe('{"type":');
    expect(await world.completion()).toMatchObject({
      status: 200,
      reason: 'timeout',
      err_type: 'timeout',
      attempts: [{ status: 200, err_type: 'timeout' }],
    });
    await until(() => world.calls[0]?.closedAt, 'the end at the upstream');
  });

  it('may take its time where there is no limit', async () => {
    await using world = await startWorldOver(
      (call) => {
        call.open('200 OK', [JSON_TYPE]);
        setTimeout(() => {
          call.chunk(MESSAGE);
          call.endChunks();
        }, 2 * SHORT_MS);
      },
      { limits: { jsonMs: 0, headMs: SHORT_MS } },
    );
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    expect((await client.answer()).body().toString()).toBe(MESSAGE);
  });

  it('may take its time where it is neither message nor list', async () => {
    await using world = await startWorldOver(
      (call) => {
        call.open('200 OK', [JSON_TYPE]);
        setTimeout(() => call.endChunks(), 3 * SHORT_MS);
      },
      { limits: { jsonMs: SHORT_MS, streamIdleMs: SHORT_MS } },
    );
    await using client = await connectClient(world.port);
    client.send('GET /v1/files/1/content HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
    await client.answer();
    expect(await world.completion()).toMatchObject({ reason: 'ok', op: 'other' });
  });

  it('is broken after the limit on silence where it is a stream, and leaves a partial', async () => {
    await using world = await startWorldOver(
      (call) => {
        call.open('200 OK', [EVENT_STREAM]);
        call.chunk(START + PING);
      },
      { limits: { streamIdleMs: SHORT_MS } },
    );
    expect(await brokenAnswer(world, SONNET_STREAM_REQUEST)).toBe(START + PING);
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
  it.each<[string, Respond, Buffer, string]>([
    [
      'a stream of which there is only a head',
      (call) => call.open('200 OK', [EVENT_STREAM]),
      HAIKU_STREAM_REQUEST,
      'streamIdleMs',
    ],
    [
      'a stream that fell silent after a ping',
      (call) => {
        call.open('200 OK', [EVENT_STREAM]);
        call.chunk(PING);
      },
      HAIKU_STREAM_REQUEST,
      'streamIdleMs',
    ],
    [
      'half an error body, for a stream',
      (call) => {
        call.open('503 Service Unavailable', [JSON_TYPE]);
        call.chunk('{"type":"err');
      },
      HAIKU_STREAM_REQUEST,
      'jsonMs',
    ],
    ['half a message', (call) => call.open('200 OK', [JSON_TYPE]), HAIKU_REQUEST, 'jsonMs'],
  ])('(%s) is taken over after its limit', async (_, respond, request, limit) => {
    await using world = await startTwoLanes(respond, answerMessage, { limits: { [limit]: SHORT_MS } });
    expect((await ask(world, request)).body).toBe(MESSAGE);
    expect(await world.completion()).toMatchObject({
      decision: 'fallback_net',
      reason: 'ok',
      attempts: [
        { provider: 'zai', err_type: 'timeout' },
        { provider: 'anth', status: 200 },
      ],
    });
    await until(() => world.zai.calls[0]?.closedAt, 'the end at the first upstream');
  });
});
