import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import {
  brotliCompressSync,
  createBrotliCompress,
  createDeflate,
  createDeflateRaw,
  createGzip,
  createZstdCompress,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import { createParser } from 'eventsource-parser';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Op } from '../../protocol/usage-event.ts';
import type { TapResult } from '../types.ts';
import { createTap } from './tap.ts';

const FOLDER = new URL('../../../fixtures/streams/', import.meta.url);
const STREAMS = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.sse'))
  .map((file) => file.slice(0, -'.sse'.length));
const MIB = 1024 * 1024;

const bytesOf = (stream: string): Buffer => readFileSync(new URL(`${stream}.sse`, FOLDER));

/** A JSON answer of so many bytes. */
const filled = (length: number): string => `{"model":"m"}${' '.repeat(length - 13)}`;

const same = (bytes: Buffer): Buffer => bytes;

/** Header value, and how to produce a body that it tells the truth about. */
const CODINGS = [
  { header: undefined, compress: same },
  { header: 'identity', compress: same },
  { header: 'gzip', compress: gzipSync },
  { header: ' GZIP', compress: (bytes: Buffer) => gzipSync(bytes, { level: 0 }) },
  { header: 'deflate', compress: deflateSync },
  { header: 'deflate', compress: deflateRawSync },
  { header: 'br', compress: brotliCompressSync },
  { header: 'zstd', compress: zstdCompressSync },
] as const;

interface Reading {
  readonly contentType?: string;
  readonly contentEncoding?: string | undefined;
  readonly op?: Op;
}

const STREAM = {
  contentType: 'text/event-stream; charset=utf-8',
  contentEncoding: undefined,
  op: 'stream',
} as const;

async function read(pieces: readonly Buffer[], options: Reading = {}): Promise<TapResult> {
  const tap = createTap({ ...STREAM, ...options });
  for (const [at, piece] of pieces.entries()) tap.write(piece, at);
  return await tap.end();
}

const readText = (text: string): Promise<TapResult> => read([Buffer.from(text)]);

const readJson = (body: string | Buffer, options: Reading = {}): Promise<TapResult> =>
  read([Buffer.from(body)], { contentType: 'application/json', op: 'nonstream', ...options });

/** Cuts at the given places; equal places give empty pieces. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b);
  return [0, ...sorted].map((start, i) => bytes.subarray(start, sorted[i] ?? bytes.length));
}

function withoutGap({ sse, ...rest }: TapResult): object {
  return sse === undefined ? rest : { ...rest, sse: { events: sse.events, finished: sse.finished } };
}

interface WireUsage {
  input_tokens?: number;
  output_tokens?: number;
  cache_read_input_tokens?: number;
  cache_creation_input_tokens?: number;
  cache_creation?: { ephemeral_5m_input_tokens: number; ephemeral_1h_input_tokens: number };
}

interface WireEvent {
  type?: string;
  message?: { model: string; usage: WireUsage };
  usage?: WireUsage;
  error?: { type: string; code?: string; message: string };
}

const PUBLISHED = /^(message_start|message_delta|message_stop|content_block_(start|delta|stop)|ping|error)$/;

/** What another parser makes of the same bytes, with every event decoded and parsed. */
function oracle(bytes: Buffer): object {
  const seen: { type: string; value: WireEvent }[] = [];
  const parser = createParser({
    onEvent({ event, data }) {
      const value: WireEvent = data.startsWith('{') ? JSON.parse(data) : {};
      seen.push({ type: event ?? value.type ?? 'message', value });
    },
  });
  parser.feed(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));

  const start = seen.find(({ type }) => type === 'message_start')?.value.message;
  const error = seen.find(({ type }) => type === 'error')?.value.error;
  const stated = [
    start?.usage,
    ...seen.filter(({ type }) => type === 'message_delta').map(({ value }) => value.usage),
  ];
  return {
    sse: {
      events: seen.length,
      finished: seen.some(({ type }) => type === 'message_stop' || type === 'error'),
    },
    unknownEvents: [...new Set(seen.map(({ type }) => type).filter((type) => !PUBLISHED.test(type)))],
    ...(start !== undefined && { servedModel: start.model, tokens: tokensOf(stated) }),
    ...(error !== undefined && { error }),
  };
}

function tokensOf(stated: readonly (WireUsage | undefined)[]): object {
  const last: WireUsage = {};
  for (const usage of stated) {
    Object.assign(
      last,
      Object.fromEntries(Object.entries(usage ?? {}).filter(([, value]) => value !== null)),
    );
  }
  return {
    input: last.input_tokens ?? 0,
    output: last.output_tokens ?? 0,
    cache_read: last.cache_read_input_tokens ?? 0,
    cache_write_5m: last.cache_creation?.ephemeral_5m_input_tokens ?? last.cache_creation_input_tokens ?? 0,
    cache_write_1h: last.cache_creation?.ephemeral_1h_input_tokens ?? 0,
  };
}

