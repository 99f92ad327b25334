/** Event streams for tests: the recorded ones, and a small one in pieces. */
import { readdirSync, readFileSync } from 'node:fs';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';

const FOLDER = new URL('../../../fixtures/streams/', import.meta.url);

/** All recorded streams, by name. */
export const STREAMS: ReadonlyMap<string, Buffer> = new Map(
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.sse'))
    .map((file) => [file.slice(0, -'.sse'.length), readFileSync(new URL(file, FOLDER))]),
);

export const EVENT_STREAM = 'content-type: text/event-stream; charset=utf-8';

/** One event as Anthropic frames it. */
export function event(data: { readonly type: string; readonly [key: string]: unknown }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-5',
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: { input_tokens: 12, output_tokens: 1 },
};

export const PING = event({ type: 'ping' });
export const START = event({ type: 'message_start', message });
export const BLOCK_START = event({
  type: 'content_block_start',
  index: 0,
  content_block: { type: 'text', text: '' },
});
export const BLOCK_STOP = event({ type: 'content_block_stop', index: 0 });
export const STOP = event({ type: 'message_stop' });

/** A piece of text. */
export function delta(text: string): string {
  return event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });
}

/** The last counts, which are totals. */
export function messageDelta(outputTokens: number): string {
  return event({
    type: 'message_delta',
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: outputTokens },
  });
}

/** A whole small answer: 12 tokens in, 9 out. */
export const WHOLE_STREAM = [
  START,
  BLOCK_START,
  PING,
  delta('Hello'),
  BLOCK_STOP,
  messageDelta(9),
  STOP,
].join('');

/** What a record says of `WHOLE_STREAM`. */
export const SMALL_TOKENS = { input: 12, output: 9, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 };

/** Every content coding that Claude Code asks for, and how to produce it. */
export const CODINGS: ReadonlyMap<string, (bytes: Buffer) => Buffer> = new Map<
  string,
  (bytes: Buffer) => Buffer
>([
  ['gzip', (bytes) => gzipSync(bytes)],
  ['br', (bytes) => brotliCompressSync(bytes)],
  ['zstd', (bytes) => zstdCompressSync(bytes)],
  ['deflate', (bytes) => deflateSync(bytes)],
  ['deflate without a zlib header', (bytes) => deflateRawSync(bytes)],
]);
