/**
 * The meter beside the bytes: reads a copy of an answer for usage, model, errors and rhythm. Whatever is
 * wrong with the answer, or with the reading of it, ends in a result and never in an exception.
 */
import type { Op } from '../../protocol/usage-event.ts';
import type { Tap, TapResult } from '../types.ts';
import type { AnswerReader, AnswerReaderOptions } from './answer-reader.ts';
import { createDecoder } from './decoder.ts';
import { createJsonAnswer } from './json-answer.ts';
import { createStreamAnswer } from './stream-answer.ts';

export interface TapOptions {
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly op: Op;
}

/** Compressed bytes that may wait for decompression before the tap lets go. */
const MAX_LAG_BYTES = 4 * 1024 * 1024;

const READERS: Readonly<Record<string, (options: AnswerReaderOptions) => AnswerReader>> = {
  'text/event-stream': createStreamAnswer,
  'application/json': createJsonAnswer,
};

/** Operations whose answers have the shape that the readers know. */
const READ_OPS: ReadonlySet<Op> = new Set(['stream', 'nonstream', 'count_tokens']);

const BLIND: Tap = { write() {}, end: () => ({ unknownEvents: [] }) };

/** A tap for one answer, by its headers; blind to media types and operations that carry nothing to count. */
export function createTap({ contentType = '', contentEncoding = '', op }: TapOptions): Tap {
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const createReader = Object.hasOwn(READERS, mediaType) ? READERS[mediaType] : undefined;
  if (createReader === undefined || !READ_OPS.has(op)) return BLIND;

  let gaveUp: string | undefined;
  let lastAt: number | undefined;
  let maxGapMs = 0;
  let result: TapResult | Promise<TapResult> | undefined;

  const giveUp = (reason: string): void => {
    gaveUp ??= reason;
    decoder?.destroy();
  };
  const reader = createReader({ countsTokens: op !== 'count_tokens', onGiveUp: giveUp });
  const coding = contentEncoding.trim().toLowerCase();
  const plain = coding === '' || coding === 'identity';
  const decoder = plain
    ? null
    : createDecoder(coding, {
        data(piece) {
          if (gaveUp === undefined) reader.feed(piece);
        },
        fail: giveUp,
      });
  if (!plain && decoder === null) giveUp(`the content encoding ${JSON.stringify(coding)} is not known`);

  const read = (): TapResult => {
    const { sse, ...facts } = reader.result();
    return {
      ...facts,
      ...(sse !== undefined && { sse: { ...sse, maxGapMs } }),
      ...(gaveUp !== undefined && { gaveUp }),
    };
  };

  return {
    write(piece, at) {
      if (gaveUp !== undefined) return;
      if (lastAt !== undefined) maxGapMs = Math.max(maxGapMs, at - lastAt);
      lastAt = at;
      if (decoder === null) return reader.feed(piece);
      decoder.write(piece);
      if (decoder.lag() > MAX_LAG_BYTES) giveUp('decompression fell behind');
    },
    end() {
      result ??= decoder === null || gaveUp !== undefined ? read() : decoder.end().then(read);
      return result;
    },
  };
}