describe('a tap on an event stream', () => {
  const none = { input: 0, output: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 };

  it.each([
    ['text', 8, { input: 12, output: 5 }],
    ['tool-use', 16, { input: 472, output: 89 }],
    ['thinking', 12, { input: 30, output: 61 }],
    [
      'cache-both-lifetimes',
      6,
      { input: 3, output: 7, cache_read: 52000, cache_write_5m: 600, cache_write_1h: 1200 },
    ],
    ['cache-lifetime-unstated', 6, { input: 9, output: 11, cache_read: 20, cache_write_5m: 410 }],
    ['zai-late-counts', 8, { input: 14, output: 32, cache_read: 64 }],
    ['long-text', 200, { input: 2048, output: 211 }],
    ['crlf', 8, { input: 12, output: 5 }],
    ['cr', 8, { input: 12, output: 5 }],
    ['comments', 8, { input: 12, output: 5 }],
    ['line-separators-in-data', 6, { input: 12, output: 9 }],
    ['multi-byte', 11, { input: 40, output: 23 }],
    ['without-names', 8, { input: 12, output: 5 }],
    ['data-in-lines', 8, { input: 12, output: 5 }],
    ['byte-order-mark', 8, { input: 12, output: 5 }],
  ])('reads the counts of %s', async (stream, events, tokens) => {
    const result = await read([bytesOf(stream)]);
    expect(result).toMatchObject({ sse: { events, finished: true }, tokens: { ...none, ...tokens } });
    expect(result).not.toHaveProperty('violation');
  });

  it('keeps the counts so far of a stream that was cut, and calls it unfinished', async () => {
    expect(await read([bytesOf('cut-short')])).toEqual({
      sse: { events: 3, finished: false, maxGapMs: 0 },
      tokens: { ...none, input: 25, output: 3 },
      servedModel: 'claude-haiku-4-5-20251001',
      unknownEvents: [],
    });
  });

  it('reads an error in the middle of a stream, which ends it', async () => {
    expect(await read([bytesOf('error-mid-stream')])).toMatchObject({
      sse: { events: 4, finished: true },
      error: { type: 'overloaded_error', message: 'Overloaded' },
      tokens: { input: 25, output: 1 },
    });
    expect((await read([bytesOf('zai-error-in-stream')])).error).toMatchObject({ code: '1308' });
  });

  it('ends at an error event that nobody can read', async () => {
    expect(await readText('event: error\ndata: oops\n\n')).toMatchObject({
      sse: { events: 1, finished: true },
      error: { type: 'error', message: '' },
      violation: 'error carries no JSON object',
    });
  });

  it('names each unknown event once, the default name included', async () => {
    expect((await read([bytesOf('unknown-events')])).unknownEvents).toEqual([
      'content_block_hint',
      'vendor.trace',
      'message',
    ]);
  });

  it('remembers a bounded number of unknown names, each cut to a bounded length', async () => {
    const stream = Array.from({ length: 1000 }, (_, i) => `event: e${i}${'x'.repeat(1000)}\ndata: {}\n\n`);
    const { unknownEvents, sse } = await readText(stream.join(''));
    expect(sse?.events).toBe(1000);
    expect(unknownEvents).toHaveLength(16);
    expect(unknownEvents.every((name) => name.length === 64)).toBe(true);
  });

  it.each([
    ['content_block_delta before message_start', 'event: content_block_delta\ndata: {}\n\n'],
    ['a second message_start', 'event: message_start\ndata: {}\n\n'.repeat(2)],
    [
      'message_delta after message_stop',
      ['message_start', 'message_stop', 'message_delta']
        .map((type) => `event: ${type}\ndata: {}\n\n`)
        .join(''),
    ],
    ['message_start carries no JSON object', 'event: message_start\ndata: {"message":\n\n'],
  ])('reports a breach of the protocol: %s', async (violation, stream) => {
    expect((await readText(stream)).violation).toBe(violation);
  });

  it('accepts a ping or an error anywhere', async () => {
    const stream = 'event: ping\ndata: {}\n\n';
    expect(await readText(stream)).not.toHaveProperty('violation');
    expect(await readText(`${bytesOf('text').toString()}${stream}`)).not.toHaveProperty('violation');
  });

  it('measures the longest silence between two pieces', async () => {
    const tap = createTap(STREAM);
    for (const at of [1000, 1010, 1500, 1501]) tap.write(Buffer.from(':\n\n'), at);
    expect((await tap.end()).sse?.maxGapMs).toBe(490);
  });

  it('gives the same result however often it is asked', async () => {
    for (const { header, compress } of CODINGS) {
      const tap = createTap({ ...STREAM, contentEncoding: header });
      tap.write(compress(bytesOf('text')), 0);
      const first = await tap.end();
      expect(first.tokens?.output).toBe(5);
      expect(await tap.end()).toEqual(first);
    }
  });

  it('gives up on an event of more than 8 MiB, whole or in pieces', async () => {
    const huge = Buffer.from(`${bytesOf('cut-short').toString()}\n\ndata: ${'x'.repeat(8 * MIB)}\n\n`);
    for (const pieces of [[huge], cut(huge, [MIB, 5 * MIB, 7 * MIB])]) {
      expect(await read(pieces)).toMatchObject({
        gaveUp: 'an event of more than 8388608 bytes',
        tokens: { input: 25 },
      });
    }
  });

  it('reads a stream of any length as long as its events are small', async () => {
    const result = await read(Array.from({ length: 500 }, () => bytesOf('long-text')));
    expect(result.gaveUp).toBeUndefined();
    expect(result.sse?.events).toBe(100_000);
  });
});

