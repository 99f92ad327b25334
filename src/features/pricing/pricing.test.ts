import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Cost, Use } from '../../protocol/money.ts';
import type { Tokens } from '../../protocol/usage-event.ts';
import type { PriceEntry } from './price-file.ts';
import { PRICE_LIST } from './price-list.ts';
import { addCosts, createPricing, NO_COST, toUsd } from './pricing.ts';

const NONE: Tokens = { input: 0, output: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 };
const MILLION_EACH: Tokens = {
  input: 1e6,
  output: 1e6,
  cache_read: 1e6,
  cache_write_5m: 1e6,
  cache_write_1h: 1e6,
};
const NOVEMBER = Date.parse('2026-11-01T00:00:00Z');
const use = (part: Partial<Use>): Use => ({
  lane: 'anthropic',
  model: 'claude-sonnet-4-5',
  tokens: MILLION_EACH,
  uncounted: 0,
  at: NOVEMBER,
  ...part,
});
const own = createPricing(PRICE_LIST);
const usdOf = ({ nanoUsd, unpricedTokens }: Cost) => ({ usd: toUsd(nanoUsd), unpricedTokens });

const entry = (part: Partial<PriceEntry>): PriceEntry => ({
  lane: 'l',
  models: ['m'],
  valid_from: '2026-01-01',
  usd_per_mtok: { input: 1, output: 2, cache_read: 3, cache_write_5m: 4, cache_write_1h: 5 },
  ...part,
});

