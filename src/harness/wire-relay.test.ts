import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createCa } from './certs.ts';
import { listen } from './ports.ts';
import { type Peer, startPeer } from './testing/peer.ts';
import type { ExchangeRewriter } from './types/saboteur.ts';
import { type RelayOptions, startRelay, type WireRelay } from './wire-relay.ts';

const PATIENCE = { timeout: 10_000, interval: 5 };

let opened: AsyncDisposableStack = new AsyncDisposableStack();
afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
});

/** A peer for one test; gives its origin. */
async function peerAt(onConnection: (socket: net.Socket) => void): Promise<string> {
  return (await peer(onConnection)).url;
}

async function peer(onConnection: (socket: net.Socket) => void): Promise<Peer> {
  return opened.use(await startPeer(onConnection));
}

async function relayTo(to: string, options: Omit<RelayOptions, 'to'> = {}): Promise<WireRelay> {
  return opened.use(await startRelay({ to, observer: 'relay', ...options }));
}

async function connect(relay: WireRelay) {
  const socket = net.connect({ port: Number(new URL(relay.url).port), host: '127.0.0.1', noDelay: true });
  let heard = '';
  let failure: string | undefined;
  socket.on('data', (bytes) => {
    heard += bytes.toString('latin1');
  });
  socket.on('error', (error) => {
    failure = 'code' in error ? String(error.code) : error.message;
  });
  await once(socket, 'connect');
  opened.defer(() => void socket.destroy());
  return { socket, heard: () => heard, failure: () => failure };
}

const REQUEST =
  'POST /v1/x?b=1&a=%20 HTTP/1.1\r\nhost: h\r\nX-Odd:  kept \r\nx-odd: twice\r\ncontent-length: 4\r\n\r\nbody';
const hear = (heard: () => string, wanted: string) =>
  vi.waitFor(() => expect(heard()).toBe(wanted), PATIENCE);

const FLOOD_BYTES = 64 * 1024 * 1024;

/** Writes as much as the socket takes; gives how much it took so far. */
function flood(socket: net.Socket): () => number {
  const block = Buffer.alloc(256 * 1024, 'x');
  let taken = 0;
  const more = () => {
    let open = true;
    while (open && taken < FLOOD_BYTES) {
      open = socket.write(block);
      taken += block.length;
    }
    socket.once('drain', more);
  };
  more();
  return () => taken;
}

/** Waits until a number has grown and stopped growing; gives it. */
async function standstill(read: () => number): Promise<number> {
  let before = 0;
  await vi.waitFor(
    () => {
      const last = before;
      before = read();
      expect(before > 0 && before === last).toBe(true);
    },
    { interval: 250, timeout: 8000 },
  );
  return before;
}

