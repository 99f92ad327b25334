/** Upstreams over HTTP/2: the same bytes, and each way in which a stream or a connection can end. */
import { connect, constants as h2 } from 'node:http2';
import { createServer, connect as dial, type Socket } from 'node:net';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from '../platform/clock.ts';
import { makeCertificates, type TestCertificates } from './testing/certificates.ts';
import { type H2Call, type H2Upstream, startH2Upstream } from './testing/h2-upstream.ts';
import { linesOf } from './testing/http1-message.ts';
import { listen } from './testing/listen.ts';
import { connectClient } from './testing/raw-client.ts';
import { startRawUpstream } from './testing/raw-upstream.ts';
import { messagesRequest, SONNET_REQUEST, SONNET_STREAM_REQUEST } from './testing/requests.ts';
import {
  BLOCK_START,
  delta,
  EVENT_STREAM,
  SMALL_TOKENS,
  START,
  STOP,
  WHOLE_STREAM,
} from './testing/streams.ts';
import { until } from './testing/wait.ts';
import { startWorld, type World, type WorldOptions } from './testing/world.ts';
import { createUpstreams, type Upstreams } from './upstream/upstreams.ts';

let certificates: TestCertificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

interface H2World extends World {
  readonly upstream: H2Upstream;
}

async function startH2World(
  respond: (call: H2Call, index: number) => void,
  options: Partial<WorldOptions> = {},
): Promise<H2World> {
  const upstream = await startH2Upstream(certificates, respond);
  const world = await startWorld({ anth: upstream.origin, extraCa: certificates.ca, ...options });
  return {
    ...world,
    upstream,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

const ok = (call: H2Call): void => answerWith(call, '{}');

const STREAM_HEAD = { ':status': 200, 'content-type': 'text/event-stream' };

function answerWith({ stream }: H2Call, body: string): void {
  stream.respond({ ':status': 200, 'content-type': 'application/json' });
  stream.end(body);
}

/** Requests whose body undici could repeat by itself, and whose body it could not. */
const BODIES: readonly [string, Buffer][] = [
  ['small', SONNET_REQUEST],
  ['large', messagesRequest({ model: 'claude-sonnet-5', text: 'x'.repeat(100_000) })],
  ['missing', Buffer.from('GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n')],
];

describe('an upstream that speaks HTTP/2', () => {
  it('gets the request as it was, and its answer passes as it is', async () => {
    const body = JSON.stringify({ model: 'claude-sonnet-5', text: '\u00e9\u2028' });
    await using world = await startH2World(({ stream }) => {
      stream.respond({ ':status': 200, 'X-A': '1', 'set-cookie': ['a=1', 'b=2'], 'request-id': 'req_1' });
      stream.write('first ');
      stream.end('second');
    });
    await using client = await connectClient(world.port);
    const headers = [
      'Anthropic-Beta: one',
      'anthropic-beta: two',
      'Connection: x-foo',
      'X-Foo: 1',
      'expect: 100-continue',
    ];
    client.send(messagesRequest(Buffer.from(body), headers, '/v1/messages?beta=true&x=%2F'));
    const relayed = await client.answer(2);
    expect(linesOf(relayed.headers)).toEqual(
      expect.arrayContaining(['x-a: 1', 'set-cookie: a=1', 'set-cookie: b=2', 'request-id: req_1']),
    );
    expect(relayed.body().toString()).toBe('first second');
    const call = world.upstream.calls[0] ?? expect.fail();
    expect(call.body().toString()).toBe(body);
    expect(call.headers).toMatchObject({
      ':method': 'POST',
      ':path': '/v1/messages?beta=true&x=%2F',
      'anthropic-beta': 'one, two',
      'content-length': String(Buffer.byteLength(body)),
    });
    expect(Object.keys(call.headers)).not.toContain('x-foo');
    expect(await world.completion()).toMatchObject({
      h2: true,
      reason: 'ok',
      attempts: [{ h2: true, status: 200 }],
    });
  });

  it('passes every event on when it arrives', async () => {
    await using world = await startH2World(({ stream }) => stream.respond(STREAM_HEAD));
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    const relayed = await client.head();
    const { stream } = world.upstream.calls[0] ?? expect.fail();
    let sent = '';
    for (const piece of WHOLE_STREAM.split(/(?<=\n\n)/)) {
      stream.write(piece);
      sent += piece;
      await until(() => relayed.body().toString() === sent, `the event ${piece}`);
      // An empty frame is no end.
      stream.write('');
    }
    stream.end();
    await client.answer();
    expect(await world.completion()).toMatchObject({ h2: true, reason: 'ok', tokens: SMALL_TOKENS });
  });

  it('carries exchanges side by side on one connection', async () => {
    await using world = await startH2World(() => {});
    const clients = await Promise.all([1, 2, 3].map(() => connectClient(world.port)));
    for (const client of clients) client.send(SONNET_REQUEST);
    await until(() => world.upstream.calls.length === 3, 'three requests');
    for (const [index, call] of world.upstream.calls.toReversed().entries()) answerWith(call, String(index));
    const answers = await Promise.all(clients.map((client) => client.answer()));
    expect(answers.map((one) => one.body().toString()).toSorted()).toEqual(['0', '1', '2']);
    for (const client of clients) await client[Symbol.asyncDispose]();
  });

  it('is cancelled within 100 ms when the client leaves', async () => {
    await using world = await startH2World(() => {});
    const delays: number[] = [];
    for (let round = 0; round < 5; round++) {
      await using client = await connectClient(world.port);
      client.send(SONNET_REQUEST);
      const { stream } = await until(() => world.upstream.calls[round], 'the request');
      let closedAt = 0;
      stream.once('close', () => {
        closedAt = performance.now();
      });
      const leftAt = performance.now();
      client.socket.destroy();
      await until(() => closedAt > 0, 'the end of the stream');
      delays.push(closedAt - leftAt);
    }
    // The best of some: a busy machine adds to the others.
    expect(Math.min(...delays)).toBeLessThan(100);
    expect((await world.completion()).reason).toBe('client_abort');
  });

  it('is held up while the client does not read', async () => {
    await using world = await startH2World(({ stream }) => stream.respond(STREAM_HEAD));
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    const relayed = await client.head();
    client.socket.pause();
    const { stream } = world.upstream.calls[0] ?? expect.fail();
    const piece = Buffer.alloc(1024 * 1024, ': filler\n\n');
    for (let n = 0; n < 32; n++) stream.write(piece);
    let left = stream.writableLength;
    let since = performance.now();
    // Stuck is what does not move any more.
    await until(() => {
      if (stream.writableLength < left) since = performance.now();
      left = stream.writableLength;
      return performance.now() - since > 250;
    }, 'the upstream to be stuck');
    expect(left).toBeGreaterThan(16 * piece.length);
    client.socket.resume();
    stream.end(STOP);
    await client.answer();
    expect(relayed.bytes).toBe(32 * piece.length + STOP.length);
  });
});

describe('a request that the upstream refused unread', () => {
  it.each(BODIES)('is sent once more (its body is %s)', async (_size, request) => {
    await using world = await startH2World((call, index) => {
      if (index === 0) call.stream.close(h2.NGHTTP2_REFUSED_STREAM);
      else ok(call);
    });
    await using client = await connectClient(world.port);
    client.send(request);
    expect((await client.answer()).startLine).toBe('HTTP/1.1 200 ');
    expect(world.upstream.calls).toHaveLength(2);
    expect((await world.completion()).reason).toBe('ok');
  });

  it.each(BODIES)('twice is given up (its body is %s)', async (_size, request) => {
    await using world = await startH2World(({ stream }) => stream.close(h2.NGHTTP2_REFUSED_STREAM));
    await using client = await connectClient(world.port);
    client.send(request);
    expect((await client.answer()).startLine).toBe('HTTP/1.1 502 Bad Gateway');
    expect(world.upstream.calls).toHaveLength(2);
    expect(await world.completion()).toMatchObject({ status: 502, err_type: 'net' });
  });

  it.each(BODIES)(
    'by the end of its connection is sent once more on another (its body is %s)',
    async (_size, request) => {
      await using world = await startH2World((call, index) => {
        // The last stream that it will answer is the first one.
        if (index === 1) call.session.goaway(h2.NGHTTP2_NO_ERROR, 1);
        else ok(call);
      });
      await using client = await connectClient(world.port);
      client.send(SONNET_REQUEST);
      await client.answer();
      client.send(request);
      expect((await client.answer(2)).startLine).toBe('HTTP/1.1 200 ');
      expect([world.upstream.calls.length, world.upstream.sessions.length]).toEqual([3, 2]);
      expect((await world.completion(2)).reason).toBe('ok');
    },
  );

  it('shows both attempts in its record', async () => {
    await using world = await startH2World((call, index) => {
      if (index === 0) call.stream.close(h2.NGHTTP2_REFUSED_STREAM);
      else ok(call);
    });
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    await client.answer();
    expect((await world.completion()).attempts).toMatchObject([
      { provider: 'anth', err_type: 'net' },
      { provider: 'anth', status: 200 },
    ]);
  });

  it('with another code was perhaps processed and is not sent again', async () => {
    await using world = await startH2World(({ stream }) => stream.close(h2.NGHTTP2_INTERNAL_ERROR));
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    expect((await client.answer()).startLine).toBe('HTTP/1.1 502 Bad Gateway');
    expect(world.upstream.calls).toHaveLength(1);
  });
});

describe('a connection that is to end', () => {
  it('lets its streams come to their end, and the next exchange takes another', async () => {
    await using world = await startH2World((call, index) => {
      if (index > 0) {
        ok(call);
        return;
      }
      call.stream.respond(STREAM_HEAD);
      call.stream.write(START);
      call.session.goaway(h2.NGHTTP2_NO_ERROR);
    });
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    const relayed = await client.head();
    await until(() => relayed.bytes === START.length, 'the start of the stream');
    await using other = await connectClient(world.port);
    other.send(SONNET_REQUEST);
    expect((await other.answer()).startLine).toBe('HTTP/1.1 200 ');
    world.upstream.calls[0]?.stream.end(WHOLE_STREAM.slice(START.length));
    expect((await client.answer()).body().toString()).toBe(WHOLE_STREAM);
    expect(await world.completion(2)).toMatchObject({ reason: 'ok', tokens: SMALL_TOKENS });
    expect(world.upstream.sessions).toHaveLength(2);
  });
});

describe('a connection whose other side went without a word', () => {
  it('is given up, and the next exchange takes another; one that is idle stays', async () => {
    await using upstream = await startH2Upstream(certificates, ok);
    await using cable = await startCable(Number(new URL(upstream.origin).port));
    await using upstreams = disposable(
      createUpstreams({
        clock: systemClock,
        dialTimeoutMs: 5_000,
        tlsTimeoutMs: 5_000,
        keepAliveDelayMs: 30_000,
        extraCa: certificates.ca,
        ownPort: () => 1,
        h2PingMs: 200,
      }),
    );
    await using world = await startWorld({
      anth: `https://localhost:${cable.port}`,
      gateway: { upstreams: upstreams.value },
    });
    const ask = async (): Promise<string> => {
      await using client = await connectClient(world.port);
      client.send(SONNET_REQUEST);
      return (await client.answer()).startLine;
    };
    expect(await ask()).toBe('HTTP/1.1 200 ');
    const before = cable.bytes();
    // Only PING frames pass: enough of them for several looks at the connection.
    await until(() => cable.bytes() > before + 6 * 17, 'some answers to PING');
    expect(await ask()).toBe('HTTP/1.1 200 ');
    expect(cable.connections()).toBe(1);

    cable.pull();
    expect(await ask()).toBe('HTTP/1.1 502 Bad Gateway');
    expect(await world.completion(3)).toMatchObject({ reason: 'upstream_error', err_type: 'net' });
    expect(await ask()).toBe('HTTP/1.1 200 ');
    expect(cable.connections()).toBe(2);
  });
});

/** Passes bytes on to `port`; `pull` lets the connections that stand now fall silent, without an end. */
async function startCable(port: number) {
  const sockets: Socket[] = [];
  let connections = 0;
  let pulled = 0;
  let bytes = 0;
  const server = createServer((near) => {
    const index = connections++;
    const far = dial({ port, host: '127.0.0.1' });
    sockets.push(near, far);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('error', () => {});
      from.on('close', () => to.destroy());
      from.on('data', (piece) => {
        if (index < pulled) return;
        if (from === far) bytes += piece.length;
        to.write(piece);
      });
    }
  });
  const listening = await listen(server);
  return {
    port: listening,
    connections: () => connections,
    /** Passed on to those who dialled. */
    bytes: () => bytes,
    pull(): void {
      pulled = connections;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const disposable = (value: Upstreams) => ({ value, [Symbol.asyncDispose]: () => value.close() });

describe('a document that is cut', () => {
  it('by RST_STREAM CANCEL breaks for the client, though it ends like a whole one', async () => {
    await using world = await startH2World(({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/json' });
      stream.write('{"type":"message","content":[');
    });
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    const relayed = await client.head();
    await until(() => relayed.bytes > 0, 'the start of the document');
    world.upstream.calls[0]?.stream.close(h2.NGHTTP2_CANCEL);
    await client.closed();
    expect(relayed.whole).toBe(false);
    expect(await world.completion()).toMatchObject({
      reason: 'truncated',
      err_type: 'protocol',
      status: 200,
    });
  });
});

describe('a stream that is cut', () => {
  it.each([
    ['CANCEL', h2.NGHTTP2_CANCEL],
    ['NO_ERROR', h2.NGHTTP2_NO_ERROR],
    ['INTERNAL_ERROR', h2.NGHTTP2_INTERNAL_ERROR],
  ])('by RST_STREAM %s breaks for the client', async (_name, code) => {
    const body = START + BLOCK_START + delta('Hello');
    await using world = await startH2World(({ stream }) => {
      stream.respond(STREAM_HEAD);
      stream.write(body);
    });
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    const relayed = await client.head();
    await until(() => relayed.bytes === body.length, 'the start of the stream');
    world.upstream.calls[0]?.stream.close(code);
    await client.closed();
    expect(relayed.whole).toBe(false);
    expect(relayed.body().toString()).toBe(body);
    const { rid, ...completion } = await world.completion();
    expect(['truncated', 'upstream_reset']).toContain(completion.reason);
    expect(completion).toMatchObject({
      status: 200,
      h2: true,
      tokens: { input: 12, output: 1 },
      sse: { finished: false },
    });
    expect(world.partials.get(rid)?.toString()).toBe(body);
  });

  it('by the end of its connection breaks for the client', async () => {
    await using world = await startH2World(({ stream }) => {
      stream.respond(STREAM_HEAD);
      stream.write(START);
    });
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    const relayed = await client.head();
    await until(() => relayed.bytes === START.length, 'the start of the stream');
    world.upstream.sessions[0]?.destroy();
    await client.closed();
    expect(relayed.whole).toBe(false);
    expect((await world.completion()).sse?.finished).toBe(false);
  });

  it('before the length that it promised breaks for the client', async () => {
    await using world = await startH2World(({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/json', 'content-length': 100 });
      stream.write('{"type":');
      setImmediate(() => stream.close(h2.NGHTTP2_CANCEL));
    });
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    const relayed = await client.head();
    await client.closed();
    expect(relayed.whole).toBe(false);
    expect(await world.completion()).toMatchObject({
      status: 200,
      err_type: expect.stringMatching(/net|protocol/),
    });
  });
});

describe('the choice of protocol and the trust in an upstream', () => {
  it('is HTTP/1.1 where that is forced, or where the upstream offers nothing else', async () => {
    await using upstream = await startRawUpstream(
      (call) => call.answer('200 OK', [EVENT_STREAM], WHOLE_STREAM),
      {
        tls: certificates.server,
      },
    );
    await using world = await startWorld({ anth: upstream.origin, extraCa: certificates.ca });
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    expect((await client.answer()).body().toString()).toBe(WHOLE_STREAM);
    expect(await world.completion()).toMatchObject({ h2: false, reason: 'ok' });
  });

  it('offers HTTP/1.1 alone where that is forced', async () => {
    await using world = await startH2World(ok, { anthProvider: { h2: false } });
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    // This upstream speaks HTTP/2 alone: they find no common protocol.
    expect((await client.answer()).startLine).toBe('HTTP/1.1 502 Bad Gateway');
    expect(world.upstream.calls).toHaveLength(0);
    const direct = connect(world.upstream.origin, { ca: certificates.ca });
    await until(() => direct.alpnProtocol === 'h2', 'the same upstream over HTTP/2');
    direct.destroy();
  });

  it('needs a certificate from an authority that is known', async () => {
    const strangers = await makeCertificates();
    await using world = await startH2World(ok, { extraCa: strangers.ca });
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    expect((await client.answer()).startLine).toBe('HTTP/1.1 502 Bad Gateway');
    expect(await world.completion()).toMatchObject({ err_type: 'tls', attempts: [{ err_type: 'tls' }] });
    expect(world.upstream.calls).toHaveLength(0);
  });

  it('needs one whatever the environment says', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    onTestFinished(() => void vi.unstubAllEnvs());
    await using world = await startH2World(ok, { extraCa: (await makeCertificates()).ca });
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    expect((await client.answer()).startLine).toBe('HTTP/1.1 502 Bad Gateway');
    expect(world.upstream.calls).toEqual([]);
  });

  it('needs a certificate for its name', async () => {
    await using upstream = await startH2Upstream(certificates, ok);
    await using world = await startWorld({
      anth: upstream.origin.replace('localhost', '127.0.0.1'),
      extraCa: certificates.ca,
    });
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    expect((await client.answer()).startLine).toBe('HTTP/1.1 502 Bad Gateway');
    expect(await world.completion()).toMatchObject({ err_type: 'tls' });
  });
});
