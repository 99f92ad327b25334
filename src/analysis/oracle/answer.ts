/**
 * What an answer says, read from the bytes on the wire by libraries that the proxy does not use for it:
 * `eventsource-parser` for streams, zlib for whole bodies. The judge's own reading, to hold claims against.
 */
import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib';
import { createParser } from 'eventsource-parser';
import type { Transcript } from '../../protocol/transcript.ts';
import { parseJson } from '../json.ts';
import { bytesOf, valueOf } from '../wire.ts';

export interface StreamEvent {
  /** The `event` field; `message` where there was none, as browsers have it. */
  readonly type: string;
  readonly data: string;
}

export type Answer =
  | { readonly kind: 'stream'; readonly events: readonly StreamEvent[] }
  | { readonly kind: 'whole'; readonly value: unknown }
  /** No answer, its bytes were not kept, or they do not decode. */
  | { readonly kind: 'unreadable' };

const answers = new WeakMap<Transcript, Answer>();

/** The answer of an exchange as one observer saw it. Of a cut answer, as much as can be read. */
export function answerOf(transcript: Transcript): Answer {
  const known = answers.get(transcript);
  if (known !== undefined) return known;
  const answer = readAnswer(transcript);
  answers.set(transcript, answer);
  return answer;
}

/** Whether the answer was sent as a stream of events. */
export function isStream({ response }: Transcript): boolean {
  return (
    response !== undefined && /^text\/event-stream\b/i.test(valueOf(response.headers, 'content-type') ?? '')
  );
}

/** Whether the stream came to an end of its own: `message_stop`, or an error event. */
export function isFinished(events: readonly StreamEvent[]): boolean {
  return events.some(({ type }) => type === 'message_stop' || type === 'error');
}

function readAnswer(transcript: Transcript): Answer {
  const body = decodedBody(transcript);
  if (body === null) return { kind: 'unreadable' };
  const text = body.toString('utf8');
  return isStream(transcript)
    ? { kind: 'stream', events: parseEvents(text) }
    : { kind: 'whole', value: parseJson(text) };
}

function parseEvents(text: string): StreamEvent[] {
  const events: StreamEvent[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => events.push({ type: event ?? 'message', data }),
  });
  parser.feed(text);
  return events;
}

/** The body of the answer without its content encodings, of one cut short as much as it still holds; null where it was not kept or does not decode. */
export const decodedBody = (transcript: Transcript): Buffer | null => decodedBy(decodeTolerantly, transcript);

/** Whether the content encodings of the answer come to an end of their own: no byte is missing that belongs to them. */
export const decodesToItsEnd = (transcript: Transcript): boolean =>
  decodedBy(decodeStrictly, transcript) !== null;

type Decode = (bytes: Buffer, encoding: string) => Buffer;

function decodedBy(decodeOne: Decode, { response }: Transcript): Buffer | null {
  const body = response === undefined ? null : bytesOf(response.body);
  if (body === null || response === undefined || body.length === 0) return body;
  const encodings = (valueOf(response.headers, 'content-encoding') ?? '')
    .split(',')
    .map((encoding) => encoding.trim().toLowerCase())
    .filter((encoding) => encoding !== '' && encoding !== 'identity');
  try {
    return encodings.reduceRight(decodeOne, body);
  } catch {
    return null;
  }
}

const MAX_BODY_BYTES = 256 * 1024 * 1024;

/** Flushing instead of finishing gives what a body cut short still holds. */
const decodeTolerantly: Decode = (bytes, encoding) =>
  decode(bytes, encoding, {
    zlib: constants.Z_SYNC_FLUSH,
    brotli: constants.BROTLI_OPERATION_FLUSH,
    zstd: constants.ZSTD_e_flush,
  });

const decodeStrictly: Decode = (bytes, encoding) =>
  decode(bytes, encoding, {
    zlib: constants.Z_FINISH,
    brotli: constants.BROTLI_OPERATION_FINISH,
    zstd: constants.ZSTD_e_end,
  });

interface FinishFlush {
  readonly zlib: number;
  readonly brotli: number;
  readonly zstd: number;
}

function decode(bytes: Buffer, encoding: string, finish: FinishFlush): Buffer {
  const zlib = { finishFlush: finish.zlib, maxOutputLength: MAX_BODY_BYTES };
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return gunzipSync(bytes, zlib);
    case 'deflate':
      // Named after zlib, sent without its header by some (RFC 9110 section 8.4.1.2).
      return ((bytes[0] ?? 0) & 0x0f) === 8 ? inflateSync(bytes, zlib) : inflateRawSync(bytes, zlib);
    case 'br':
      return brotliDecompressSync(bytes, {
        finishFlush: finish.brotli,
        maxOutputLength: MAX_BODY_BYTES,
      });
    case 'zstd':
      return zstdDecompressSync(bytes, {
        finishFlush: finish.zstd,
        maxOutputLength: MAX_BODY_BYTES,
      });
    default:
      throw new Error(`unknown content encoding ${encoding}`);
  }
}