describe('a tap on any fixture stream', () => {
  const places = fc.array(fc.nat(), { maxLength: 30 });

  it.each(STREAMS)(
    'reads %s the same in any pieces, framing and compression, and as another parser does',
    async (stream) => {
      const text = bytesOf(stream).toString();
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom('\n', '\r\n', '\r'),
          fc.constantFrom(...CODINGS),
          places,
          async (newline, { header, compress }, cuts) => {
            const bytes = Buffer.from(text.replaceAll(/\r\n|\r|\n/g, newline));
            const result = await read(cut(compress(bytes), cuts), { contentEncoding: header });
            expect(withoutGap(result)).toEqual(oracle(bytes));
          },
        ),
        { numRuns: 60 },
      );
    },
  );

  it.each(STREAMS)('reads %s byte by byte, and cut off at any byte', async (stream) => {
    const bytes = bytesOf(stream);
    const single = Array.from(bytes.keys(), (i) => bytes.subarray(i, i + 1));
    expect(withoutGap(await read(single))).toEqual(oracle(bytes));
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length), places, async (length, cuts) => {
        const part = bytes.subarray(0, length);
        expect(withoutGap(await read(cut(part, cuts)))).toEqual(oracle(part));
      }),
      { numRuns: 60 },
    );
  });
});

describe('a tap on a compressed answer', () => {
  it.each([
    ['gzip', createGzip],
    ['deflate', createDeflate],
    ['deflate', createDeflateRaw],
    ['br', createBrotliCompress],
    ['zstd', createZstdCompress],
  ] as const)('keeps what a %s body said before it was cut', async (contentEncoding, create) => {
    const compressor = create();
    const pieces: Buffer[] = [];
    compressor.on('data', (piece: Buffer) => pieces.push(piece));
    await promisify((done: (error?: Error | null) => void) => compressor.write(bytesOf('cut-short'), done))();
    await promisify((done: () => void) => compressor.flush(done))();
    const result = await read(pieces, { contentEncoding });
    compressor.destroy();
    expect(withoutGap(result)).toEqual(oracle(bytesOf('cut-short')));
  });

  it.each(['gzip', 'deflate', 'br', 'zstd'])(
    'gives up where the bytes are not %s',
    async (contentEncoding) => {
      const result = await read([Buffer.from([0x68, ...bytesOf('text')]), bytesOf('text')], {
        contentEncoding,
      });
      expect(result.gaveUp).toContain(`the body is not ${contentEncoding}`);
      expect(result).not.toHaveProperty('tokens');
    },
  );

  it('keeps the counts that came before the bytes went wrong', async () => {
    const bytes = gzipSync(bytesOf('long-text'), { level: 0 });
    bytes.writeUInt32LE(0xdeadbeef, bytes.length - 8);
    const result = await read([bytes], { contentEncoding: 'gzip' });
    expect(result).toMatchObject({
      tokens: { input: 2048 },
      gaveUp: expect.stringContaining('incorrect data check'),
    });
  });

  it.each(['compress', 'gzip, br', 'constructor'])(
    'gives up at once on a coding that it does not know: %s',
    async (coding) => {
      const tap = createTap({ ...STREAM, contentEncoding: coding });
      expect(await tap.end()).toMatchObject({
        gaveUp: `the content encoding ${JSON.stringify(coding)} is not known`,
      });
    },
  );

  it('lets go once decompression is more than 4 MiB behind', async () => {
    const noise = gzipSync(randomBytes(5 * MIB), { level: 0 });
    const pieces = cut(
      noise,
      Array.from({ length: 80 }, (_, i) => i * 65_536),
    );
    expect((await read(pieces, { contentEncoding: 'gzip' })).gaveUp).toBe('decompression fell behind');
  });

  it('gives up on what unpacks to one endless event', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * MIB, 'data: '));
    expect((await read([bomb], { contentEncoding: 'gzip' })).gaveUp).toBe(
      'an event of more than 8388608 bytes',
    );
  });
});

