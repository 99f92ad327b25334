import { describe, expect, it } from 'vitest';
import type { UpstreamError } from '../../protocol/upstream-error.ts';
import { createCooldowns, endOf } from './cooldowns.ts';

const NOW = 1_000_000;
const limit = (given: Partial<UpstreamError>): UpstreamError => ({
  kind: 'window',
  errType: 'limit',
  cause: 'limit',
  ...given,
});
const cooldown = (key: string, until: number) => ({ lane: 'zai', key, until, stated: 'default' as const });

describe('the end of a cooldown', () => {
  it.each([
    ['the stated reset', limit({ resetsAt: NOW + 60_000, retryAfterMs: 5 }), 60_000, 'reset'],
    ['retry-after', limit({ retryAfterMs: 30_000 }), 30_000, 'retry_after'],
    ['retry-after, where the reset is past', limit({ resetsAt: NOW - 1, retryAfterMs: 7 }), 7, 'retry_after'],
    ['five minutes where nothing is said', limit({}), 300_000, 'default'],
    ['five minutes where the reset is past', limit({ resetsAt: NOW - 1 }), 300_000, 'default'],
    ['a month at most', limit({ resetsAt: NOW + 1e12 }), 31 * 86_400_000, 'reset'],
  ] as const)('is %s', (_, error, inMs, stated) => {
    expect(endOf(error, NOW)).toEqual({ until: NOW + inMs, stated });
  });
});

describe('cooldowns', () => {
  it('hold for their lane and key until their very end', () => {
    const cooldowns = createCooldowns();
    expect(cooldowns.set(cooldown('a', NOW + 10), NOW)).toBe(true);
    expect(cooldowns.until('zai', ['b', 'a'], NOW + 9)).toBe(NOW + 10);
    expect(cooldowns.until('zai', ['a'], NOW + 10)).toBeNull();
    expect(cooldowns.until('zai', ['b'], NOW)).toBeNull();
    expect(cooldowns.until('anthropic', ['a'], NOW)).toBeNull();
  });

  it('are not shortened, and not begun when they are over', () => {
    const cooldowns = createCooldowns();
    cooldowns.set(cooldown('a', NOW + 10), NOW);
    expect(cooldowns.set(cooldown('a', NOW + 5), NOW)).toBe(false);
    expect(cooldowns.set(cooldown('b', NOW), NOW)).toBe(false);
    expect(cooldowns.all(NOW)).toEqual([cooldown('a', NOW + 10)]);
  });

  it('keep at most a thousand, whatever names clients make up', () => {
    const cooldowns = createCooldowns();
    for (let index = 0; index < 3000; index += 1) cooldowns.set(cooldown(`m${index}`, NOW + 10 + index), NOW);
    expect(cooldowns.all(NOW)).toHaveLength(1000);
    expect(cooldowns.until('zai', ['m2999'], NOW)).not.toBeNull();
  });
});
