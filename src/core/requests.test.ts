/** What the upstream receives is what the client sent, over real sockets. */
import { describe, expect, it } from 'vitest';
import { linesOf, valueOf } from './testing/http1-message.ts';
import { connectClient } from './testing/raw-client.ts';
import type { Call } from './testing/raw-upstream.ts';
import { messagesRequest, SONNET_REQUEST } from './testing/requests.ts';
import { until } from './testing/wait.ts';
import { startWorldOver } from './testing/world.ts';

const ok = (call: Call): void => call.answer('200 OK', [], '{}');

/** The header lines of the upstream's request without those that name the hop: host and framing. */
function passedLines(call: Call): string[] {
  return linesOf(call.request.headers).filter(
    (line) => !/^(?:host|connection|content-length|transfer-encoding):/i.test(line),
  );
}

describe('a request', () => {
  it('keeps its headers in order, case and number', async () => {
    const lines = [
      'X-Stainless-Lang: js',
      'anthropic-beta: one,two',
      'Anthropic-Beta: three',
      'x-b: 2',
      'X-A: 1',
      'x-b: 1',
      'User-Agent: claude-cli/2.1.197 (external, sdk-cli)',
      'Accept-Encoding: gzip, deflate, br, zstd',
      'Authorization: Bearer sk-ant-oat-made-up',
      'X-Api-Key: sk-ant-api-made-up',
      'x-claude-code-session-id: 1',
      'x-latin: \u00e9',
      'x-empty: ',
    ];
    await using world = await startWorldOver(ok);
    await using client = await connectClient(world.port);
    client.send(messagesRequest({ model: 'claude-sonnet-5' }, lines));
    await client.answer();
    const call = world.calls[0] ?? expect.fail();
    expect(passedLines(call)).toEqual([...lines, 'content-type: application/json']);
    expect(await world.completion()).toMatchObject({ client: 'claude-cli/2.1.197' });
  });

  it('loses the headers of the hop, and what its Connection header names', async () => {
    const hop = [
      'Connection: x-Foo, close',
      'X-Foo: 1',
      'Keep-Alive: 5',
      'TE: trailers',
      'Proxy-Authorization: Basic x',
    ];
    await using world = await startWorldOver(ok);
    await using client = await connectClient(world.port);
    client.send(messagesRequest({}, [...hop, 'Proxy-Connection: close', 'x-kept: 1', 'x-ccp-token: secret']));
    await client.answer();
    expect(passedLines(world.calls[0] ?? expect.fail())).toEqual([
      'x-kept: 1',
      'content-type: application/json',
    ]);
  });

  it('names the upstream as its host', async () => {
    await using world = await startWorldOver(ok);
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    await client.answer();
    const { headers } = (world.calls[0] ?? expect.fail()).request;
    const { upstream } = await world.completion();
    expect(headers.filter((name) => name.toLowerCase() === 'host')).toHaveLength(1);
    expect(valueOf(headers, 'host')).toBe(new URL(upstream).host);
  });

  it.each([
    '/v1/messages?beta=true',
    '/v1/messages?b=%2F&a=%20x+y&&c&b=1#',
    '/v1/messages?x=\'"<>|{}^`',
    '/v1/messages/?beta=true',
    '/v1//messages/../x?y=%zz',
  ])('to %s keeps its target byte for byte', async (target) => {
    await using world = await startWorldOver(ok);
    await using client = await connectClient(world.port);
    client.send(messagesRequest({ model: 'claude-sonnet-5' }, [], target));
    expect((await client.answer()).startLine).toBe('HTTP/1.1 200 OK');
    expect(world.calls[0]?.request.startLine).toBe(`POST ${target} HTTP/1.1`);
    expect((await world.completion()).path).toBe(target.split('?', 1)[0]);
  });

  it('keeps its JSON as it was written: order, spaces, escapes, duplicates', async () => {
    const body = Buffer.from(
      '{ "stream":false,\r\n\t"model" : "claude-sonnet-5", "a":1e2,"b":1.0, "c":"\\u00e9\\/\u00e9\u2028", "a":2,"__proto__":{} }\n',
    );
    await using world = await startWorldOver(ok);
    await using client = await connectClient(world.port);
    client.send(messagesRequest(body));
    await client.answer();
    expect(world.calls[0]?.request.body().equals(body)).toBe(true);
    expect(await world.completion()).toMatchObject({ model: 'claude-sonnet-5', bytes_in: body.length });
  });

  it.each([
    ['no JSON', Buffer.from('model=claude-haiku')],
    ['no text', Buffer.from([0xff, 0xfe, 0x00, 0x80])],
    ['nothing', Buffer.alloc(0)],
  ])('whose body is %s goes to Anthropic untouched', async (_what, body) => {
    await using world = await startWorldOver(ok);
    await using client = await connectClient(world.port);
    client.send(messagesRequest(body));
    await client.answer();
    expect(world.calls[0]?.request.body().equals(body)).toBe(true);
    expect(await world.completion()).toMatchObject({ model: null, decision: 'to_anthropic', status: 200 });
  });

  it('in chunks arrives with the same body, and its model is read', async () => {
    const body = JSON.stringify({ model: 'claude-sonnet-5', text: 'x'.repeat(50_000) });
    await using world = await startWorldOver(ok);
    await using client = await connectClient(world.port);
    client.send('POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n');
    for (let at = 0; at < body.length; at += 7_001) {
      const piece = body.slice(at, at + 7_001);
      client.send(`${piece.length.toString(16)};ext=1\r\n${piece}\r\n`);
    }
    client.send('0\r\nx-trailer: 1\r\n\r\n');
    expect((await client.answer()).startLine).toBe('HTTP/1.1 200 OK');
    expect(world.calls[0]?.request.body().toString()).toBe(body);
    expect(await world.completion()).toMatchObject({ model: 'claude-sonnet-5', bytes_in: body.length });
  });

  it('that expects to be invited is, and its body follows', async () => {
    await using world = await startWorldOver(ok);
    await using client = await connectClient(world.port);
    client.send(
      'POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n',
    );
    expect((await client.answer()).startLine).toBe('HTTP/1.1 100 Continue');
    expect(world.calls).toHaveLength(0);
    client.send('{}');
    expect((await client.answer(2)).startLine).toBe('HTTP/1.1 200 OK');
    const { request } = world.calls[0] ?? expect.fail();
    expect(request.body().toString()).toBe('{}');
    expect(valueOf(request.headers, 'expect')).toBeUndefined();
  });

  it.each([
    ['GET', '/v1/models?limit=1000', 'models'],
    ['GET', '/v1/messages/batches', 'other'],
    ['DELETE', '/v1/messages/batches/1', 'other'],
    ['OPTIONS', '/anything', 'other'],
    ['PROPFIND', '/unknown', 'other'],
  ])('by %s to %s passes without a body', async (method, target, op) => {
    await using world = await startWorldOver((call) =>
      call.answer('404 Not Found', ['x-from: upstream'], 'no'),
    );
    await using client = await connectClient(world.port);
    client.send(`${method} ${target} HTTP/1.1\r\nhost: localhost\r\nx-api-key: sk-ant-made-up\r\n\r\n`);
    const answer = await client.answer();
    expect(answer.startLine).toBe('HTTP/1.1 404 Not Found');
    expect(valueOf(answer.headers, 'x-from')).toBe('upstream');
    const { request } = world.calls[0] ?? expect.fail();
    expect(request.startLine).toBe(`${method} ${target} HTTP/1.1`);
    expect(valueOf(request.headers, 'x-api-key')).toBe('sk-ant-made-up');
    expect(request.bytes).toBe(0);
    expect(await world.completion()).toMatchObject({ op, status: 404, lane: 'anthropic', model: null });
  });

  it.each([
    ['of a promised length', 'content-length: 12', (text: string) => text],
    [
      'in chunks',
      'transfer-encoding: chunked',
      (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`,
    ],
  ])('to an unknown path streams both ways %s', async (_how, framing, framed) => {
    await using world = await startWorldOver(() => {}, { upstream: { at: 'head' } });
    await using client = await connectClient(world.port);
    client.send(`PUT /v1/files HTTP/1.1\r\nhost: localhost\r\n${framing}\r\n\r\n`);
    client.send(framed('first.'));
    const call = await until(() => world.calls[0], 'the head at the upstream');
    await until(() => call.request.body().toString() === 'first.', 'the first half at the upstream');
    // The answer begins while the request is still under way.
    call.open('200 OK', []);
    call.chunk('seen: first.');
    const answer = await client.head();
    await until(() => answer.body().toString() === 'seen: first.', 'the first half of the answer');
    client.send(framed('second'));
    if (framing.includes('chunked')) client.send('0\r\n\r\n');
    await until(() => call.request.whole, 'the second half at the upstream');
    expect(call.request.body().toString()).toBe('first.second');
    call.endChunks();
    await client.answer();
    expect(await world.completion()).toMatchObject({
      op: 'other',
      method: 'PUT',
      bytes_in: 12,
      bytes_out: 12,
      reason: 'ok',
    });
  });

  it('with a path of kilobytes passes whole, and its records keep the start', async () => {
    const path = `/v1/${'p'.repeat(4_000)}`;
    await using world = await startWorldOver(ok);
    await using client = await connectClient(world.port);
    client.send(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    await client.answer();
    expect(world.calls[0]?.request.startLine).toBe(`GET ${path} HTTP/1.1`);
    expect((await world.completion()).path).toBe(path.slice(0, 1024));
  });
});