describe('the relay', () => {
  it('passes every byte of both directions as it came, and writes the exchange down', async () => {
    const answer =
      'HTTP/1.1 200 Fine\r\nRequest-ID: req_7\r\nX: 1\r\nx: 2\r\ntransfer-encoding: chunked\r\n\r\n3;e=1\r\nabc\r\n0\r\n\r\n';
    const server = await peer((socket) => void socket.write(answer));
    const relay = await relayTo(server.url);
    const client = await connect(relay);
    client.socket.write(REQUEST);
    await hear(server.heard, REQUEST);
    await hear(client.heard, answer);
    expect(relay.transcripts()).toMatchObject([
      {
        observer: 'relay',
        request: {
          method: 'POST',
          target: '/v1/x?b=1&a=%20',
          headers: [
            ['host', 'h'],
            ['X-Odd', 'kept'],
            ['x-odd', 'twice'],
            ['content-length', '4'],
          ],
          body: { bytes: 4, base64: btoa('body') },
        },
        response: {
          status: 200,
          body: { base64: btoa('abc') },
          headers: [
            ['Request-ID', 'req_7'],
            ['X', '1'],
            ['x', '2'],
            ['transfer-encoding', 'chunked'],
          ],
        },
        ending: 'complete',
        requestId: 'req_7',
      },
    ]);
  });

  it('passes each piece when it comes, not when the answer is whole', async () => {
    const sockets: net.Socket[] = [];
    const relay = await relayTo(await peerAt((socket) => void sockets.push(socket)));
    const client = await connect(relay);
    client.socket.write('GET / HTTP/1.1\r\n\r\n');
    await vi.waitFor(() => expect(sockets).toHaveLength(1), PATIENCE);
    const head = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n';
    for (const [at, piece] of [head, 'a', 'b'].entries()) {
      sockets[0]?.write(piece);
      await hear(client.heard, head + 'ab'.slice(0, at));
    }
  });

  it('passes malformed bytes too', async () => {
    const server = await peer((socket) => void socket.end('nonsense\n'));
    const relay = await relayTo(server.url);
    const client = await connect(relay);
    client.socket.write('BREW\n\n');
    await hear(server.heard, 'BREW\n\n');
    await hear(client.heard, 'nonsense\n');
  });

  it('passes a reset of the server on as a reset', async () => {
    const relay = await relayTo(
      await peerAt((socket) => {
        socket.once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc', () => socket.resetAndDestroy());
        });
      }),
    );
    const client = await connect(relay);
    client.socket.write(REQUEST);
    await vi.waitFor(() => expect(client.failure()).toBe('ECONNRESET'), PATIENCE);
    expect(relay.transcripts()).toMatchObject([{ ending: 'cut_by_peer' }]);
  });

  it('passes a short answer that ends in a FIN on as that', async () => {
    const relay = await relayTo(
      await peerAt((socket) =>
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc')),
      ),
    );
    const client = await connect(relay);
    client.socket.write(REQUEST);
    await once(client.socket, 'end');
    client.socket.end();
    await vi.waitFor(() =>
      expect(relay.transcripts()).toMatchObject([
        { ending: 'cut_by_peer', response: { body: { bytes: 3 } } },
      ]),
    );
    expect(client.failure()).toBeUndefined();
  });

  it.each([
    ['a reset', (socket: net.Socket) => socket.resetAndDestroy(), 'ECONNRESET'],
    ['a FIN', (socket: net.Socket) => socket.end(), 'end'],
  ])('passes %s of the client on', async (_how, leave, expected) => {
    const endings: string[] = [];
    const relay = await relayTo(
      await peerAt((socket) => {
        socket.on('error', (error) => endings.push('code' in error ? String(error.code) : error.message));
        socket.on('end', () => endings.push('end'));
        socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc'));
      }),
    );
    const client = await connect(relay);
    client.socket.write(REQUEST);
    await vi.waitFor(() => expect(client.heard()).toContain('abc'), PATIENCE);
    leave(client.socket);
    await vi.waitFor(() => expect(endings).toEqual([expected]), PATIENCE);
  });

  it('resets the client where nobody answers behind it', async () => {
    const relay = await relayTo('http://127.0.0.1:1');
    const client = await connect(relay);
    client.socket.write(REQUEST);
    await vi.waitFor(() => expect(client.failure()).toBe('ECONNRESET'), PATIENCE);
  });

  it('takes the FIN of the server for the end of a body that has no other', async () => {
    const relay = await relayTo(
      await peerAt((socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nabc'))),
    );
    const client = await connect(relay);
    client.socket.write(REQUEST);
    await vi.waitFor(() =>
      expect(relay.transcripts()).toMatchObject([{ ending: 'complete', response: { body: { bytes: 3 } } }]),
    );
  });

  it('makes a server that sends too much wait for a client that does not read', async () => {
    let sent = () => 0;
    const relay = await relayTo(
      await peerAt((socket) => {
        socket.once('data', () => {
          sent = flood(socket);
        });
      }),
    );
    const client = await connect(relay);
    client.socket.pause();
    client.socket.write('GET / HTTP/1.1\r\n\r\n');
    expect(await standstill(() => sent())).toBeLessThan(FLOOD_BYTES / 2);
  });

  it('makes a client that sends too much wait for a server that does not read', async () => {
    const relay = await relayTo(await peerAt((socket) => void socket.pause()));
    const client = await connect(relay);
    expect(await standstill(flood(client.socket))).toBeLessThan(FLOOD_BYTES / 2);
  });

  it('adds less than a millisecond to an exchange', async () => {
    const server = http.createServer((request, response) =>
      request.resume().on('end', () => response.end('ok')),
    );
    const port = await listen(server);
    opened.defer(() => void server.close());
    const relay = await relayTo(`http://127.0.0.1:${port}`);
    const body = Buffer.alloc(100_000, 'x');
    const time = async (url: string) => {
      const agent = new http.Agent({ keepAlive: true });
      const samples: number[] = [];
      for (let round = 0; round < 40; round += 1) {
        const start = performance.now();
        const request = http.request(url, { agent, method: 'POST' }).end(body);
        const [response] = await once(request, 'response');
        response.resume();
        await once(response, 'end');
        samples.push(performance.now() - start);
      }
      agent.destroy();
      // The least of them: a busy machine adds to the others.
      return Math.min(...samples);
    };
    const direct = await time(`http://127.0.0.1:${port}`);
    expect((await time(relay.url)) - direct).toBeLessThan(1);
  });
});

