import { expect, it } from 'vitest';
import type { Use } from '../../protocol/money.ts';
import type { Tokens } from '../../protocol/usage-event.ts';
import { createPrices } from './bill.ts';
import { PRICE_LIST } from './price-list.ts';
import { createPricing } from './pricing.ts';

const NONE: Tokens = { input: 0, output: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 };
const at = Date.parse('2026-11-01T00:00:00Z');
const prices = createPrices(createPricing(PRICE_LIST));
const sumOf = (...uses: (Omit<Use, 'at' | 'uncounted'> & { uncounted?: number })[]) => {
  const bill = prices.open();
  for (const use of uses) bill.add(prices.chargeOf({ uncounted: 0, ...use, at }));
  return bill.sum();
};
const sonnet = { lane: 'anthropic', model: 'claude-sonnet-5', tokens: { ...NONE, output: 123_457 } };
const haiku = { lane: 'zai', model: 'claude-haiku-4-5', tokens: { ...NONE, output: 1_000_000 } };
const stranger = { lane: 'local', model: 'llama', tokens: { ...NONE, input: 7 } };
const nothing = { lane: 'anthropic', model: null, tokens: NONE };

it('of nothing is nothing', () => {
  const free = {
    cost_usd: 0,
    cost_is_at_least: false,
    unpriced_tokens: 0,
    unpriced_kinds: [],
    uncounted: 0,
    saved_usd: null,
    saved_is_partial: false,
  };
  expect(sumOf()).toEqual(free);
  expect(sumOf(nothing)).toEqual(free);
});

it('says what uses cost, what of them has no price, and what they saved', () => {
  expect(sumOf(sonnet, haiku, stranger, nothing)).toEqual({
    cost_usd: 2.33457,
    cost_is_at_least: false,
    unpriced_tokens: 7,
    unpriced_kinds: ['input'],
    uncounted: 0,
    saved_usd: 3.9,
    saved_is_partial: true,
  });
});

it('of what has no price is unknown, not nothing', () => {
  expect(sumOf(stranger)).toEqual({
    cost_usd: null,
    cost_is_at_least: false,
    unpriced_tokens: 7,
    unpriced_kinds: ['input'],
    uncounted: 0,
    saved_usd: null,
    saved_is_partial: true,
  });
});

it('of what nobody counted is unknown, not nothing, and so is what it saved', () => {
  const silent = { ...haiku, tokens: NONE, uncounted: 2 };
  expect(sumOf(silent, nothing)).toMatchObject({
    cost_usd: null,
    unpriced_tokens: 0,
    uncounted: 2,
    saved_usd: null,
    saved_is_partial: true,
  });
  expect(sumOf(silent, haiku)).toMatchObject({
    cost_usd: 1.1,
    uncounted: 2,
    saved_usd: 3.9,
    saved_is_partial: true,
  });
  // Where nothing is to be saved nothing is unknown.
  const atAnthropic = { ...sonnet, tokens: NONE, uncounted: 1 };
  expect(sumOf(atAnthropic)).toMatchObject({ cost_usd: null, uncounted: 1, saved_is_partial: false });
});

it('says nothing of what requests without tokens saved, beside a saving that nobody knows and alone', () => {
  const counting = { ...haiku, tokens: NONE };
  expect(sumOf(counting)).toMatchObject({ saved_usd: null, saved_is_partial: false });
  const written = { ...haiku, tokens: { ...NONE, cache_write_5m: 7 } };
  expect(sumOf(counting, written)).toMatchObject({ saved_usd: null, saved_is_partial: true });
});

it('names the kinds that have no price, whatever has one beside them', () => {
  const written = { ...haiku, tokens: { ...NONE, output: 3, cache_write_1h: 1, cache_write_5m: 7 } };
  expect(sumOf(stranger, written, stranger, haiku)).toMatchObject({
    unpriced_tokens: 22,
    unpriced_kinds: ['input', 'cache_write_5m', 'cache_write_1h'],
  });
});

it('tells a saving in full from one that lacks what has no price on either side', () => {
  expect(sumOf(sonnet, haiku, nothing)).toMatchObject({ saved_usd: 3.9, saved_is_partial: false });
  const served = { lane: 'zai', model: 'glm-4.6', tokens: haiku.tokens };
  expect(sumOf(haiku, served)).toMatchObject({ saved_usd: 3.9, saved_is_partial: true });
});