describe('the cost of tokens', () => {
  it('is summed kind by kind: cache reads are no input, an hour of cache is no five minutes', () => {
    const one = (kind: keyof Tokens) => toUsd(own.costOf(use({ tokens: { ...NONE, [kind]: 1e6 } })).nanoUsd);
    expect(one('input')).toBe(3);
    expect(one('output')).toBe(15);
    expect(one('cache_read')).toBe(0.3);
    expect(one('cache_write_5m')).toBe(3.75);
    expect(one('cache_write_1h')).toBe(6);
    expect(usdOf(own.costOf(use({})))).toEqual({ usd: 28.05, unpricedTokens: 0 });
  });

  it.each([
    'claude-haiku-4-5-20251001',
    'claude-sonnet-5',
    'claude-opus-4-8',
    'claude-opus-4-20250514',
    'claude-3-5-haiku-20241022',
    'claude-fable-5-1',
  ])('is known for %s', (model) => {
    expect(own.costOf(use({ model })).unpricedTokens).toBe(0);
  });

  it.each([['claude-opus-9'], ['claude-sonnet-4-7'], ['gpt-6'], [null]])(
    'is unknown, and not nothing, for %s',
    (model) => {
      expect(usdOf(own.costOf(use({ model })))).toEqual({ usd: 0, unpricedTokens: 5e6 });
    },
  );

  it('goes by the day', () => {
    const read = (day: string) =>
      toUsd(
        own.costOf(
          use({ model: 'claude-sonnet-5-5', at: Date.parse(day), tokens: { ...NONE, cache_read: 1e6 } }),
        ).nanoUsd,
      );
    expect(read('2026-10-06T23:59:59.999Z')).toBe(0.2);
    expect(read('2026-10-07T00:00:00Z')).toBe(0.1);
    expect(own.costOf(use({ model: 'claude-sonnet-5-5', at: 0 })).unpricedTokens).toBe(5e6);
  });

  it('changes on the days that the lists name, and on no other', () => {
    const dated = (...days: string[]) => days.map((valid_from) => entry({ valid_from }));
    const pricing = createPricing(dated('2026-03-01', '2026-01-01'), dated('2026-02-01', '2026-03-01'));
    expect(pricing.changes.map((at) => new Date(at).toISOString().slice(0, 13))).toEqual([
      '2026-01-01T00',
      '2026-02-01T00',
      '2026-03-01T00',
    ]);
  });

  it('is that of the model that answered, where it is priced', () => {
    const asked = use({ lane: 'zai', model: 'claude-haiku-4-5', tokens: { ...NONE, output: 1e6 } });
    expect(usdOf(own.costOf({ ...asked, servedModel: 'glm-4.7' })).usd).toBe(2.2);
    expect(usdOf(own.costOf({ ...asked, servedModel: 'claude-haiku-4-5' })).usd).toBe(1.1);
    expect(usdOf(own.costOf({ ...asked, servedModel: null })).usd).toBe(1.1);
  });

  it.each(['glm-99-ultra', 'glm-4.5-air-x', 'claude-opus-9', '(other)'])(
    'is unknown where %s answered, which has no price, whatever was asked for',
    (servedModel) => {
      const tokens = { ...NONE, output: 1e6 };
      for (const lane of ['zai', 'anthropic']) {
        const answered = use({ lane, model: 'claude-haiku-4-5', servedModel, tokens });
        expect(usdOf(own.costOf(answered))).toEqual({ usd: 0, unpricedTokens: 1e6 });
        expect(own.savedBy(answered)).toBeNull();
      }
    },
  );

  it.each([
    ['claude-haiku-4-5', 'claude-haiku-4-5-20251001'],
    ['claude-haiku-4-5-20251001', 'claude-haiku-4-5'],
    ['claude-haiku-4-5', 'Claude-Haiku-4-5'],
  ])('is that of one model where %s is asked for and answers as %s', (model, servedModel) => {
    const tokens = { ...NONE, output: 1e6 };
    expect(usdOf(own.costOf(use({ model, servedModel, tokens })))).toEqual({ usd: 5, unpricedTokens: 0 });
  });

  it('is that of the operator also where they go by the name that was asked for, and of theirs that of the answer', () => {
    const asked = use({ lane: 'zai', model: 'claude-haiku-4-5', servedModel: 'glm-4.5-air' });
    const price = (...models: string[]) =>
      toUsd(
        createPricing(
          PRICE_LIST,
          models.map((model, usd) =>
            entry({ lane: 'zai', models: [model], usd_per_mtok: { input: usd + 7, output: 0 } }),
          ),
        ).costOf({ ...asked, tokens: { ...NONE, input: 1e6 } }).nanoUsd,
      );
    expect(price('claude-haiku-4-5*')).toBe(7);
    expect(price('claude-haiku-4-5*', 'glm-*')).toBe(8);
    expect(price('claude-opus-*')).toBe(0.2);
    const unknown = createPricing(PRICE_LIST, [entry({ lane: 'zai', models: ['claude-haiku-*'] })]);
    expect(unknown.costOf(use({ ...asked, servedModel: 'glm-99' })).unpricedTokens).toBe(0);
  });

  it('leaves out the kinds that have no price', () => {
    const pricing = createPricing([entry({ usd_per_mtok: { input: 1, output: 2 } })]);
    const cost = pricing.costOf(use({ lane: 'l', model: 'm' }));
    expect(usdOf(cost)).toEqual({ usd: 3, unpricedTokens: 3e6 });
    expect(cost.unpricedKinds).toEqual(['cache_read', 'cache_write_5m', 'cache_write_1h']);
  });

  it('says where it may be higher', () => {
    expect(own.costOf(use({ model: 'claude-haiku-5-5' })).atLeast).toBe(true);
    expect(own.costOf(use({ model: 'claude-haiku-4-5' })).atLeast).toBe(false);
  });

  it('follows the operator first, then the longest glob, whatever the order', () => {
    const broad = entry({ models: ['m*'], usd_per_mtok: { input: 10, output: 0 } });
    const exact = entry({ models: ['mist*'], usd_per_mtok: { input: 20, output: 0 } });
    const mine = entry({ models: ['*'], valid_from: '2026-06-01', usd_per_mtok: { input: 30, output: 0 } });
    const input = (pricing: ReturnType<typeof createPricing>, at: string) =>
      toUsd(
        pricing.costOf(
          use({ lane: 'l', model: 'Mistral', at: Date.parse(at), tokens: { ...NONE, input: 1e6 } }),
        ).nanoUsd,
      );
    for (const list of [
      [broad, exact],
      [exact, broad],
    ]) {
      expect(input(createPricing(list, [mine]), '2026-07-01')).toBe(30);
      // Before the operator's price begins, ours goes on.
      expect(input(createPricing(list, [mine]), '2026-05-31')).toBe(20);
    }
  });

  it('is exact however uses are split and summed', () => {
    const count = fc.integer({ min: 0, max: 10_000_000 });
    const tokens = fc.record({
      input: count,
      output: count,
      cache_read: count,
      cache_write_5m: count,
      cache_write_1h: count,
    });
    const model = fc.constantFrom('claude-haiku-4-5', 'claude-fable-5-1', 'claude-3-haiku', 'nobody');
    const uses = fc.array(fc.record({ model, tokens }), { maxLength: 50 });
    const sum = (list: readonly Partial<Use>[]) =>
      list.map((one) => own.costOf(use(one))).reduce(addCosts, NO_COST);
    fc.assert(
      fc.property(uses, fc.nat(), (list, cut) => {
        const at = list.length === 0 ? 0 : cut % list.length;
        const parts = addCosts(sum(list.slice(at)), sum(list.slice(0, at)));
        expect(parts).toEqual(sum(list.toReversed()));
        const all = list.flatMap(({ tokens: each }) => Object.values(each)).reduce((a, b) => a + b, 0);
        const known = list
          .filter((one) => one.model !== 'nobody')
          .flatMap((one) => Object.values(one.tokens));
        expect(parts.unpricedTokens).toBe(all - known.reduce((a, b) => a + b, 0));
      }),
    );
  });
});

describe('what was saved', () => {
  const output: Tokens = { ...NONE, output: 1e6 };

  it('is the price at Anthropic less the price where it went', () => {
    expect(own.savedBy(use({ lane: 'zai', model: 'claude-haiku-4-5', tokens: output }))).toBe(3_900_000_000n);
  });

  it('may be less than nothing', () => {
    const dearer = use({ lane: 'zai', model: 'claude-3-haiku', servedModel: 'glm-5.2', tokens: output });
    expect(own.savedBy(dearer)).toBe(-3_150_000_000n);
  });

  it.each([
    ['on the Anthropic lane', { lane: 'anthropic' }],
    ['where the requested model has no price at Anthropic', { lane: 'zai', model: 'glm-4.6' }],
    ['where what served it has no price', { lane: 'local', model: 'claude-haiku-4-5' }],
    ['without a model', { lane: 'zai', model: null }],
  ])('is not told %s', (_, part) => {
    expect(own.savedBy(use({ tokens: output, ...part }))).toBeNull();
  });
});
