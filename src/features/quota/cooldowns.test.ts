import { describe, expect, it } from 'vitest';
import type { UpstreamError } from '../../protocol/upstream-error.ts';
import { createCooldowns, endOf } from './cooldowns.ts';

const NOW = 1_000_000;
const MONTH = 31 * 86_400_000;
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
    [
      'retry-after, where the reset is past',
      limit({ resetsAt: NOW - 1, retryAfterMs: 7e3 }),
      7e3,
      'retry_after',
    ],
    ['a second where no wait is stated', limit({ retryAfterMs: 0 }), 1000, 'retry_after'],
    ['a second where the reset is all but there', limit({ resetsAt: NOW + 1 }), 1000, 'reset'],
    ['five minutes where nothing is said', limit({}), 300_000, 'default'],
    ['five minutes where the reset is past', limit({ resetsAt: NOW - 1 }), 300_000, 'implausible'],
    ['the reset, a month ahead', limit({ resetsAt: NOW + MONTH }), MONTH, 'reset'],
    ['five minutes where the reset is absurd', limit({ resetsAt: NOW + MONTH + 1 }), 300_000, 'implausible'],
    ['five minutes where the wait is absurd', limit({ retryAfterMs: 1e12 }), 300_000, 'implausible'],
    [
      'retry-after, where the reset is absurd',
      limit({ resetsAt: 1e15, retryAfterMs: 9e3 }),
      9e3,
      'retry_after',
    ],
  ] as const)('is %s', (_, error, inMs, stated) => {
    expect(endOf(error, NOW)).toEqual({ until: NOW + inMs, stated });
  });
});

describe('cooldowns', () => {
  it('hold for their lane and key until their very end', () => {
    const cooldowns = createCooldowns();
    expect(cooldowns.set(cooldown('a', NOW + 10), NOW, false)).toBe(true);
    expect(cooldowns.until('zai', ['b', 'a'], NOW + 9)).toBe(NOW + 10);
    expect(cooldowns.until('zai', ['a'], NOW + 10)).toBeNull();
    expect(cooldowns.until('zai', ['b'], NOW)).toBeNull();
    expect(cooldowns.until('anthropic', ['a'], NOW)).toBeNull();
  });

  it('are not shortened, and not begun when they are over', () => {
    const cooldowns = createCooldowns();
    cooldowns.set(cooldown('a', NOW + 10), NOW, false);
    expect(cooldowns.set(cooldown('a', NOW + 5), NOW, false)).toBe(false);
    expect(cooldowns.set(cooldown('b', NOW), NOW, false)).toBe(false);
    expect(cooldowns.all(NOW)).toEqual([cooldown('a', NOW + 10)]);
  });

  it('of a clock that was ahead do not hold once it is put back, nor bar new ones', () => {
    const cooldowns = createCooldowns();
    const ahead = NOW + 3650 * 86_400_000;
    cooldowns.set(cooldown('a', ahead + 300_000), ahead, false);
    expect(cooldowns.until('zai', ['a'], NOW)).toBeNull();
    expect(cooldowns.all(NOW)).toEqual([]);
    expect(cooldowns.set(cooldown('b', ahead), NOW, false)).toBe(false);
    expect(cooldowns.set(cooldown('a', NOW + 10), NOW, false)).toBe(true);
    expect(cooldowns.until('zai', ['a'], NOW)).toBe(NOW + 10);
  });

  it('end early by lane, by key, or all', () => {
    const cooldowns = createCooldowns();
    const all = [
      cooldown('a', NOW + 10),
      cooldown('b', NOW + 10),
      { ...cooldown('a', NOW + 10), lane: 'other' },
    ];
    const fill = () => all.forEach((one) => void cooldowns.set(one, NOW, false));
    fill();
    expect(cooldowns.end({ lane: 'zai', key: 'a' }, NOW)).toEqual(all.slice(0, 1));
    expect(cooldowns.end({ lane: 'zai' }, NOW)).toEqual(all.slice(1, 2));
    expect(cooldowns.end({ lane: 'zai' }, NOW)).toEqual([]);
    expect(cooldowns.all(NOW)).toEqual(all.slice(2));
    fill();
    expect(cooldowns.end({}, NOW)).toHaveLength(3);
    expect(cooldowns.all(NOW)).toEqual([]);
  });

  it('keep at most a thousand names that clients make up, and never give up those that hold', () => {
    const cooldowns = createCooldowns();
    cooldowns.set(cooldown('real', NOW + 5), NOW, true);
    for (let index = 0; index < 3000; index += 1) {
      cooldowns.set(cooldown(`m${index}`, NOW + 10 + index), NOW, true);
    }
    expect(cooldowns.all(NOW)).toHaveLength(1000);
    expect(cooldowns.until('zai', ['real'], NOW)).toBe(NOW + 5);
    expect(cooldowns.set(cooldown('*of a quota*', NOW + 5), NOW, false)).toBe(true);
    // Those that are over make room.
    expect(cooldowns.set(cooldown('new', NOW + 9000), NOW + 500, true)).toBe(true);
  });
});
