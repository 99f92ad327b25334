/** Adds up what uses cost and saved, and says it as the endpoints do. */
import { addCosts, NO_COST, type Pricing, toUsd, type Use } from './pricing.ts';

export interface Bill {
  add(use: Use): void;
  sum(): BillSum;
}

export interface BillSum {
  /** Null where there are tokens and none of them has a price. */
  readonly cost_usd: number | null;
  readonly cost_is_at_least: boolean;
  readonly unpriced_tokens: number;
  /** Null where nothing that was added says what it saved. */
  readonly saved_usd: number | null;
}

/** A bill that starts at nothing. */
export function openBill(pricing: Pricing): Bill {
  let cost = NO_COST;
  let tokens = 0;
  let saved: bigint | null = null;
  return {
    add(use) {
      tokens += Object.values(use.tokens).reduce((sum, count) => sum + count, 0);
      cost = addCosts(cost, pricing.costOf(use));
      const saving = pricing.savedBy(use);
      if (saving !== null) saved = (saved ?? 0n) + saving;
    },
    sum: () => ({
      cost_usd: tokens > 0 && cost.unpricedTokens === tokens ? null : toUsd(cost.nanoUsd),
      cost_is_at_least: cost.atLeast,
      unpriced_tokens: cost.unpricedTokens,
      saved_usd: saved === null ? null : toUsd(saved),
    }),
  };
}
