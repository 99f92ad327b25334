/** What exchanges cost, and whom: large bodies, slow readers, connections that are kept, clients that leave. */
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { connectClient } from './testing/raw-client.ts';
import { type Call, startRawUpstream } from './testing/raw-upstream.ts';
import { messagesRequest, SONNET_REQUEST, SONNET_STREAM_REQUEST } from './testing/requests.ts';
import { EVENT_STREAM, PING, START } from './testing/streams.ts';
import { until } from './testing/wait.ts';
import { startWorld, startWorldOver } from './testing/world.ts';

const MIB = 1024 * 1024;
/** What may lie in the buffers of two connections and of the proxy: Linux lets a loopback socket grow to some MiB. */
const IN_FLIGHT_BYTES = 32 * MIB;

const ok = (call: Call): void => call.answer('200 OK', [], '{}');
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** A JSON body of exactly so many bytes. */
function bodyOf(bytes: number): Buffer {
  const body = Buffer.alloc(bytes, 'x');
  body.write('{"text":"');
  body.write('","model":"claude-sonnet-5"}', bytes - 28);
  return body;
}

/** Writes pieces until the other side takes no more for a while; gives the bytes that it took. */
async function pushUntilStuck(socket: Socket, piece: Buffer): Promise<number> {
  const before = socket.bytesWritten - socket.writableLength;
  let stuckSince = performance.now();
  while (performance.now() - stuckSince < 300) {
    while (socket.write(piece)) stuckSince = performance.now();
    const waiting = socket.writableLength;
    await sleep(10);
    if (socket.writableLength < waiting) stuckSince = performance.now();
    const taken = socket.bytesWritten - socket.writableLength - before;
    if (taken > 4 * IN_FLIGHT_BYTES) return taken;
  }
  return socket.bytesWritten - socket.writableLength - before;
}

