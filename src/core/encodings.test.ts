/** Compressed answers reach the client as they came, and are counted all the same. */
import { createGzip, constants as zlib } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { connectClient } from './testing/raw-client.ts';
import { SONNET_REQUEST, SONNET_STREAM_REQUEST } from './testing/requests.ts';
import { CODINGS, EVENT_STREAM, SMALL_TOKENS, STREAMS, WHOLE_STREAM } from './testing/streams.ts';
import { startWorldOver } from './testing/world.ts';

/** Compressed by that coder, or as it is. */
function compressed(coder: string | null, bytes: Buffer): Buffer {
  return CODINGS.get(coder ?? '')?.(bytes) ?? bytes;
}

describe('a compressed answer', () => {
  it.each([...CODINGS])('by %s passes untouched, and is counted', async (name, compress) => {
    const coding = name.split(' ', 1)[0] ?? '';
    const streams = [...STREAMS.values()];
    await using world = await startWorldOver((call, index) => {
      const body = streams[index >> 1] ?? Buffer.alloc(0);
      if (index % 2 === 0) call.answer('200 OK', [EVENT_STREAM], body);
      else call.answerInPieces('200 OK', [EVENT_STREAM, `content-encoding: ${coding}`], compress(body), 97);
    });
    await using client = await connectClient(world.port);
    for (const [index, stream] of streams.entries()) {
      client.send(SONNET_STREAM_REQUEST);
      await client.answer(2 * index + 1);
      client.send(SONNET_STREAM_REQUEST);
      const answer = await client.answer(2 * index + 2);
      expect(answer.headers).toContain('content-encoding');
      expect(answer.body().equals(compress(stream))).toBe(true);
      const plain = await world.completion(2 * index + 1);
      const counted = await world.completion(2 * index + 2);
      expect(counted.tokens).toEqual(plain.tokens);
      expect(counted.reason).toBe(plain.reason);
      expect(counted.sse?.events).toBe(plain.sse?.events);
    }
  });

  it('of a refusal is told apart from text, and passes untouched', async () => {
    const body = '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}';
    const bytes = compressed('gzip', Buffer.from(body));
    const headers = ['content-type: application/json', 'content-encoding: gzip'];
    await using world = await startWorldOver((call) => call.answer('500 Oops', headers, bytes));
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    expect((await client.answer()).body().equals(bytes)).toBe(true);
    expect(await world.completion()).toMatchObject({ status: 500, err_type: 'overloaded' });
  });

  it.each([
    ['zstd that no header mentions', 'zstd', null],
    ['text that claims to be gzip', null, 'gzip'],
    ['text in a coding that nobody knows', null, 'x-squeezed'],
  ])('that is %s passes as it is', async (_what, compressor, claimed) => {
    const body = compressed(compressor, Buffer.from(WHOLE_STREAM));
    const headers = [EVENT_STREAM, ...(claimed === null ? [] : [`content-encoding: ${claimed}`])];
    await using world = await startWorldOver((call) => call.answerInPieces('200 OK', headers, body, 50));
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    expect((await client.answer()).body().equals(body)).toBe(true);
    const { tokens, status } = await world.completion();
    expect({ tokens, status }).toEqual({ tokens: undefined, status: 200 });
  });

  it('goes on after a piece that decompresses to nothing', async () => {
    const gzip = createGzip();
    const pieces: Buffer[] = [];
    gzip.on('data', (piece: Buffer) => pieces.push(piece));
    for (const part of [WHOLE_STREAM.slice(0, 300), '', '', WHOLE_STREAM.slice(300)]) {
      gzip.write(part);
      await new Promise<void>((resolve) => gzip.flush(zlib.Z_FULL_FLUSH, resolve));
    }
    await new Promise<void>((resolve) => gzip.end(resolve));
    await using world = await startWorldOver((call) => {
      call.open('200 OK', [EVENT_STREAM, 'content-encoding: gzip']);
      for (const piece of pieces) call.chunk(piece);
      call.endChunks();
    });
    await using client = await connectClient(world.port);
    client.send(SONNET_STREAM_REQUEST);
    expect((await client.answer()).body().equals(Buffer.concat(pieces))).toBe(true);
    expect(await world.completion()).toMatchObject({ reason: 'ok', tokens: SMALL_TOKENS });
  });
});
