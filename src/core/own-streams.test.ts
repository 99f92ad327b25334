/** Streams of our own endpoints: as long as their client wants them, and never in the way of a door that closes. */
import { expect, it } from 'vitest';
import { connectClient } from './testing/raw-client.ts';
import { until } from './testing/wait.ts';
import { startWorld, type World } from './testing/world.ts';
import type { StreamClient } from './types.ts';

interface Door {
  readonly world: World;
  /** Those who were let in, in order. */
  readonly clients: StreamClient[];
  readonly ended: () => number;
}

async function startDoor(): Promise<Door> {
  const clients: StreamClient[] = [];
  let ended = 0;
  const world = await startWorld({
    anth: 'http://127.0.0.1:1',
    gateway: {
      endpoints: [
        {
          method: 'GET',
          path: '/v1/usage/live',
          handle: () => ({
            status: 200,
            contentType: 'text/event-stream',
            start(client) {
              clients.push(client);
              client.write(': hello\n\n');
              return () => void (ended += 1);
            },
          }),
        },
      ],
    },
  });
  return { world, clients, ended: () => ended };
}

const GET = 'GET /v1/usage/live HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n';

it('sends what it is given as it comes, and says when the client has left', async () => {
  const door = await startDoor();
  await using world = door.world;
  {
    await using client = await connectClient(world.port);
    client.send(GET);
    const answer = await client.head();
    expect(answer.startLine).toBe('HTTP/1.1 200 OK');
    expect(answer.headers).toContain('text/event-stream');
    await until(() => answer.body().toString() === ': hello\n\n', 'the greeting');
    door.clients[0]?.write('data: 1\n\n');
    await until(() => answer.body().toString().endsWith('data: 1\n\n'), 'the first event');
    expect(door.ended()).toBe(0);
  }
  await until(() => door.ended() === 1, 'the end of the stream');
  // Nobody is there any more: nothing happens, and nothing is thrown.
  door.clients[0]?.write('data: 2\n\n');
});

it('is no exchange: nothing is under way and nothing recorded', async () => {
  const { world, clients } = await startDoor();
  await using _ = world;
  await using client = await connectClient(world.port);
  client.send(GET);
  await until(() => clients[0], 'a client');
  expect(world.gateway.inflight()).toBe(0);
  expect(world.completions).toEqual([]);
});

it('ends in order, and at once, when the door closes', async () => {
  const door = await startDoor();
  await using world = door.world;
  await using client = await connectClient(world.port);
  client.send(GET);
  await until(() => door.clients[0], 'a client');
  const asked = performance.now();
  await world.gateway.drain(60_000);
  expect(performance.now() - asked).toBeLessThan(5_000);
  expect((await client.answer()).whole).toBe(true);
  expect(await client.closed()).toBe('ended');
  await until(() => door.ended() === 1, 'the end of the stream');
});

it('does not hold a closing door up for a client that reads nothing', async () => {
  const door = await startDoor();
  await using world = door.world;
  await using client = await connectClient(world.port);
  client.send(GET);
  await client.head();
  client.socket.pause();
  const feed = await until(() => door.clients[0], 'a client');
  await until(() => feed.write('x'.repeat(1_000_000)) > 2_000_000, 'bytes that nobody takes');
  await world.gateway.drain(60_000);
  await until(() => door.ended() === 1, 'the end of the stream');
});

it('cuts a client that is dropped', async () => {
  const door = await startDoor();
  await using world = door.world;
  await using client = await connectClient(world.port);
  client.send(GET);
  const answer = await client.head();
  (await until(() => door.clients[0], 'a client')).drop();
  await client.closed();
  expect(answer.whole).toBe(false);
  await until(() => door.ended() === 1, 'the end of the stream');
});

it('answers HEAD without starting', async () => {
  const { world, clients } = await startDoor();
  await using _ = world;
  await using client = await connectClient(world.port, { bodiless: true });
  client.send(GET.replace('GET', 'HEAD'));
  expect((await client.answer()).startLine).toBe('HTTP/1.1 200 OK');
  expect(clients).toEqual([]);
});

it('is guarded like everything else', async () => {
  const { world, clients } = await startDoor();
  await using _ = world;
  await using client = await connectClient(world.port);
  client.send(GET.replace('\r\n\r\n', '\r\norigin: https://evil.test\r\n\r\n'));
  expect((await client.answer()).startLine).toBe('HTTP/1.1 403 Forbidden');
  expect(clients).toEqual([]);
});
