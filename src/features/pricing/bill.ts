/** Adds up what uses cost and saved, and says it as the endpoints do. */
import type { Bill, Charge, Prices, Use } from '../../protocol/money.ts';
import { addCosts, NO_COST, type Pricing, toUsd } from './pricing.ts';

/** The prices as the views need them. */
export const createPrices = (pricing: Pricing): Prices => ({
  chargeOf: (use) => chargeOf(pricing, use),
  open: openBill,
  changes: pricing.changes,
});

function chargeOf(pricing: Pricing, use: Use): Charge {
  const tokens = Object.values(use.tokens).reduce((sum, count) => sum + count, 0);
  // Counting tokens uses none: it says nothing of a saving, and must not make one of nothing out of an unknown one.
  const saved = tokens === 0 ? null : pricing.savedBy(use);
  const isUnknown = use.uncounted > 0 || (saved === null && tokens > 0);
  const savingUnknown = isUnknown && use.lane !== 'anthropic';
  return { ...pricing.costOf(use), tokens, uncounted: use.uncounted, saved, savingUnknown };
}

function openBill(): Bill {
  let cost = NO_COST;
  let [tokens, uncounted] = [0, 0];
  let saved: bigint | null = null;
  let isPartial = false;
  const isUsed = (): boolean => tokens > 0 || uncounted > 0;
  return {
    add(charge) {
      tokens += charge.tokens;
      uncounted += charge.uncounted;
      cost = addCosts(cost, charge);
      if (charge.saved !== null) saved = (saved ?? 0n) + charge.saved;
      isPartial ||= charge.savingUnknown;
    },
    sum: () => ({
      cost_usd: isUsed() && cost.unpricedTokens === tokens ? null : toUsd(cost.nanoUsd),
      cost_is_at_least: cost.atLeast,
      unpriced_tokens: cost.unpricedTokens,
      unpriced_kinds: cost.unpricedKinds,
      uncounted,
      saved_usd: saved === null ? null : toUsd(saved),
      saved_is_partial: isPartial,
    }),
  };
}
