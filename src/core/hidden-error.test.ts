/** Errors that come inside a success: a fallback is possible until the client was sent something. */
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { connectClient } from './testing/raw-client.ts';
import { HAIKU_REQUEST, HAIKU_STREAM_REQUEST } from './testing/requests.ts';
import { delta, EVENT_STREAM, event, PING, START, WHOLE_STREAM } from './testing/streams.ts';
import {
  answerMessage,
  ask,
  fails,
  JSON_TYPE,
  MESSAGE,
  NO_FALLBACK,
  type Respond,
  startTwoLanes,
  zaiError,
} from './testing/two-lanes.ts';

/** By coding: compresses a text; one that goes on is flushed, but not ended. */
const CODINGS: [string, (text: string, goesOn?: 'goes on') => Buffer][] = [
  ['gzip', (text, goesOn) => gzipSync(text, goesOn && { finishFlush: constants.Z_SYNC_FLUSH })],
  ['deflate', (text, goesOn) => deflateSync(text, goesOn && { finishFlush: constants.Z_SYNC_FLUSH })],
  [
    'br',
    (text, goesOn) => brotliCompressSync(text, goesOn && { finishFlush: constants.BROTLI_OPERATION_FLUSH }),
  ],
  ['zstd', (text, goesOn) => zstdCompressSync(text, goesOn && { finishFlush: constants.ZSTD_e_flush })],
];

describe('an error inside a 200 of Z.AI', () => {
  const ERROR = zaiError('1308');
  const IN_STREAM = event(JSON.parse(ERROR));

  it.each<[string, Respond, Buffer]>([
    ['a JSON body', fails('200 OK', ERROR), HAIKU_REQUEST],
    ['a JSON body, for a stream', fails('200 OK', ERROR), HAIKU_STREAM_REQUEST],
    ['a foreign shape', fails('200 OK', '{"code":1308,"msg":"limit","success":false}'), HAIKU_REQUEST],
    ...CODINGS.map(([coding, compress]): [string, Respond, Buffer] => [
      `a body in ${coding}`,
      (call) => call.answer('200 OK', [JSON_TYPE, `content-encoding: ${coding}`], compress(ERROR)),
      HAIKU_REQUEST,
    ]),
  ])('as %s still falls back', async (_, respond, request) => {
    await using world = await startTwoLanes(respond);
    expect(await ask(world, request)).toEqual({ status: '200 OK', body: MESSAGE });
    expect(await world.completion()).toMatchObject({
      decision: 'fallback_limit',
      reason: 'ok',
      attempts: [{ provider: 'zai', status: 200, err_type: 'limit' }, { provider: 'anth' }],
    });
  });

  it.each([
    ['at once', [IN_STREAM]],
    ['after pings and comments', [PING, ': keep-alive\n\n', PING, IN_STREAM]],
    ['cut into bytes', Array.from(PING + IN_STREAM)],
    ['with CRLF', [IN_STREAM.replaceAll('\n', '\r\n')]],
  ])('as first event of a stream, %s, still falls back', async (_, pieces) => {
    await using world = await startTwoLanes(
      (call) => {
        call.open('200 OK', [EVENT_STREAM]);
        // Not ended: the event alone has to do.
        for (const piece of pieces) call.chunk(piece);
      },
      (call) => call.answer('200 OK', [EVENT_STREAM], WHOLE_STREAM),
    );
    expect(await ask(world, HAIKU_STREAM_REQUEST)).toEqual({ status: '200 OK', body: WHOLE_STREAM });
    expect(await world.completion()).toMatchObject({ decision: 'fallback_limit', reason: 'ok' });
    // One start: what was held back left no trace.
    expect(world.streamStarts).toMatchObject([{ lane: 'anthropic' }]);
  });

  it.each(CODINGS)(
    'as first event of a stream in %s that goes on still falls back',
    async (coding, compress) => {
      await using world = await startTwoLanes(
        (call) => {
          call.open('200 OK', [EVENT_STREAM, `content-encoding: ${coding}`]);
          call.chunk(compress(PING + IN_STREAM, 'goes on'));
        },
        (call) => call.answer('200 OK', [EVENT_STREAM], WHOLE_STREAM),
      );
      expect((await ask(world, HAIKU_STREAM_REQUEST)).body).toBe(WHOLE_STREAM);
    },
  );

  it('after the first event is the client’s: nothing else is tried', async () => {
    const stream = START + delta('a') + IN_STREAM;
    await using world = await startTwoLanes((call) =>
      call.answerInPieces('200 OK', [EVENT_STREAM], Buffer.from(stream), 40),
    );
    expect((await ask(world, HAIKU_STREAM_REQUEST)).body).toBe(stream);
    expect(world.anth.calls).toEqual([]);
    expect(await world.completion()).toMatchObject({
      decision: 'to_zai',
      reason: 'upstream_error',
      err_type: 'limit',
      status: 200,
    });
  });

  it('whose stream breaks after the first event breaks the client’s: nothing else is tried', async () => {
    await using world = await startTwoLanes((call) => {
      call.open('200 OK', [EVENT_STREAM]);
      call.chunk(START);
    });
    await using client = await connectClient(world.port);
    client.send(HAIKU_STREAM_REQUEST);
    await client.head();
    world.zai.calls[0]?.socket.resetAndDestroy();
    await client.closed();
    expect(world.anth.calls).toEqual([]);
    expect(await world.completion()).toMatchObject({
      decision: 'to_zai',
      reason: 'upstream_reset',
      err_type: 'net',
    });
  });

  it('is passed on with everything before it where nothing may take over', async () => {
    const stream = PING + IN_STREAM;
    await using world = await startTwoLanes(
      (call) => call.answer('200 OK', [EVENT_STREAM], stream),
      answerMessage,
      NO_FALLBACK,
    );
    expect((await ask(world, HAIKU_STREAM_REQUEST)).body).toBe(stream);
    expect(await world.completion()).toMatchObject({
      reason: 'upstream_error',
      err_type: 'limit',
      status: 200,
    });
  });
});