describe('a body', () => {
  it.each([1, 16, 64])('of %i MiB passes whole, and its model is read from its end', async (size) => {
    const body = bodyOf(size * MIB);
    await using world = await startWorldOver(ok);
    await using client = await connectClient(world.port);
    client.send(messagesRequest(body));
    expect((await client.answer()).startLine).toBe('HTTP/1.1 200 OK');
    expect(sha256(world.calls[0]?.request.body() ?? Buffer.alloc(0))).toBe(sha256(body));
    expect(await world.completion()).toMatchObject({ model: 'claude-sonnet-5', bytes_in: body.length });
  });

  it('of one byte more gets 413 in Anthropic\u2019s shape and reaches no upstream', async () => {
    await using upstream = await startRawUpstream(ok);
    await using world = await startWorld({ anth: upstream.origin });
    await using client = await connectClient(world.port);
    // Many clients read only when all is sent: an answer must not come with a reset behind it.
    client.socket.pause();
    client.send(messagesRequest(bodyOf(64 * MIB + 1)));
    await until(() => client.socket.writableLength === 0, 'the end of the upload');
    client.socket.resume();
    const answer = await client.answer();
    expect(answer.startLine).toBe('HTTP/1.1 413 Payload Too Large');
    expect(JSON.parse(answer.body().toString())).toMatchObject({
      type: 'error',
      error: { type: 'request_too_large' },
    });
    expect(await world.completion()).toMatchObject({ status: 413, reason: 'too_large', attempts: [] });
    expect(upstream.connections).toBe(0);
    // The connection is as good as new.
    client.send(SONNET_REQUEST);
    expect((await client.answer(2)).startLine).toBe('HTTP/1.1 200 OK');
  });

  it('that streams can be sent to its end though it was refused at its beginning', async () => {
    await using world = await startWorldOver(
      (call, index) => (index === 0 ? call.answer('413 Payload Too Large', [], '{}') : ok(call)),
      { upstream: { at: 'head' } },
    );
    await using client = await connectClient(world.port);
    client.socket.pause();
    client.send(`POST /v1/files HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${32 * MIB}\r\n\r\n`);
    client.send(Buffer.alloc(32 * MIB, 'x'));
    await until(() => client.socket.writableLength === 0, 'the end of the upload');
    client.socket.resume();
    expect((await client.answer()).startLine).toBe('HTTP/1.1 413 Payload Too Large');
    expect(await world.completion()).toMatchObject({ status: 413, reason: 'upstream_error' });
    client.send(SONNET_REQUEST);
    expect((await client.answer(2)).startLine).toBe('HTTP/1.1 200 OK');
  });

  it.each(['/v1/messages', '/v1/messages/count_tokens'])(
    'whose length nobody promised is capped just so: %s',
    async (path) => {
      const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n`;
      const chunk = (bytes: number): string => `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`;
      await using upstream = await startRawUpstream(ok);
      await using world = await startWorld({ anth: upstream.origin, limits: { maxBody: 100_000 } });
      await using allowed = await connectClient(world.port);
      allowed.send(`${head}${chunk(60_000)}${chunk(40_000)}0\r\n\r\n`);
      expect((await allowed.answer()).startLine).toBe('HTTP/1.1 200 OK');
      await using refused = await connectClient(world.port);
      refused.send(`${head}${chunk(60_000)}${chunk(40_001)}`);
      expect((await refused.answer()).startLine).toBe('HTTP/1.1 413 Payload Too Large');
      expect(upstream.calls).toHaveLength(1);
    },
  );

  it('to any other path has no cap', async () => {
    const body = Buffer.alloc(300_000, 'x');
    await using world = await startWorldOver(ok, { limits: { maxBody: 1_000 } });
    await using client = await connectClient(world.port);
    client.send(messagesRequest(body, [], '/v1/files'));
    expect((await client.answer()).startLine).toBe('HTTP/1.1 200 OK');
    expect(world.calls[0]?.request.bytes).toBe(body.length);
  });
});

describe('back-pressure', () => {
  const piece = Buffer.alloc(256 * 1024, PING);

  it('holds an upstream up while the client does not read, and loses nothing when it does', async () => {
    await using world = await startWorldOver((call) => call.open('200 OK', [EVENT_STREAM]), {
      limits: { streamIdleMs: 100 },
    });
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    const answer = await client.head();
    client.socket.pause();
    const call = world.calls[0] ?? expect.fail();
    const chunk = Buffer.concat([
      Buffer.from(`${piece.length.toString(16)}\r\n`),
      piece,
      Buffer.from('\r\n'),
    ]);
    const before = process.memoryUsage().arrayBuffers;
    const taken = await pushUntilStuck(call.socket, chunk);
    expect(taken).toBeLessThan(IN_FLIGHT_BYTES);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(IN_FLIGHT_BYTES);
    client.socket.resume();
    call.endChunks();
    await client.answer();
    expect(answer.bytes % piece.length).toBe(0);
    expect(answer.bytes).toBeGreaterThan(taken - chunk.length);
    // That a client is slow is no silence of the upstream.
    expect((await world.completion()).reason).toBe('truncated');
  });

  it('holds a client up while the upstream does not read an upload', async () => {
    await using upstream = await startRawUpstream(ok, {
      onConnection: (socket) => void socket.pause(),
      at: 'head',
    });
    await using world = await startWorld({ anth: upstream.origin });
    await using client = await connectClient(world.port);
    const length = 1024 * MIB;
    client.send(`POST /v1/files HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${length}\r\n\r\n`);
    expect(await pushUntilStuck(client.socket, piece)).toBeLessThan(IN_FLIGHT_BYTES);
  });
});

describe('a connection to an upstream', () => {
  it('that the upstream closed while it was idle costs no request', async () => {
    await using world = await startWorldOver((call) => {
      ok(call);
      call.socket.end();
    });
    await using client = await connectClient(world.port);
    for (let n = 1; n <= 3; n++) {
      client.send(SONNET_REQUEST);
      expect((await client.answer(n)).startLine).toBe('HTTP/1.1 200 OK');
      await until(() => world.calls[n - 1]?.closedAt, 'the end of the idle connection');
    }
    expect(world.calls).toHaveLength(3);
  });

  it.each(['GET', 'POST'])(
    'that breaks when it is used again fails the request, which is not sent a second time: %s',
    async (method) => {
      await using world = await startWorldOver((call, index) => {
        if (index === 0) ok(call);
        else call.socket.resetAndDestroy();
      });
      await using client = await connectClient(world.port);
      const request = `${method} /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n`;
      client.send(request);
      await client.answer();
      client.send(request);
      // The bytes were handed over: nobody can know whether they were read.
      expect((await client.answer(2)).startLine).toBe('HTTP/1.1 502 Bad Gateway');
      expect(world.calls).toHaveLength(2);
      expect(world.calls[1]?.connection).toBe(0);
    },
  );

  it('is not shared by exchanges that run at the same time', async () => {
    await using world = await startWorldOver((call) => {
      if (call.request.startLine.startsWith('GET')) ok(call);
    });
    await using slow = await connectClient(world.port);
    slow.send(SONNET_REQUEST);
    await until(() => world.calls.length === 1, 'the slow request');
    await using quick = await connectClient(world.port);
    quick.send('GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n');
    expect((await quick.answer()).startLine).toBe('HTTP/1.1 200 OK');
  });
});

describe('a client that leaves', () => {
  it.each<[string, (call: Call) => void, number]>([
    ['before the head', () => {}, 499],
    ['before the first event', (call) => call.open('200 OK', [EVENT_STREAM]), 200],
    [
      'in the middle of the stream',
      (call) => {
        call.open('200 OK', [EVENT_STREAM]);
        call.chunk(START);
      },
      200,
    ],
  ])('%s cancels the upstream within 100 ms', async (_when, respond, status) => {
    await using world = await startWorldOver(respond);
    const delays: number[] = [];
    for (let n = 0; n < 3; n++) {
      await using client = await connectClient(world.port);
      client.send(SONNET_STREAM_REQUEST);
      const call = await until(() => world.calls[n], 'the request');
      if (status === 200) await client.head();
      const leftAt = performance.now();
      client.socket.destroy();
      delays.push((await until(() => call.closedAt, 'the end at the upstream')) - leftAt);
      expect(await world.completion(n + 1)).toMatchObject({ reason: 'client_abort', status });
    }
    // The best of three: a busy machine may be late once.
    expect(Math.min(...delays)).toBeLessThan(100);
    expect(world.partials.size).toBe(0);
  });

  it('keeps the counts that came so far', async () => {
    await using world = await startWorldOver((call) => {
      call.open('200 OK', [EVENT_STREAM]);
      call.chunk(START);
    });
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    const answer = await client.head();
    await until(() => answer.bytes === START.length, 'the first event');
    client.socket.destroy();
    expect((await world.completion()).tokens).toMatchObject({ input: 12, output: 1 });
  });

  it.each<[string, (socket: Socket) => void, string, number]>([
    ['a reset', (socket) => void socket.resetAndDestroy(), 'client_abort', 499],
    // Whoever only ends his half still gets to know what was wrong.
    ['an end', (socket) => void socket.end(), 'blocked', 400],
  ])('in the middle of its body by %s reaches no upstream', async (_how, leave, reason, status) => {
    await using upstream = await startRawUpstream(ok);
    await using world = await startWorld({ anth: upstream.origin });
    await using client = await connectClient(world.port);
    client.send('POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{"model":');
    await until(() => world.gateway.inflight() === 1, 'the exchange');
    leave(client.socket);
    const leftAt = performance.now();
    expect(await world.completion()).toMatchObject({ reason, status, attempts: [] });
    // Well under the time for which the rest of an upload is discarded.
    expect(performance.now() - leftAt).toBeLessThan(2_000);
    expect(upstream.connections).toBe(0);
  });

  it('in the middle of an upload that streams through cancels the upstream', async () => {
    await using world = await startWorldOver(() => {}, { upstream: { at: 'head' } });
    await using client = await connectClient(world.port);
    client.send('POST /v1/files HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nabc');
    const call = await until(() => world.calls[0], 'the request');
    await until(() => call.request.bytes === 3, 'the first bytes');
    client.socket.resetAndDestroy();
    await until(() => call.closedAt, 'the end at the upstream');
    expect(await world.completion()).toMatchObject({ reason: 'client_abort', status: 499, bytes_in: 3 });
  });
});
