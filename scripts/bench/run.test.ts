import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CONTESTANTS, type Contestant } from './contestants.ts';
import { measureClients, measureExchanges, measureMemory } from './measure.ts';
import {
  type Load,
  portOf,
  type Running,
  startContestant,
  startLoad,
  startUpstream,
  type Upstream,
} from './processes.ts';
import { WORKS, type Work } from './work.ts';

let upstream: Upstream;
let load: Load;
beforeAll(async () => {
  upstream = await startUpstream();
  load = startLoad();
});
afterAll(() => Promise.all([upstream.stop(), load.stop()]));

const contestant = (name: string): Contestant => named(CONTESTANTS, name);
const work = (name: string): Work => named(WORKS, name);

function named<T extends { readonly name: string }>(list: readonly T[], name: string): T {
  const found = list.find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

async function withContestant<T>(name: string, use: (running: Running) => Promise<T>): Promise<T> {
  const running = await startContestant(contestant(name), upstream.port);
  try {
    return await use(running);
  } finally {
    await running.stop();
  }
}

const briefly = { concurrency: 4, warmMs: 20, ms: 80 };

it.each(['json-1k', 'json-124k', 'sse-1k', 'sse-124k'])(
  '%s goes through a pipe unchanged and is measured',
  async (name) => {
    const sample = await withContestant('node-pipe', (running) =>
      measureExchanges(load, running, { work: work(name), ...briefly }),
    );
    expect(sample.exchangesPerSecond).toBeGreaterThan(0);
    expect(sample.firstByteP50Ms).toBeGreaterThan(0);
    expect(sample.cpuMicros).toBeGreaterThan(0);
  },
);

it('the way without a proxy has no processor time to count', async () => {
  const sample = await withContestant('direct', (running) =>
    measureExchanges(load, running, { work: work('json-1k'), ...briefly }),
  );
  expect(sample.cpuMicros).toBeNull();
});

it('a client that pauses asks no more often than its pauses let it', async () => {
  const how = { work: work('sse-1k'), concurrency: 1, pauseMs: 20, ms: 200 };
  const { exchanges, firstByteMs, wholeMs } = await withContestant('node-pipe', (running) =>
    measureClients(load, running, how),
  );
  expect(exchanges).toBeGreaterThan(1);
  expect(exchanges).toBeLessThanOrEqual(10);
  expect(wholeMs).toHaveLength(exchanges);
  expect(wholeMs.at(0)).toBeGreaterThanOrEqual(firstByteMs.at(0) ?? Number.NaN);
});

it('slow streams are all held open while memory is read', async () => {
  const options = {
    work: work('slow-1k'),
    warmWork: work('sse-1k'),
    streams: 50,
    settleMs: 100,
    laterMs: 100,
  };
  const sample = await withContestant('node-pipe', (running) => measureMemory(load, running, options));
  expect(sample.perStreamKb).toBeGreaterThan(0);
  expect(sample.idle.rssKb).toBeGreaterThan(10_000);
});

it.each([
  ['changes a byte of the body', (body: Buffer) => Buffer.from(body.toString().replace('work', 'walk')), 200],
  ['leaves the last byte out', (body: Buffer) => body.subarray(0, -1), 200],
  ['answers with an error', (body: Buffer) => body, 500],
])('refuses to measure a proxy that %s', async (_name, spoil, status) => {
  const server = createServer((incoming, outgoing) => {
    incoming.resume();
    const to = {
      port: upstream.port,
      method: 'POST',
      path: incoming.url,
      agent: false,
      headers: { 'content-length': 0 },
    };
    const relay = async (answer: IncomingMessage): Promise<void> => {
      const body = spoil(Buffer.concat(await answer.toArray()));
      outgoing.writeHead(status, { 'content-length': body.length }).end(body);
    };
    request({ host: '127.0.0.1', ...to }, (answer) => void relay(answer))
      .on('error', () => outgoing.destroy())
      .end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const running: Running = {
    contestant: contestant('direct'),
    port: portOf(server),
    pid: null,
    headers: {},
    stop: async () => {},
  };
  await expect(measureExchanges(load, running, { work: work('json-1k'), ...briefly })).rejects.toThrow(
    /answer/,
  );
  server.close();
  server.closeAllConnections();
});
