import type { Tokens } from '../../protocol/usage-event.ts';
import type { Totals } from './answers.ts';

/** What the endpoints need to know of money. */
export interface Prices {
  /** A bill that starts at nothing. */
  open(): Bill;
}

export interface Bill {
  add(use: {
    readonly lane: string;
    readonly model: string | null;
    readonly servedModel: string | null;
    readonly tokens: Tokens;
    /** Epoch milliseconds. */
    readonly at: number;
  }): void;
  sum(): Pick<Totals, 'cost_usd' | 'cost_is_at_least' | 'unpriced_tokens' | 'saved_usd'>;
}
