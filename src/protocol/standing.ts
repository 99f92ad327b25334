/** What a lane's budget, and its upstream's own limits, say of one more exchange. */
export type Standing =
  | { readonly kind: 'open' }
  /** Near its limit: tried all the same, and recorded as such. */
  | { readonly kind: 'warn' }
  /** Its upstream refused lately, and is left alone for a while. */
  | { readonly kind: 'cooldown' }
  | { readonly kind: 'block'; readonly opening: () => Opening };

/** When a budget that is used up has room again. */
export interface Opening {
  /** Milliseconds from now. */
  readonly inMs: number;
  /** The same as a time, in epoch milliseconds. */
  readonly at: number;
  /** What is used up, a sentence for the client. */
  readonly why: string;
}

export const OPEN: Standing = { kind: 'open' };

/** Whether a lane may be chosen as it stands. */
export const isPassable = ({ kind }: Standing): boolean => kind === 'open' || kind === 'warn';
