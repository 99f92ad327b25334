/** Which limits an attempt has, by what was asked for. */
import type { Op } from '../protocol/usage-event.ts';

export interface ExchangeLimits {
  /** Bytes of a buffered body. */
  readonly maxBody: number;
  /** Milliseconds, 0 is none: until the head, for a whole answer that is no stream, of silence in a stream. */
  readonly headMs: number;
  readonly jsonMs: number;
  readonly streamIdleMs: number;
}

/** The limits of one attempt, milliseconds, 0 is none. */
export interface AttemptLimits {
  /** Until the head, counted from the moment that the request is sent. */
  readonly headMs: number;
  /** For a whole answer that is no stream. */
  readonly jsonMs: number;
  /** Of silence in a stream. */
  readonly streamIdleMs: number;
}

export function limitsFor(op: Op, { headMs, jsonMs, streamIdleMs }: ExchangeLimits): AttemptLimits {
  const isWhole = op === 'nonstream' || op === 'count_tokens' || op === 'models';
  return {
    headMs: isWhole ? shortest(headMs, jsonMs) : headMs,
    // What is neither a message nor a list may take its time: a download, say.
    jsonMs: op === 'other' ? 0 : jsonMs,
    streamIdleMs,
  };
}

/** The shorter of two limits of which 0 is none. */
function shortest(one: number, other: number): number {
  return one === 0 || other === 0 ? one + other : Math.min(one, other);
}
