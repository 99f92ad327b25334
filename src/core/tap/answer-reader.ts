import type { TapResult } from '../types.ts';

/** Reads a decoded answer; what makes it stop early it tells its owner. */
export interface AnswerReader {
  feed(piece: Buffer): void;
  result(): AnswerFacts;
}

/** What can be told without a clock. */
export type AnswerFacts = Omit<TapResult, 'sse' | 'gaveUp'> & {
  readonly sse?: { readonly events: number; readonly finished: boolean };
};

export interface AnswerReaderOptions {
  /** Whether `usage` objects are consumption; an answer to `count_tokens` is an estimate. */
  readonly countsTokens: boolean;
  readonly onGiveUp: (reason: string) => void;
}

/** The largest event or JSON body that is read: far above what a model says in one answer. */
export const MAX_READ_BYTES = 8 * 1024 * 1024;
