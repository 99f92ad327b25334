import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Transcript } from '../../protocol/transcript.ts';
import { payloadOf, streamText } from '../testing/made-exchange.ts';
import { answerOf, isFinished } from './answer.ts';
import { tokensOf } from './tokens.ts';

function transcriptOf(body: string | Buffer, headers: [string, string][]): Transcript {
  return {
    id: 't',
    side: 'upstream',
    observer: 'anth',
    connection: 'c',
    http: '1.1',
    startedAt: 0,
    request: { method: 'POST', target: '/v1/messages', headers: [], body: payloadOf('') },
    response: { status: 200, headers, body: payloadOf(body), headMs: 1 },
    ending: 'complete',
    endedMs: 1,
  };
}

const SSE: [string, string] = ['Content-Type', 'text/event-stream'];
const text = streamText('m', { start: { input_tokens: 1 }, delta: { output_tokens: 2 } });
const types = (transcript: Transcript): string[] => {
  const answer = answerOf(transcript);
  return answer.kind === 'stream' ? answer.events.map(({ type }) => type) : [answer.kind];
};

describe('answerOf', () => {
  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ] as const)('reads a stream in %s, and what is left of one cut short', (encoding, compress) => {
    const whole = compress(Buffer.from(text.repeat(50)));
    const headers: [string, string][] = [SSE, ['content-encoding', encoding]];
    expect(types(transcriptOf(whole, headers))).toHaveLength(8 * 50);
    const cut = answerOf(transcriptOf(whole.subarray(0, whole.length - 12), headers));
    expect(cut.kind).toBe('stream');
  });

  it('undoes several encodings in reverse order', () => {
    const body = brotliCompressSync(gzipSync(Buffer.from(text)));
    expect(types(transcriptOf(body, [SSE, ['content-encoding', 'gzip, br']]))).toHaveLength(8);
  });

  it('reads CR, LF and CRLF alike', () => {
    for (const end of ['\r', '\r\n']) {
      expect(types(transcriptOf(text.replaceAll('\n', end), [SSE]))).toHaveLength(8);
    }
  });

  it('can make nothing of a false encoding or of bytes that were not kept', () => {
    expect(types(transcriptOf(text, [SSE, ['content-encoding', 'gzip']]))).toEqual(['unreadable']);
    const { response, ...rest } = transcriptOf(text, [SSE]);
    const { base64: _dropped, ...body } = payloadOf(text);
    const unkept = { ...rest, ...(response && { response: { ...response, body } }) };
    expect(types(unkept)).toEqual(['unreadable']);
  });

  it('knows a finished stream by message_stop or an error', () => {
    expect(isFinished([{ type: 'message_stop', data: '' }])).toBe(true);
    expect(isFinished([{ type: 'error', data: '' }])).toBe(true);
    expect(isFinished([{ type: 'message_delta', data: '' }])).toBe(false);
  });
});

describe('tokensOf', () => {
  const streamed = (start: object, delta: object) =>
    tokensOf(answerOf(transcriptOf(streamText('m', { start, delta }), [SSE])));

  it('lets the cumulative counts of message_delta replace those of message_start', () => {
    expect(
      streamed({ input_tokens: 10, output_tokens: 1 }, { output_tokens: 20, input_tokens: null }),
    ).toEqual({
      input: 10,
      output: 20,
      cache_read: 0,
      cache_write_5m: 0,
      cache_write_1h: 0,
    });
  });

  it('believes the late counts of Z.AI and not its zeros', () => {
    expect(
      streamed({ input_tokens: 0, output_tokens: 0 }, { input_tokens: 14, output_tokens: 32 }),
    ).toMatchObject({
      input: 14,
      output: 32,
    });
  });

  it('tells cache writes apart by lifetime, and takes unsplit ones for five minutes', () => {
    const split = { ephemeral_5m_input_tokens: 4, ephemeral_1h_input_tokens: 3 };
    const written = streamed({ cache_creation_input_tokens: 7, cache_creation: split }, {});
    expect(written).toMatchObject({ cache_write_5m: 4, cache_write_1h: 3 });
    expect(streamed({ cache_creation_input_tokens: 7 }, {})).toMatchObject({
      cache_write_5m: 7,
      cache_write_1h: 0,
    });
  });

  it('has none for an answer that states none', () => {
    expect(tokensOf(answerOf(transcriptOf('{"type":"error"}', [])))).toBeUndefined();
    expect(tokensOf(answerOf(transcriptOf('<html>', [])))).toBeUndefined();
  });
});
