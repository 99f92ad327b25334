import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Server } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { makeCertificates } from '../testing/certificates.ts';
import { listen } from '../testing/listen.ts';
import type { FileAnswer, FileRequest } from './get-file.ts';
import { createUpstreams, type Upstreams } from './upstreams.ts';

let world: AsyncDisposableStack;
beforeEach(() => {
  world = new AsyncDisposableStack();
});
afterEach(() => world.disposeAsync());

function upstreams({
  extraCa = null,
  ownPort = 0,
}: {
  extraCa?: string | null;
  ownPort?: number;
} = {}): Upstreams {
  const made = createUpstreams({
    clock: systemClock,
    dialTimeoutMs: 2_000,
    tlsTimeoutMs: 2_000,
    keepAliveDelayMs: 30_000,
    extraCa,
    ownPort: () => ownPort,
  });
  world.defer(() => made.close());
  return made;
}

/** Lets a server listen for the test; gives its port. */
async function serve(server: Server & { closeAllConnections(): void }): Promise<number> {
  const port = await listen(server);
  world.defer(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return port;
}

async function get(answer: RequestListener, part: Partial<FileRequest> = {}): Promise<FileAnswer> {
  const port = await serve(createServer(answer));
  const url = new URL(`http://127.0.0.1:${port}/a/policy.json`);
  return upstreams().getFile({ url, headers: [], maxBytes: 1000, timeoutMs: 5_000, ...part });
}

it('gives the bytes, the tag and the coding of a file, and sends what it was told and nothing else', async () => {
  const bytes = gzipSync('{"a":1}');
  const seen: unknown[] = [];
  const answer = await get(
    ({ method, url, rawHeaders }, response) => {
      seen.push(
        method,
        url,
        rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()),
      );
      response.writeHead(200, { etag: '"one"', 'content-encoding': 'gzip' });
      response.write(bytes.subarray(0, 5));
      response.end(bytes.subarray(5));
    },
    { headers: ['if-none-match', '"zero"'] },
  );
  expect(answer).toEqual({ status: 200, etag: '"one"', encoding: 'gzip', body: bytes });
  expect(seen).toEqual(['GET', '/a/policy.json', ['host', 'connection', 'if-none-match']]);
});

it.each([204, 304, 404, 500])('gives a %d as it is', async (status) => {
  const answer = await get((_, response) => response.writeHead(status).end());
  expect(answer).toEqual({ status, etag: null, encoding: null, body: Buffer.alloc(0) });
});

it('follows no redirect', async () => {
  const asked: unknown[] = [];
  const answer = await get(({ url }, response) => {
    asked.push(url);
    response.writeHead(302, { location: '/elsewhere' }).end('moved');
  });
  expect([answer, asked]).toEqual([
    { status: 302, etag: null, encoding: null, body: Buffer.alloc(0) },
    ['/a/policy.json'],
  ]);
});

describe('it ends', () => {
  it('an answer that is larger than it may be, whatever its length was said to be', async () => {
    let gone = false;
    const flood: RequestListener = (_, response) => {
      response.on('close', () => {
        gone = true;
      });
      const pour = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(600))) continue;
      };
      response.on('drain', pour);
      pour();
    };
    expect(await get(flood)).toEqual({ error: 'too_large', message: 'more than 1000 bytes came' });
    await expect.poll(() => gone).toBe(true);
  });

  it.each<[string, RequestListener]>([
    ['no answer', () => {}],
    ['half an answer', (_, response) => void response.writeHead(200).write('{')],
  ])('the wait for %s', async (_, listener) => {
    expect(await get(listener, { timeoutMs: 50 })).toEqual({
      error: 'timeout',
      message: 'no whole answer within 50 ms',
    });
  });
});

it('takes an answer that breaks off for none', async () => {
  const answer = await get((_, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('{}', () => response.destroy());
  });
  expect(answer).toMatchObject({ error: 'unreachable' });
});

it('says that nobody listens', async () => {
  const url = new URL('http://127.0.0.1:1/policy.json');
  expect(await upstreams().getFile({ url, headers: [], maxBytes: 1, timeoutMs: 5_000 })).toEqual({
    error: 'unreachable',
    message: expect.stringContaining('ECONNREFUSED'),
  });
});

it('does not ask our own listener', async () => {
  let asked = 0;
  const port = await serve(
    createServer((_, response) => {
      asked += 1;
      response.end();
    }),
  );
  const url = new URL(`http://127.0.0.1:${port}/policy.json`);
  const answer = await upstreams({ ownPort: port }).getFile({
    url,
    headers: [],
    maxBytes: 1,
    timeoutMs: 5_000,
  });
  expect([answer, asked]).toEqual([
    { error: 'unreachable', message: expect.stringContaining('is our own listener') },
    0,
  ]);
});

it('trusts the authority that was named besides the usual ones, and no other', async () => {
  const { ca, server } = await makeCertificates();
  const port = await serve(createTlsServer(server, (_, response) => response.end('{}')));
  const request = {
    url: new URL(`https://localhost:${port}/p`),
    headers: [],
    maxBytes: 10,
    timeoutMs: 5_000,
  };
  expect(await upstreams({ extraCa: ca }).getFile(request)).toMatchObject({
    status: 200,
    body: Buffer.from('{}'),
  });
  expect(await upstreams().getFile(request)).toEqual({
    error: 'unreachable',
    message: expect.stringContaining('(tls)'),
  });
});