async function exchange(rewriter: ExchangeRewriter, to: string) {
  const client = await connect(await relayTo(to, { rewriter }));
  client.socket.write(REQUEST);
  return client;
}

describe('the relay with a rewriter', () => {
  const stream = [
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n',
    '1\r\na\r\n',
    '1\r\nb\r\n',
    '0\r\n\r\n',
  ];
  const streaming = () =>
    peerAt((socket) => socket.once('data', () => stream.forEach((piece) => socket.write(piece))));
  it('passes what the rewriter leaves alone unchanged', async () => {
    const client = await exchange({}, await streaming());
    await hear(client.heard, stream.join(''));
  });

  it('alters a request and makes its length fit', async () => {
    const server = await peer(() => {});
    await exchange(
      { request: (request) => ({ ...request, target: '/other', body: Buffer.from('longer body') }) },
      server.url,
    );
    await hear(
      server.heard,
      REQUEST.replace('/v1/x?b=1&a=%20', '/other')
        .replace('X-Odd:  kept ', 'X-Odd: kept')
        .replace('length: 4\r\n\r\nbody', 'length: 11\r\n\r\nlonger body'),
    );
  });

  it('alters a stream piece by piece', async () => {
    const client = await exchange(
      {
        response: () => ({
          piece: (bytes) => (bytes.toString() === 'a' ? [] : [bytes, bytes]),
          end: () => ({ pieces: [Buffer.from('!')], clean: true }),
        }),
      },
      await streaming(),
    );
    await hear(client.heard, `${stream[0]}1\r\nb\r\n1\r\nb\r\n1\r\n!\r\n0\r\n\r\n`);
  });

  it('gives an answer with a length the length of what it became', async () => {
    const to = await peerAt((socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 400 Bad\r\ncontent-length: 3\r\n\r\nabc')),
    );
    const client = await exchange({ response: () => ({ piece: () => [Buffer.from('rewritten')] }) }, to);
    await hear(client.heard, 'HTTP/1.1 400 Bad\r\ncontent-length: 9\r\n\r\nrewritten');
  });

  it('dresses a cut stream up as a whole one where told to', async () => {
    const to = await peerAt((socket) =>
      socket.once('data', () => socket.write(`${stream[0]}${stream[1]}`, () => socket.resetAndDestroy())),
    );
    const client = await exchange({ response: () => ({ end: () => ({ pieces: [], clean: true }) }) }, to);
    await hear(client.heard, `${stream[0]}${stream[1]}0\r\n\r\n`);
    expect(client.failure()).toBeUndefined();
  });

  it('passes a cut on as a cut otherwise', async () => {
    const to = await peerAt((socket) =>
      socket.once('data', () => socket.write(`${stream[0]}${stream[1]}`, () => socket.resetAndDestroy())),
    );
    const client = await exchange({ response: () => ({ piece: (bytes) => [bytes] }) }, to);
    await vi.waitFor(() => expect(client.failure()).toBe('ECONNRESET'), PATIENCE);
  });

  it('keeps the server running for nobody where told to', async () => {
    const endings: string[] = [];
    const to = await peerAt((socket) => {
      socket.on('end', () => endings.push('end'));
      socket.on('error', () => endings.push('error'));
      socket.once('data', () => socket.write(`${stream[0]}${stream[1]}`));
    });
    const relay = await relayTo(to, { rewriter: { outlivesClient: true } });
    const client = await connect(relay);
    client.socket.write(REQUEST);
    await vi.waitFor(() => expect(client.heard()).toContain('a'), PATIENCE);
    client.socket.destroy();
    await once(client.socket, 'close');
    await vi.waitFor(() => expect(relay.openSockets()).toBe(1), PATIENCE);
    expect(endings).toEqual([]);
  });

  it('terminates TLS with one certificate and speaks TLS onwards', async () => {
    const ca = createCa();
    const leaf = ca.issue(['localhost']);
    const identity = { key: leaf.keyPem, cert: leaf.certPem };
    const inner = await relayTo(await streaming(), { tls: identity });
    const outer = await relayTo(inner.url, { ca: ca.certPem });
    const client = await connect(outer);
    client.socket.write(REQUEST);
    await hear(client.heard, stream.join(''));
  });
});
