import { describe, expect, it } from 'vitest';
import { mergeUsage } from './usage-count.ts';

const none = { input: 0, output: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 };

describe('mergeUsage', () => {
  it('replaces cumulative counts and never adds them', () => {
    const start = mergeUsage(undefined, { input_tokens: 25, output_tokens: 1, cache_read_input_tokens: 3 });
    expect(mergeUsage(start, { input_tokens: 25, output_tokens: 15 })).toEqual({
      ...none,
      input: 25,
      output: 15,
      cache_read: 3,
    });
  });

  it('lets late real counts replace the zeros of the start, and a late zero a count', () => {
    const start = mergeUsage(undefined, { input_tokens: 0, output_tokens: 0 });
    expect(mergeUsage(start, { input_tokens: 14, output_tokens: 32 })).toMatchObject({
      input: 14,
      output: 32,
    });
    expect(mergeUsage({ ...none, input: 5 }, { input_tokens: 0 })).toEqual(none);
  });

  it.each([null, undefined, -1, 1.5, '7', 1e9 + 1, Number.MAX_VALUE, {}])(
    'keeps what is known where the new count is %j',
    (value) => {
      const known = { input: 1, output: 2, cache_read: 3, cache_write_5m: 4, cache_write_1h: 5 };
      const usage = {
        input_tokens: value,
        output_tokens: value,
        cache_read_input_tokens: value,
        cache_creation_input_tokens: value,
        cache_creation: { ephemeral_5m_input_tokens: value, ephemeral_1h_input_tokens: value },
      };
      expect(mergeUsage(known, usage)).toEqual(known);
    },
  );

  it.each([null, undefined, 'usage', [1]])(
    'counts nothing where there is no usage object but %j',
    (usage) => {
      expect(mergeUsage(undefined, usage)).toBeUndefined();
      expect(mergeUsage(none, usage)).toBe(none);
    },
  );

  it('keeps the two lifetimes of cache writes apart', () => {
    const creation = { ephemeral_5m_input_tokens: 600, ephemeral_1h_input_tokens: 1200 };
    const usage = { cache_creation_input_tokens: 1800, cache_creation: creation };
    const split = { ...none, cache_write_5m: 600, cache_write_1h: 1200 };
    expect(mergeUsage(undefined, usage)).toEqual(split);
    expect(mergeUsage(split, { cache_creation_input_tokens: 1800, cache_creation: null })).toEqual(split);
  });

  it('takes cache writes for 5-minute ones where their lifetime is not stated', () => {
    expect(mergeUsage(undefined, { cache_creation_input_tokens: 410 })).toMatchObject({
      cache_write_5m: 410,
    });
    const zeros = mergeUsage(undefined, { cache_creation: { ephemeral_5m_input_tokens: 0 } });
    expect(mergeUsage(zeros, { cache_creation_input_tokens: 9 })).toMatchObject({ cache_write_5m: 9 });
    const hour = { cache_creation_input_tokens: 30, cache_creation: { ephemeral_1h_input_tokens: 20 } };
    expect(mergeUsage(undefined, hour)).toMatchObject({ cache_write_5m: 10, cache_write_1h: 20 });
  });
});
