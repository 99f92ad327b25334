import type net from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Peer, startPeer } from '../testing/peer.ts';
import type { ProbeRequest } from '../types/client.ts';
import { decodedBody } from './decoded-body.ts';
import { sendProbe } from './probe.ts';

const PATIENCE = { timeout: 10_000, interval: 5 };

let opened = new AsyncDisposableStack();
afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
});

/** Answers each connection with these bytes once something came. */
async function answering(...pieces: readonly (string | Buffer)[]): Promise<Peer> {
  return peer((socket) => {
    socket.once('data', () => {
      for (const piece of pieces) socket.write(piece);
    });
  });
}

async function peer(onConnection: (socket: net.Socket) => void): Promise<Peer> {
  return opened.use(await startPeer(onConnection));
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
const get: ProbeRequest = { method: 'GET', target: '/', headers: [], timeoutMs: 5000 };
const post: ProbeRequest = { ...get, method: 'POST', headers: [['content-length', '6']], body: 'abcdef' };

describe('what is sent', () => {
  it('is the request line, headers and body as given, and nothing else', async () => {
    const server = await answering(OK);
    const headers = [
      ['X-b', ' 1'],
      ['x-B', '2'],
      ['Content-Length', '3'],
      ['A', ''],
    ] as const;
    const { transcript } = await sendProbe(server.url, {
      ...post,
      target: '/a?%7e&b=1&b=2',
      headers,
      body: 'xyz',
    });
    expect(server.heard()).toBe(
      'POST /a?%7e&b=1&b=2 HTTP/1.1\r\nX-b:  1\r\nx-B: 2\r\nContent-Length: 3\r\nA: \r\n\r\nxyz',
    );
    expect(transcript).toMatchObject({
      side: 'client',
      observer: 'probe',
      ending: 'complete',
      request: { target: '/a?%7e&b=1&b=2' },
    });
  });

  it('can be chunked, one chunk a piece, with pauses between them', async () => {
    const server = await peer((socket) => {
      socket.on('data', (bytes) => bytes.toString().endsWith('0\r\n\r\n') && socket.write(OK));
    });
    const headers = [['transfer-encoding', 'chunked']] as const;
    const body = [{ bytes: 'abc' }, { bytes: 'defghijklmnop', afterMs: 20 }];
    const { transcript } = await sendProbe(server.url, { ...post, headers, body, framing: 'chunked' });
    expect(server.heard()).toContain('\r\n\r\n3\r\nabc\r\nd\r\ndefghijklmnop\r\n0\r\n\r\n');
    const [first, second] = transcript.request.body.pieces;
    expect((second?.[0] ?? 0) - (first?.[0] ?? 0)).toBeGreaterThanOrEqual(19);
  });

  it('can be less than was announced', async () => {
    const server = await peer(() => {});
    const headers = [['content-length', '100']] as const;
    const { transcript } = await sendProbe(server.url, {
      ...post,
      headers,
      leave: { how: 'close', afterMs: 50 },
    });
    expect(transcript).toMatchObject({ ending: 'ended_by_self', request: { body: { bytes: 6 } } });
    expect(transcript.response).toBeUndefined();
  });

  it('can be no HTTP at all', async () => {
    const server = await answering('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n');
    const answer = await sendProbe(server.url, { ...get, method: 'BAD LINE' });
    expect(answer.transcript).toMatchObject({ ending: 'complete', response: { status: 400 } });
    expect(answer.problem).toContain('request line');
  });
});

describe('what comes back', () => {
  it('is told with its informational answers before it', async () => {
    const server = await answering('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n', OK);
    const answer = await sendProbe(server.url, post);
    expect(answer).toMatchObject({ informational: [100, 103], transcript: { response: { status: 200 } } });
  });

  it('is kept compressed and can be read beside', async () => {
    const packed = gzipSync('plain');
    const server = await answering(
      `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${packed.length}\r\n\r\n`,
      packed,
    );
    const { transcript } = await sendProbe(server.url, get);
    expect(transcript.response?.body.base64).toBe(packed.toString('base64'));
    expect(decodedBody(transcript).toString()).toBe('plain');
  });

  it('ends the probe although the request was not sent to its end', async () => {
    const server = await answering('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n');
    const headers = [['content-length', '100']] as const;
    const { transcript } = await sendProbe(server.url, { ...post, headers });
    expect(transcript).toMatchObject({ ending: 'complete', response: { status: 413 } });
  });

  it.each([
    ['a FIN', (socket: net.Socket) => void socket.end()],
    ['a reset', (socket: net.Socket) => void socket.resetAndDestroy()],
  ])('is cut by the peer where %s comes too early', async (_how, cut) => {
    const server = await peer((socket) => {
      socket.once('data', () =>
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc', () => cut(socket)),
      );
    });
    const { transcript } = await sendProbe(server.url, get);
    expect(transcript).toMatchObject({ ending: 'cut_by_peer', response: { body: { bytes: 3 } } });
  });

  it('is nothing where nobody listens', async () => {
    const { transcript, problem } = await sendProbe('http://127.0.0.1:1', get);
    expect(transcript).toMatchObject({ ending: 'cut_by_peer', request: { method: 'GET' } });
    expect(problem).toContain('ECONNREFUSED');
  });

  it('ends with the time that it has', async () => {
    const server = await peer(() => {});
    const { transcript } = await sendProbe(server.url, { ...get, timeoutMs: 50 });
    expect(transcript.ending).toBe('timeout');
    expect(transcript.endedMs).toBeGreaterThanOrEqual(49);
  });
});

describe('a probe that leaves', () => {
  it.each([
    ['close', 'end'],
    ['reset', 'ECONNRESET'],
  ] as const)('by %s after so many bytes is seen to', async (how, expected) => {
    const seen: string[] = [];
    const server = await peer((socket) => {
      socket.on('end', () => seen.push('end'));
      socket.on('error', (error) => 'code' in error && seen.push(String(error.code)));
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc'));
    });
    const { transcript } = await sendProbe(server.url, { ...get, leave: { how, afterBytes: 3 } });
    expect(transcript).toMatchObject({ ending: 'ended_by_self', response: { body: { bytes: 3 } } });
    await vi.waitFor(() => expect(seen).toEqual([expected]), PATIENCE);
  });

  it('leaves when its signal aborts, and keeps the record of what was', async () => {
    const seen: string[] = [];
    const server = await peer((socket) => socket.on('end', () => seen.push('end')));
    const abort = new AbortController();
    const sending = sendProbe(server.url, { ...get, signal: abort.signal });
    await vi.waitFor(() => expect(server.heard()).not.toBe(''), PATIENCE);
    abort.abort();
    expect((await sending).transcript).toMatchObject({ ending: 'ended_by_self', request: { method: 'GET' } });
    await vi.waitFor(() => expect(seen).toEqual(['end']), PATIENCE);
  });
});

describe('a slow reader', () => {
  it('makes the sender wait, and reads to the end all the same', async () => {
    const size = 16 * 1024 * 1024;
    let flushedAt = 0;
    let startedAt = 0;
    const server = await peer((socket) => {
      socket.once('data', () => {
        startedAt = performance.now();
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`);
        socket.write(Buffer.alloc(size), () => {
          flushedAt = performance.now();
        });
      });
    });
    const { transcript } = await sendProbe(server.url, {
      ...get,
      slowRead: { bytes: 512 * 1024, everyMs: 5 },
    });
    expect(transcript).toMatchObject({ ending: 'complete', response: { body: { bytes: size } } });
    expect(flushedAt - startedAt).toBeGreaterThan(50);
  });
});
