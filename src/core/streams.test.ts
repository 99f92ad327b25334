/** Streams reach the client event by event, and break for it where they broke. */
import { describe, expect, it } from 'vitest';
import { connectClient } from './testing/raw-client.ts';
import type { Call } from './testing/raw-upstream.ts';
import { SONNET_STREAM_REQUEST } from './testing/requests.ts';
import {
  BLOCK_START,
  BLOCK_STOP,
  delta,
  EVENT_STREAM,
  event,
  messageDelta,
  PING,
  SMALL_TOKENS,
  START,
  STOP,
  STREAMS,
  WHOLE_STREAM,
} from './testing/streams.ts';
import { until } from './testing/wait.ts';
import { startWorldOver } from './testing/world.ts';

describe('a stream', () => {
  it.each([1, 7])(
    'cut into chunks of %i bytes, in the middle of characters and line ends, is the same',
    async (size) => {
      const streams = [...STREAMS.values()].filter(({ length }) => length < 20_000);
      await using world = await startWorldOver((call, index) => {
        const body = streams[index >> 1] ?? Buffer.alloc(0);
        if (index % 2 === 0) call.answer('200 OK', [EVENT_STREAM], body);
        else call.answerInPieces('200 OK', [EVENT_STREAM], body, size);
      });
      await using client = await connectClient(world.port);
      for (const [index, stream] of streams.entries()) {
        client.send(SONNET_STREAM_REQUEST);
        await client.answer(2 * index + 1);
        client.send(SONNET_STREAM_REQUEST);
        expect((await client.answer(2 * index + 2)).body().equals(stream)).toBe(true);
        const [atOnce, inPieces] = [
          await world.completion(2 * index + 1),
          await world.completion(2 * index + 2),
        ];
        expect(inPieces.tokens).toEqual(atOnce.tokens);
        expect(inPieces.reason).toBe(atOnce.reason);
      }
    },
  );

  it.each(['crlf', 'cr', 'line-separators-in-data', 'multi-byte', 'byte-order-mark'])(
    'with %s is counted',
    async (name) => {
      const body = STREAMS.get(name) ?? expect.fail(name);
      await using world = await startWorldOver((call) =>
        call.answerInPieces('200 OK', [EVENT_STREAM], body, 1000),
      );
      await using client = await connectClient(world.port);
      client.send(SONNET_STREAM_REQUEST);
      await client.answer();
      const { reason, tokens, sse } = await world.completion();
      expect(reason).toBe('ok');
      expect(tokens?.output).toBeGreaterThan(0);
      expect(sse?.finished).toBe(true);
    },
  );

  it('passes every event on when it arrives, and nothing while there is none', async () => {
    await using world = await startWorldOver((call) => call.open('200 OK', [EVENT_STREAM]));
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    const answer = await client.head();
    const call = world.calls[0] ?? expect.fail();
    let sent = '';
    for (const piece of [
      START,
      BLOCK_START,
      PING,
      delta('a'),
      PING,
      delta('b'),
      BLOCK_STOP,
      messageDelta(9),
      STOP,
    ]) {
      // Each is sent only when the one before has reached the client: one held back would block the test.
      call.chunk(piece);
      sent += piece;
      await until(() => answer.body().toString() === sent, `the event ${piece}`);
    }
    call.endChunks();
    expect((await client.answer()).body().toString()).toBe(sent);
    expect(await world.completion()).toMatchObject({
      reason: 'ok',
      tokens: SMALL_TOKENS,
      sse: { events: 9, chunks: 9 },
    });
  });

  it('is not held up by a timer', async () => {
    await using world = await startWorldOver((call) => call.open('200 OK', [EVENT_STREAM]));
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    const answer = await client.head();
    const call = world.calls[0] ?? expect.fail();
    const delays: number[] = [];
    for (let n = 0; n < 20; n++) {
      const sentAt = performance.now();
      call.chunk(PING);
      delays.push((await until(() => answer.arrivals[n], 'the ping')) - sentAt);
    }
    // The best of many: a busy machine is late often, a timer always.
    expect(Math.min(...delays)).toBeLessThan(4);
  });

  it('that is silent is not filled with pings of ours', async () => {
    await using world = await startWorldOver(
      (call) => {
        call.open('200 OK', [EVENT_STREAM]);
        call.chunk(START);
      },
      { limits: { streamIdleMs: 300 } },
    );
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    const answer = await client.head();
    await client.closed();
    expect(answer.body().toString()).toBe(START);
    expect(await world.completion()).toMatchObject({ reason: 'stream_timeout', err_type: 'idle_timeout' });
  });

  it('of pings alone lives as long as they come', async () => {
    await using world = await startWorldOver(
      (call) => {
        call.open('200 OK', [EVENT_STREAM]);
        let left = 8;
        const timer = setInterval(() => {
          call.chunk(left > 0 ? PING : WHOLE_STREAM);
          if (left-- > 0) return;
          clearInterval(timer);
          call.endChunks();
        }, 100);
      },
      { limits: { streamIdleMs: 600 } },
    );
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    expect((await client.answer()).body().toString()).toBe(PING.repeat(8) + WHOLE_STREAM);
    expect(await world.completion()).toMatchObject({ reason: 'ok', tokens: SMALL_TOKENS });
  });

  it('that reports an error in the middle passes it in its own shape', async () => {
    const error =
      'event: error\ndata: {"type":"error", "error":{"type":"overloaded_error","message":"Overloaded"}}\n\n';
    const body = START + BLOCK_START + delta('Hel') + error;
    await using world = await startWorldOver((call) =>
      call.answerInPieces('200 OK', [EVENT_STREAM], Buffer.from(body), 60),
    );
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    expect((await client.answer()).body().toString()).toBe(body);
    expect(await world.completion()).toMatchObject({
      status: 200,
      reason: 'upstream_error',
      err_type: 'overloaded',
    });
    expect(world.calls).toHaveLength(1);
  });

  it('that ends in order without message_stop passes as it is and is recorded as truncated', async () => {
    const body = START + BLOCK_START + delta('Hello') + BLOCK_STOP;
    await using world = await startWorldOver((call) =>
      call.answerInPieces('200 OK', [EVENT_STREAM], Buffer.from(body), 60),
    );
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    expect((await client.answer()).body().toString()).toBe(body);
    const { rid, ...completion } = await world.completion();
    expect(completion).toMatchObject({
      status: 200,
      reason: 'truncated',
      err_type: 'protocol',
      sse: { finished: false },
    });
    expect(completion.tokens).toMatchObject({ input: 12 });
    expect(world.partials.get(rid)?.toString()).toBe(body);
    expect(world.anomalies).toMatchObject([{ rid, kind: 'truncated' }]);
  });

  it.each<[string, (call: Call) => void, string]>([
    ['reset', (call) => void call.socket.resetAndDestroy(), 'upstream_reset'],
    ['ended in the middle of its chunks', (call) => void call.socket.end(), 'upstream_reset'],
    ['continued with a chunk that is none', (call) => call.send('zz\r\n'), 'upstream_reset'],
  ])('that is %s breaks for the client, after every byte that came', async (_how, breakOff, reason) => {
    const body = START + BLOCK_START + delta('Hello');
    await using world = await startWorldOver((call) => {
      call.open('200 OK', [EVENT_STREAM]);
      call.chunk(body);
    });
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    const answer = await client.head();
    await until(() => answer.bytes === body.length, 'the start of the stream');
    breakOff(world.calls[0] ?? expect.fail());
    await client.closed();
    expect(answer.whole).toBe(false);
    expect(answer.body().toString()).toBe(body);
    const { rid, ...completion } = await world.completion();
    expect(completion).toMatchObject({
      status: 200,
      reason,
      err_type: 'net',
      tokens: { input: 12, output: 1 },
    });
    expect(world.partials.get(rid)?.toString()).toBe(body);
    expect(world.calls).toHaveLength(1);
  });

  it('with trailers arrives whole', async () => {
    await using world = await startWorldOver((call) => {
      call.open('200 OK', [EVENT_STREAM, 'trailer: x-sum']);
      call.chunk(WHOLE_STREAM);
      call.send('0\r\nx-sum: 1\r\n\r\n');
    });
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    expect((await client.answer()).body().toString()).toBe(WHOLE_STREAM);
    expect((await world.completion()).reason).toBe('ok');
  });

  it('counts totals once, though they are reported again and again', async () => {
    const body = START + BLOCK_START + [3, 5, 9].map(messageDelta).join('') + BLOCK_STOP + STOP;
    await using world = await startWorldOver((call) =>
      call.answerInPieces('200 OK', [EVENT_STREAM], Buffer.from(body), 60),
    );
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    await client.answer();
    expect((await world.completion()).tokens).toEqual(SMALL_TOKENS);
  });

  it('whose start counts nothing is counted by its end', async () => {
    const zeros = START.replace('"input_tokens":12,"output_tokens":1', '"input_tokens":0,"output_tokens":0');
    const counts = event({
      type: 'message_delta',
      delta: {},
      usage: { input_tokens: 12, output_tokens: 9 },
    });
    await using world = await startWorldOver((call) =>
      call.answerInPieces('200 OK', [EVENT_STREAM], Buffer.from(zeros + counts + STOP), 60),
    );
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    await client.answer();
    expect((await world.completion()).tokens).toEqual(SMALL_TOKENS);
  });
});
