/** What uses cost and saved: the words that the prices and the views share. */
import type { Tokens } from './usage-event.ts';

export type TokenKind = keyof Tokens;

/** What was used of one model at one time, or between two changes of prices. */
export interface Use {
  readonly lane: string;
  /** The model that the client asked for; null where it named none. */
  readonly model: string | null;
  /** The model that the answer names; null or absent where it is not known. */
  readonly servedModel?: string | null;
  readonly tokens: Tokens;
  /** How many exchanges used tokens beside these, which nobody counted. */
  readonly uncounted: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface Cost {
  /** Billionths of a US dollar. */
  readonly nanoUsd: bigint;
  /** Tokens that no price is known for, and that are not in the sum. */
  readonly unpricedTokens: number;
  /** Of which kinds they are. */
  readonly unpricedKinds: readonly TokenKind[];
  /** Whether the true cost may be higher, by what counts cannot tell. */
  readonly atLeast: boolean;
}

/** What one use costs and saved: told once, and added to every bill that it belongs on. */
export interface Charge extends Cost {
  readonly tokens: number;
  readonly uncounted: number;
  /** Nano-dollars; null on the Anthropic lane, and where nobody knows. */
  readonly saved: bigint | null;
  /** Whether it went elsewhere, and nobody knows what that saved. */
  readonly savingUnknown: boolean;
}

/** As the endpoints say it. */
export interface BillSum {
  /** Null where something was used and nothing of it could be priced. */
  readonly cost_usd: number | null;
  readonly cost_is_at_least: boolean;
  readonly unpriced_tokens: number;
  readonly unpriced_kinds: readonly TokenKind[];
  /** Exchanges whose tokens nobody counted: what they cost is in no sum. */
  readonly uncounted: number;
  /** Null where nothing that was added says what it saved. */
  readonly saved_usd: number | null;
  /** Whether some of what was added is not in `saved_usd` because it has no price on one side, or was not counted. */
  readonly saved_is_partial: boolean;
}

export interface Bill {
  add(charge: Charge): void;
  sum(): BillSum;
}

export interface Prices {
  chargeOf(use: Use): Charge;
  /** When any price begins, epoch milliseconds, ascending: beginnings of days (UTC). Between two of them all stay the same. */
  readonly changes: readonly number[];
  /** A bill that starts at nothing. */
  open(): Bill;
}
