/**
 * Decides how long the start of an answer is held back, so that a failure can still go to another lane.
 * Only answers that may have a successor are held; everything else passes at once.
 */
import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib';
import { isEventStream } from './answer.ts';
import { headerValue } from './header-policy.ts';
import type { AnswerHead } from './relay.ts';

/** An error answer is held to its end, a success only until it has shown that it is one. */
export type Hold = 'error' | 'stream' | 'json';

const MAX_ERROR_BYTES = 64 * 1024;
/** An error inside a 200 is a short JSON document; a longer one is an answer. */
const MAX_JSON_BYTES = 4 * 1024;
/** Pings say that the upstream is alive, and the client wants to know: it shows a warning after 20 s of silence. */
const MAX_STREAM_MS = 5_000;

/** How this answer is held, or null where it can pass at once. */
export function holdFor(head: AnswerHead): Hold | null {
  if (head.status >= 400) return 'error';
  if (!DECODERS.has(codingOf(head))) return null;
  return isEventStream(head) ? 'stream' : 'json';
}

/** What is held of an answer, and since when. */
export interface Held {
  readonly head: AnswerHead;
  readonly pieces: readonly Buffer[];
  readonly bytes: number;
  /** Milliseconds since the head. */
  readonly ms: number;
}

/** Whether what was held so far suffices to judge, or is too much to hold on to. */
export function heldEnough(hold: Hold, { head, pieces, bytes, ms }: Held): boolean {
  if (hold === 'error') return bytes >= MAX_ERROR_BYTES;
  if (bytes >= MAX_JSON_BYTES) return true;
  return hold === 'stream' && (ms >= MAX_STREAM_MS || evidenceOf(hold, head, pieces) !== null);
}

/** The part of a held answer that says whether it is an error: an error body, or the data of the first event. */
export function evidenceOf(hold: Hold, head: AnswerHead, held: readonly Buffer[]): Buffer | null {
  const body = decoded(Buffer.concat(held), codingOf(head));
  return hold === 'stream' && body !== null ? firstEvent(body) : body;
}

/** The data of the first whole event that is not a ping; null where none is there yet. */
function firstEvent(bytes: Buffer): Buffer | null {
  const blocks = bytes.toString('utf8').split(/\r\n\r\n|\n\n|\r\r/);
  // What stands behind the last blank line is not whole.
  for (const block of blocks.slice(0, -1)) {
    const lines = block.split(/\r\n|\n|\r/);
    const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trim());
    const isPing = lines.some((line) => /^event:\s*ping\s*$/.test(line));
    if (data.length > 0 && !isPing) return Buffer.from(data.join('\n'));
  }
  return null;
}

/** What can be read of a body, which may have only begun. */
function decoded(body: Buffer, coding: string): Buffer | null {
  try {
    return DECODERS.get(coding)?.(body) ?? null;
  } catch {
    return null;
  }
}

function codingOf(head: AnswerHead): string {
  return headerValue(head.headers, 'content-encoding')?.toLowerCase() ?? 'identity';
}

const MAX_DECODED = { maxOutputLength: 16 * MAX_ERROR_BYTES };
const ZLIB = { ...MAX_DECODED, finishFlush: constants.Z_SYNC_FLUSH };
const BROTLI = { ...MAX_DECODED, finishFlush: constants.BROTLI_OPERATION_FLUSH };
const ZSTD = { ...MAX_DECODED, finishFlush: constants.ZSTD_e_flush };

/** By `content-encoding`; to flush at the end is to give what there is of a stream that goes on. */
const DECODERS: ReadonlyMap<string, (body: Buffer) => Buffer> = new Map([
  ['identity', (body) => body],
  ['gzip', (body) => gunzipSync(body, ZLIB)],
  ['x-gzip', (body) => gunzipSync(body, ZLIB)],
  // Servers mean either form (RFC 9110 section 8.4.1.2): the one with a zlib header, or none.
  [
    'deflate',
    (body) => (((body[0] ?? 0) & 0x0f) === 8 ? inflateSync(body, ZLIB) : inflateRawSync(body, ZLIB)),
  ],
  ['br', (body) => brotliDecompressSync(body, BROTLI)],
  ['zstd', (body) => zstdDecompressSync(body, ZSTD)],
]);
