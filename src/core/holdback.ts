/**
 * Decides how long the start of an answer is held back, so that a failure can still go to another lane.
 * Only answers that may have a successor are held; everything else passes at once.
 */
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { isEventStream } from './answer.ts';
import { headerValue } from './header-policy.ts';
import type { AnswerHead } from './relay.ts';

/** An error answer is held to its end, a success only until it has shown that it is one. */
export type Hold = 'error' | 'stream' | 'json';

const MAX_ERROR_BYTES = 64 * 1024;
/** An error inside a 200 is a short JSON document; a longer one is an answer. */
const MAX_JSON_BYTES = 4 * 1024;

/** How this answer is held, or null where it can pass at once. */
export function holdFor(head: AnswerHead): Hold | null {
  if (head.status >= 400) return 'error';
  if (headerValue(head.headers, 'content-encoding') !== undefined) return null;
  return isEventStream(head) ? 'stream' : 'json';
}

/** Whether what was held so far suffices to judge, or is too much to hold on to. */
export function heldEnough(hold: Hold, held: readonly Buffer[], bytes: number): boolean {
  if (hold === 'error') return bytes >= MAX_ERROR_BYTES;
  if (bytes >= MAX_JSON_BYTES) return true;
  return hold === 'stream' && firstEvent(Buffer.concat(held)) !== null;
}

/** The part of a held answer that says whether it is an error: an error body, or the data of the first event. */
export function evidenceOf(hold: Hold, head: AnswerHead, held: readonly Buffer[]): Buffer | null {
  const body = Buffer.concat(held);
  if (hold === 'stream') return firstEvent(body);
  return decoded(body, headerValue(head.headers, 'content-encoding'));
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

function decoded(body: Buffer, encoding: string | undefined): Buffer | null {
  const limit = { maxOutputLength: 16 * MAX_ERROR_BYTES };
  try {
    switch (encoding?.toLowerCase()) {
      case undefined:
      case 'identity':
        return body;
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(body, limit);
      case 'deflate':
        return inflated(body, limit);
      case 'br':
        return brotliDecompressSync(body, limit);
      case 'zstd':
        return zstdDecompressSync(body, limit);
      default:
        return null;
    }
  } catch {
    return null;
  }
}

/** Servers mean either form by `deflate` (RFC 9110 section 8.4.1.2): the one with a zlib header, or none. */
function inflated(body: Buffer, limit: { readonly maxOutputLength: number }): Buffer {
  const hasZlibHeader = ((body[0] ?? 0) & 0x0f) === 8;
  return hasZlibHeader ? inflateSync(body, limit) : inflateRawSync(body, limit);
}