describe('a tap on a JSON answer', () => {
  const message = JSON.stringify({
    type: 'message',
    model: 'claude-sonnet-5',
    content: [{ type: 'text', text: '"usage": {"input_tokens": 99}' }],
    usage: { input_tokens: 7, output_tokens: 8, cache_creation: { ephemeral_1h_input_tokens: 9 } },
  });

  it('reads usage and model, in any pieces and compression', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...CODINGS),
        fc.array(fc.nat(), { maxLength: 9 }),
        async (coding, cuts) => {
          const pieces = cut(coding.compress(Buffer.from(message)), cuts);
          const options = {
            contentType: 'Application/JSON',
            contentEncoding: coding.header,
            op: 'nonstream',
          } as const;
          expect(await read(pieces, options)).toEqual({
            unknownEvents: [],
            servedModel: 'claude-sonnet-5',
            tokens: { input: 7, output: 8, cache_read: 0, cache_write_5m: 0, cache_write_1h: 9 },
          });
        },
      ),
    );
  });

  it('gives the same result however often it is asked', async () => {
    const tap = createTap({ contentType: 'application/json', contentEncoding: undefined, op: 'nonstream' });
    tap.write(Buffer.from(message), 0);
    const first = await tap.end();
    expect(first.tokens?.output).toBe(8);
    expect(await tap.end()).toEqual(first);
  });

  it('reads an error', async () => {
    const body = '{"type":"error","error":{"type":"rate_limit_error","message":"slow"},"request_id":"req_1"}';
    expect(await readJson(body)).toEqual({
      unknownEvents: [],
      error: { type: 'rate_limit_error', message: 'slow' },
    });
  });

  it('counts no tokens for an answer to count_tokens', async () => {
    expect(await readJson('{"input_tokens":2095}', { op: 'count_tokens' })).toEqual({ unknownEvents: [] });
    expect(await readJson('{"usage":{"input_tokens":2095}}', { op: 'count_tokens' })).toEqual({
      unknownEvents: [],
    });
  });

  it.each(['[1]', 'null', '"text"', '{}', ''])('finds nothing in %j, and nothing wrong', async (body) => {
    expect(await readJson(body)).toEqual({ unknownEvents: [] });
  });

  it('says so where the body is not JSON', async () => {
    expect(await readJson('<html>')).toEqual({ unknownEvents: [], torn: true });
  });

  it('reads a body of 8 MiB and gives up on a longer one', async () => {
    expect((await readJson(filled(8 * MIB))).servedModel).toBe('m');
    expect(await readJson(filled(8 * MIB + 1))).toEqual({
      unknownEvents: [],
      gaveUp: 'a JSON body of more than 8388608 bytes',
    });
  });
});

describe('a tap on anything', () => {
  it('is blind to answers that carry nothing to count', async () => {
    const nothing = { unknownEvents: [] };
    expect(await read([bytesOf('text')], { contentType: 'text/html' })).toEqual(nothing);
    expect(await read([bytesOf('text')], { contentType: '' })).toEqual(nothing);
    expect(await read([bytesOf('text')], { op: 'other' })).toEqual(nothing);
    expect(await readJson('{"model":"m"}', { op: 'models' })).toEqual(nothing);
  });

  it('takes any bytes under any header without an exception', async () => {
    const header = fc.constantFrom('gzip', 'deflate', 'br', 'zstd', '', 'identity');
    const type = fc.constantFrom('text/event-stream', 'application/json');
    const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    const damaged = fc
      .tuple(fc.constantFrom(...CODINGS), fc.nat(), noise)
      .map(([{ compress }, place, bytes]) => {
        const body = Buffer.from(compress(bytesOf('text')));
        bytes.copy(body, place % body.length);
        return body;
      });
    await fc.assert(
      fc.asyncProperty(
        header,
        type,
        fc.array(fc.oneof(noise, damaged)),
        async (contentEncoding, contentType, pieces) => {
          expect(await read(pieces, { contentEncoding, contentType })).toHaveProperty('unknownEvents');
        },
      ),
      { numRuns: 300 },
    );
  });
});
