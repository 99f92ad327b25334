/** Answers reach the client as the upstream gave them, byte for byte, over real sockets. */
import { describe, expect, it } from 'vitest';
import { linesOf } from './testing/http1-message.ts';
import { connectClient } from './testing/raw-client.ts';
import { messagesRequest, SONNET_REQUEST, SONNET_STREAM_REQUEST } from './testing/requests.ts';
import { EVENT_STREAM, SMALL_TOKENS, WHOLE_STREAM } from './testing/streams.ts';
import { startWorldOver } from './testing/world.ts';

/** What Node adds for the client's own connection. */
const OWN_CONNECTION = ['Connection: keep-alive', 'Keep-Alive: timeout=72'];

const COUNT_REQUEST = messagesRequest({ model: 'claude-sonnet-5' }, [], '/v1/messages/count_tokens');

describe('an answer', () => {
  it('passes with its status line, its headers in order, case and number, and its body', async () => {
    const headers = ['X-B: 1', 'x-a: 2', 'X-B: 3', 'Date: yesterday', 'x-latin: \u00e9'];
    await using world = await startWorldOver((call) => call.answer('200 Fine', headers, 'hello'));
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    const answer = await client.answer();
    expect(answer.startLine).toBe('HTTP/1.1 200 Fine');
    expect(linesOf(answer.headers)).toEqual([...headers, 'content-length: 5', ...OWN_CONNECTION]);
    expect(answer.body().toString()).toBe('hello');
    expect(await world.completion()).toMatchObject({ status: 200, reason: 'ok', bytes_out: 5 });
  });

  it.each([
    [
      '400 Bad Request',
      'invalid_request_error',
      'prompt is too long: 210000 tokens > 200000 maximum',
      'http_4xx',
    ],
    ['401 Unauthorized', 'authentication_error', 'invalid x-api-key', 'auth'],
    ['402 Payment Required', 'billing_error', 'Your credit balance is too low', 'limit'],
    ['403 Forbidden', 'permission_error', 'not allowed', 'auth'],
    ['404 Not Found', 'not_found_error', 'model: claude-none', 'http_4xx'],
    ['408 Request Timeout', 'invalid_request_error', 'too slow', 'http_4xx'],
    ['409 Conflict', 'invalid_request_error', 'conflict', 'http_4xx'],
    ['413 Payload Too Large', 'request_too_large', 'Request exceeds the maximum size', 'http_4xx'],
    ['422 Unprocessable Entity', 'invalid_request_error', 'role', 'http_4xx'],
    ['429 Too Many Requests', 'rate_limit_error', 'This request would exceed your limit', 'limit'],
    ['500 Internal Server Error', 'api_error', 'Internal server error', 'http_5xx'],
    ['502 Bad Gateway', 'api_error', 'bad gateway', 'http_5xx'],
    ['503 Service Unavailable', 'api_error', 'unavailable', 'http_5xx'],
    ['504 Gateway Timeout', 'timeout_error', 'timed out', 'http_5xx'],
    ['529 ', 'overloaded_error', 'Overloaded', 'overloaded'],
  ])(
    'of %s passes with its headers and its error body, after exactly one call',
    async (status, type, message, errType) => {
      // Spaces and order are not what JSON.stringify makes: a body that was read and written again shows.
      const body = `{ "request_id": "req_7",\n  "error":{"message":"${message}", "type":"${type}"}, "type":"error" }`;
      const headers = [
        'request-id: req_7',
        'retry-after: 7',
        'x-should-retry: false',
        'Content-Type: application/json',
      ];
      await using world = await startWorldOver((call) => call.answer(status, headers, body));
      await using client = await connectClient(world.port);
      client.send(SONNET_REQUEST);
      const answer = await client.answer();
      expect(answer.startLine).toBe(`HTTP/1.1 ${status}`);
      expect(linesOf(answer.headers)).toEqual([
        ...headers,
        `content-length: ${body.length}`,
        ...OWN_CONNECTION,
      ]);
      expect(answer.body().toString()).toBe(body);
      expect(await world.completion()).toMatchObject({
        status: Number.parseInt(status, 10),
        reason: 'upstream_error',
        err_type: errType,
        upstream_request_id: 'req_7',
        attempts: [{ provider: 'anth' }],
      });
      expect(world.calls).toHaveLength(1);
    },
  );

  it('of 429 carries every rate limit header that the upstream set, and none that it did not', async () => {
    const headers = [
      'anthropic-ratelimit-unified-status: rejected',
      'anthropic-ratelimit-unified-5h-reset: 1774472400',
      'anthropic-ratelimit-unified-5h-utilization: 1.0',
      'anthropic-ratelimit-unified-representative-claim: five_hour',
      'anthropic-ratelimit-unified-overage-disabled-reason: out_of_credits',
      'anthropic-ratelimit-requests-reset: 2026-01-01T00:00:00Z',
    ];
    await using world = await startWorldOver((call) => call.answer('429 Too Many Requests', headers, '{}'));
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    expect(linesOf((await client.answer()).headers)).toEqual([
      ...headers,
      'content-length: 2',
      ...OWN_CONNECTION,
    ]);
    expect(world.calls).toHaveLength(1);
  });

  it.each([
    ['HTML', 'text/html', '<html>Sign in to the hotel network</html>'],
    ['nothing', 'application/json', ''],
    ['broken JSON', 'application/json', '{"type":"mess'],
  ])('of 200 with %s passes as it is', async (_what, type, body) => {
    await using world = await startWorldOver((call) =>
      call.answer('200 OK', [`content-type: ${type}`], body),
    );
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    const answer = await client.answer();
    expect(answer.startLine).toBe('HTTP/1.1 200 OK');
    expect(answer.body().toString()).toBe(body);
    expect(await world.completion()).toMatchObject({ status: 200, bytes_out: body.length });
  });

  it.each(['307 Temporary Redirect', '308 Permanent Redirect'])(
    'of %s from Anthropic passes',
    async (status) => {
      await using world = await startWorldOver((call) =>
        call.answer(status, ['location: https://elsewhere.test/v1']),
      );
      await using client = await connectClient(world.port);
      client.send(SONNET_REQUEST);
      const answer = await client.answer();
      expect(answer.startLine).toBe(`HTTP/1.1 ${status}`);
      expect(answer.headers).toContain('https://elsewhere.test/v1');
      expect(world.calls).toHaveLength(1);
    },
  );

  it('without framing ends with its connection and is whole', async () => {
    const body = '{"type":"message","usage":{"input_tokens":12,"output_tokens":9}}';
    await using world = await startWorldOver((call) => {
      call.send(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n${body}`);
      call.socket.end();
    });
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    expect((await client.answer()).body().toString()).toBe(body);
    expect(await world.completion()).toMatchObject({ reason: 'ok', tokens: SMALL_TOKENS });
  });

  it('loses the headers of the hop: its own connection, and what that names', async () => {
    await using world = await startWorldOver((call) =>
      call.answer('200 OK', [
        'Connection: x-Hop, close',
        'x-hop: 1',
        'Keep-Alive: timeout=5',
        'proxy-authenticate: Basic',
        'x-kept: 1',
      ]),
    );
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    expect(linesOf((await client.answer()).headers)).toEqual([
      'x-kept: 1',
      'content-length: 0',
      ...OWN_CONNECTION,
    ]);
  });

  it('after informational ones is the only one that the client gets', async () => {
    await using world = await startWorldOver((call) => {
      call.send('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n');
      call.answer('200 OK', [], 'final');
    });
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    expect((await client.answer()).body().toString()).toBe('final');
  });

  it('to HEAD keeps the length that it promises and has no body', async () => {
    await using world = await startWorldOver((call) =>
      call.send('HTTP/1.1 405 No\r\ncontent-length: 12\r\n\r\n'),
    );
    await using client = await connectClient(world.port, { bodiless: true });
    client.send('HEAD / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    const answer = await client.answer();
    expect(answer.startLine).toBe('HTTP/1.1 405 No');
    expect(answer.headers.slice(0, 2)).toEqual(['content-length', '12']);
    expect(await world.completion()).toMatchObject({
      status: 405,
      method: 'HEAD',
      op: 'other',
      bytes_out: 0,
    });
  });

  it('of 304 may tell the length of what it spares, and is whole', async () => {
    await using world = await startWorldOver((call) =>
      call.send('HTTP/1.1 304 Not Modified\r\ncontent-length: 500\r\n\r\n'),
    );
    await using client = await connectClient(world.port, { bodiless: true });
    client.send('GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\nif-none-match: "1"\r\n\r\n');
    expect(linesOf((await client.answer()).headers)).toContain('content-length: 500');
    expect(await world.completion()).toMatchObject({ status: 304, reason: 'ok' });
  });

  it.each<[string, Buffer, string, string, string[]]>([
    ['says nothing of its tokens', SONNET_REQUEST, '200 OK', '{"type":"message"}', ['uncounted']],
    ['says that it used none', SONNET_REQUEST, '200 OK', '{"usage":{"output_tokens":0}}', ['uncounted']],
    ['cannot be read for its tokens', SONNET_REQUEST, '200 OK', '{"usage":', ['tap_gave_up']],
    ['is a refusal', SONNET_REQUEST, '400 Bad Request', '{"type":"error"}', []],
    ['estimates tokens', COUNT_REQUEST, '200 OK', '{"input_tokens":7}', []],
  ])('that %s has the anomalies that this is', async (_what, request, status, body, kinds) => {
    await using world = await startWorldOver((call) =>
      call.answer(status, ['content-type: application/json'], body),
    );
    await using client = await connectClient(world.port);
    client.send(request);
    expect((await client.answer()).body().toString()).toBe(body);
    const { rid } = await world.completion();
    expect(world.anomalies.map((one) => [one.rid, one.kind])).toEqual(kinds.map((kind) => [rid, kind]));
  });

  it('keeps a reason phrase in any script', async () => {
    await using world = await startWorldOver((call) =>
      call.send('HTTP/1.1 200 \u6210\u529f\r\ncontent-length: 2\r\n\r\nok'),
    );
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    const { startLine } = await client.answer();
    expect(Buffer.from(startLine, 'latin1').toString()).toBe('HTTP/1.1 200 \u6210\u529f');
    expect(await world.completion()).toMatchObject({ reason: 'ok' });
  });

  it('to a client of HTTP/1.0 ends with the connection instead of chunks', async () => {
    await using world = await startWorldOver((call) =>
      call.answerInPieces('200 OK', [EVENT_STREAM], Buffer.from(WHOLE_STREAM), 40),
    );
    await using client = await connectClient(world.port);
    client.send(`POST /v1/messages HTTP/1.0\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}`);
    const answer = await client.head();
    expect(await client.closed()).toBe('ended');
    expect(answer.headers).not.toContain('chunked');
    expect(answer.body().toString()).toBe(WHOLE_STREAM);
  });

  it('keeps the connection of its client for the next request', async () => {
    await using world = await startWorldOver((call, index) => call.answer('200 OK', [], `answer ${index}`));
    await using client = await connectClient(world.port);
    for (let n = 1; n <= 3; n++) {
      client.send(SONNET_REQUEST);
      expect((await client.answer(n)).body().toString()).toBe(`answer ${n - 1}`);
    }
    expect(new Set(world.calls.map(({ connection }) => connection)).size).toBe(1);
  });
});

describe('an answer that is no stream', () => {
  it('and is shorter than it promised breaks for the client', async () => {
    await using world = await startWorldOver((call) => {
      call.send('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"type":');
      call.socket.end();
    });
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    const answer = await client.head();
    await client.closed();
    expect(answer.whole).toBe(false);
    expect(answer.body().toString()).toBe('{"type":');
    expect(await world.completion()).toMatchObject({
      status: 200,
      reason: 'upstream_reset',
      err_type: 'net',
    });
  });

  it('and never comes, because the connection was reset, becomes 502 in Anthropic\u2019s shape', async () => {
    await using world = await startWorldOver((call) => void call.socket.resetAndDestroy());
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    const answer = await client.answer();
    expect(answer.startLine).toBe('HTTP/1.1 502 Bad Gateway');
    expect(JSON.parse(answer.body().toString())).toMatchObject({
      type: 'error',
      error: { type: 'api_error' },
    });
    expect(await world.completion()).toMatchObject({
      status: 502,
      reason: 'upstream_error',
      err_type: 'net',
    });
    expect(world.calls).toHaveLength(1);
  });

  it('and is late is waited for until the limit on heads, and not beyond', async () => {
    await using world = await startWorldOver(
      (call, index) => {
        // Scaled: 30 s of patience under a limit of 10 min are 0.3 s under one of 1.2 s.
        if (index === 0) setTimeout(() => call.answer('200 OK', [], 'late'), 300);
      },
      { limits: { headMs: 1_200 } },
    );
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    expect((await client.answer()).body().toString()).toBe('late');
    client.send(SONNET_STREAM_REQUEST);
    expect((await client.answer(2)).startLine).toBe('HTTP/1.1 504 Gateway Timeout');
    expect(await world.completion(2)).toMatchObject({ reason: 'timeout', err_type: 'timeout' });
  });
});
