/** What a client gets through the proxy is what the upstream sent, byte for byte, over real sockets. */
import { describe, expect, it } from 'vitest';
import { messagesRequest } from './testing/raw-client.ts';
import { startRawUpstream } from './testing/raw-upstream.ts';
import { startWorld } from './testing/world.ts';

const REQUEST = messagesRequest({ model: 'claude-sonnet-5', messages: [] });

describe('an answer', () => {
  it('passes with its status, its headers in order, case and number, and its body', async () => {
    await using upstream = await startRawUpstream((call) =>
      call.answer('200 Fine', ['X-B: 1', 'x-a: 2', 'X-B: 3', 'content-type: text/plain'], 'hello'),
    );
    await using world = await startWorld({ anth: upstream.origin });
    const client = await world.connect();
    client.send(REQUEST);
    const answer = await client.answer();
    expect(answer.startLine).toBe('HTTP/1.1 200 Fine');
    expect(answer.headers.slice(0, 10)).toEqual([
      ...['X-B', '1', 'x-a', '2', 'X-B', '3', 'content-type', 'text/plain', 'content-length', '5'],
    ]);
    expect(answer.body().toString()).toBe('hello');
    expect(await world.completion()).toMatchObject({ status: 200, reason: 'ok', bytes_out: 5 });
  });
});
