/** Clients that stop half-way, sending or taking: what waits for them ends, and what they hold up is not to blame. */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { connectClient, type RawClient } from './testing/raw-client.ts';
import type { Call } from './testing/raw-upstream.ts';
import { SONNET_REQUEST } from './testing/requests.ts';
import { createSkippingClock } from './testing/skipping-clock.ts';
import { JSON_TYPE } from './testing/two-lanes.ts';
import { until } from './testing/wait.ts';
import { CONTROL_TOKEN, startWorldOver, type World } from './testing/world.ts';

const MIB = 1024 * 1024;
const MINUTE = 60_000;
/** Longer than limits are off at most: what has not struck by then does not strike. */
const LOOK_MS = 150;
/** Turns of the event loop in which all of the other sides have had their say. */
const LOOKS = 100;

/** Less than the rest of an upload is read over: by then its request is gone anyhow. */
const LET_GO_MS = 3_000;

const ok = (call: Call): void => call.answer('200 OK', [], '{}');
const silent = (): void => {};

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Sends a head that promises `length` bytes, and the first `sent` of them. */
function upload(client: RawClient, path: string, length: number, sent: number): void {
  client.send(
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${CONTROL_TOKEN}\r\ncontent-length: ${length}\r\n\r\n`,
  );
  client.send(Buffer.alloc(sent, 'x'));
}

/** Waits until the other side takes no more of what was written. */
async function stuck(socket: Socket): Promise<void> {
  let waiting = 0;
  let looks = 0;
  await until(() => {
    looks = socket.writableLength === waiting ? looks + 1 : 0;
    waiting = socket.writableLength;
    return waiting > 0 && looks > LOOKS;
  }, 'the client to hold the answer up');
}

describe('an upload that stalls', () => {
  it.each(['/v1/messages', '/v1/messages/count_tokens'])(
    'gets 408 after a minute without a byte, and is let go of: %s',
    async (path) => {
      const clock = createSkippingClock();
      await using world = await startWorldOver(ok, { clock });
      await using client = await connectClient(world.port);
      const before = process.memoryUsage().arrayBuffers;
      upload(client, path, 64 * MIB, 48 * MIB);
      await until(() => client.socket.writableLength === 0, 'the upload to be taken');
      await sleep(LOOK_MS);
      clock.skip(MINUTE - 10_000);
      await sleep(LOOK_MS);
      // A byte is a sign of life.
      client.send('x');
      await sleep(LOOK_MS);
      clock.skip(MINUTE - 10_000);
      await sleep(LOOK_MS);
      expect(world.completions).toEqual([]);
      clock.skip(10_000);
      const answer = await client.answer();
      expect(answer.startLine).toBe('HTTP/1.1 408 Request Timeout');
      expect(JSON.parse(answer.body().toString())).toEqual({
        type: 'error',
        error: { type: 'timeout_error', message: 'ccp: the rest of the body did not come' },
      });
      expect(await world.completion()).toMatchObject({
        status: 408,
        reason: 'timeout',
        err_type: 'timeout',
        lane: 'none',
        decision: 'to_none',
        bytes_in: 48 * MIB + 1,
        attempts: [],
      });
      expect(world.calls).toEqual([]);
      await until(
        () => {
          collectGarbage();
          return process.memoryUsage().arrayBuffers - before < 16 * MIB;
        },
        'the memory to be let go of',
        LET_GO_MS,
      );
      await sleep(LOOK_MS);
      expect([world.completions.length, world.gateway.inflight()]).toEqual([1, 0]);
    },
  );

  it('to an endpoint of our own gets the same', async () => {
    const clock = createSkippingClock();
    const endpoint = {
      method: 'POST',
      path: '/v1/ccp/echo',
      handle: () => ({ status: 200, contentType: 'text/plain', body: 'done' }),
    } as const;
    await using world = await startWorldOver(ok, { clock, gateway: { endpoints: [endpoint] } });
    await using client = await connectClient(world.port);
    upload(client, endpoint.path, 4, 2);
    await sleep(LOOK_MS);
    clock.skip(MINUTE);
    const answer = await client.answer();
    expect(answer.startLine).toBe('HTTP/1.1 408 Request Timeout');
    expect(JSON.parse(answer.body().toString())).toMatchObject({ error: { type: 'timeout_error' } });
    // What comes late is read over, and the connection is good for another request.
    client.send('xx');
    upload(client, endpoint.path, 2, 2);
    expect((await client.answer(2)).body().toString()).toBe('done');
    expect(world.completions).toEqual([]);
  });
});

describe('an upload that streams through', () => {
  it('may take longer than the limit on heads, which counts from its end', async () => {
    const clock = createSkippingClock();
    await using world = await startWorldOver(silent, { clock, limits: { headMs: MINUTE } });
    await using client = await connectClient(world.port);
    upload(client, '/v1/files', 4, 2);
    await until(() => world.calls[0]?.request.bytes === 2, 'half of it at the upstream');
    clock.skip(2 * MINUTE);
    await sleep(LOOK_MS);
    expect(world.completions).toEqual([]);
    client.send('xx');
    await until(() => world.calls[0]?.request.whole, 'all of it at the upstream');
    await sleep(LOOK_MS);
    expect(world.completions).toEqual([]);
    clock.skip(MINUTE);
    expect((await client.answer()).startLine).toBe('HTTP/1.1 504 Gateway Timeout');
    expect(await world.completion()).toMatchObject({ reason: 'timeout', bytes_in: 4 });
  });
});

describe('a whole answer', () => {
  const body = Buffer.alloc(48 * MIB, ' ').fill('{}', 0, 2);

  it('that the client holds up is not late: its limit rests, and then goes on', async () => {
    const clock = createSkippingClock();
    await using world = await startWorldOver(
      (call) => {
        call.open('200 OK', [JSON_TYPE]);
        call.chunk(body);
      },
      { clock, limits: { jsonMs: 3 * MINUTE } },
    );
    await using client = await connectClient(world.port);
    client.socket.pause();
    client.send(SONNET_REQUEST);
    const call = await until(() => world.calls[0], 'the request at the upstream');
    await stuck(call.socket);
    clock.skip(10 * MINUTE);
    await sleep(LOOK_MS);
    expect(world.completions).toEqual([]);
    client.socket.resume();
    const answer = await client.head();
    await until(() => answer.bytes === body.length, 'what was held up');
    clock.skip(2 * MINUTE);
    await sleep(LOOK_MS);
    expect(world.completions).toEqual([]);
    clock.skip(MINUTE);
    expect(await world.completion()).toMatchObject({ status: 200, reason: 'timeout', err_type: 'timeout' });
  });
});

describe('an answer that has ended', () => {
  const piece = Buffer.alloc(32 * 1024, ' ').fill('{}', 0, 2);

  /** Asks again and again without reading, until an answer does not get through; gives how many did. */
  async function fill(world: World, client: RawClient): Promise<number> {
    client.socket.pause();
    for (let asked = 1; ; asked++) {
      client.send(SONNET_REQUEST);
      const since = performance.now();
      await until(() => world.completions[asked - 1] ?? performance.now() - since > 500, 'an answer');
      if (world.completions.length < asked) return asked - 1;
    }
  }

  const answers = (call: Call): void => call.answer('200 OK', [JSON_TYPE], piece);

  it('is cut after five minutes in which its client took nothing of it, and is recorded', async () => {
    const clock = createSkippingClock();
    await using world = await startWorldOver(answers, { clock });
    await using client = await connectClient(world.port);
    const passed = await fill(world, client);
    clock.skip(5 * MINUTE - 10_000);
    await sleep(LOOK_MS);
    expect(world.completions).toHaveLength(passed);
    clock.skip(10_000);
    expect(await world.completion(passed + 1)).toMatchObject({ status: 200, reason: 'client_abort' });
    await until(() => world.gateway.inflight() === 0, 'the end of the exchange');
    client.socket.resume();
    await client.closed();
  });

  it('comes whole to one that takes it late', async () => {
    const clock = createSkippingClock();
    await using world = await startWorldOver(answers, { clock });
    await using client = await connectClient(world.port);
    const passed = await fill(world, client);
    clock.skip(5 * MINUTE - 10_000);
    await sleep(LOOK_MS);
    client.socket.resume();
    expect((await client.answer(passed + 1)).bytes).toBe(piece.length);
    expect(await world.completion(passed + 1)).toMatchObject({ reason: 'ok' });
  });
});
