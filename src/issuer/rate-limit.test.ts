import { expect, it } from 'vitest';
import type { Clock } from '../platform/clock.ts';
import { createRateLimit } from './rate-limit.ts';

function limit() {
  let now = 0;
  const clock: Clock = { now: () => now, monotonic: () => now, after: () => () => {} };
  const made = createRateLimit({ clock, burst: 3, perMinute: 6 });
  const spend = (address: string): boolean => {
    if (made.wait(address) !== null) return false;
    made.spend(address);
    return true;
  };
  return { wait: (address: string) => made.wait(address), spend, pass: (ms: number) => (now += ms) };
}

it('lets a burst through, then one every ten seconds, and says how long to wait', () => {
  const { spend, wait, pass } = limit();
  expect([1, 2, 3, 4].map(() => spend('192.0.2.1'))).toEqual([true, true, true, false]);
  expect(wait('192.0.2.1')).toBe(10);
  pass(9_000);
  expect(wait('192.0.2.1')).toBe(1);
  pass(1_000);
  expect([spend('192.0.2.1'), spend('192.0.2.1')]).toEqual([true, false]);
  pass(3_600_000);
  expect([1, 2, 3, 4].map(() => spend('192.0.2.1'))).toEqual([true, true, true, false]);
});

it.each([
  ['192.0.2.1', '192.0.2.2', false],
  ['192.0.2.1', '::ffff:192.0.2.1', true],
  ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
  ['2001:db8:1:2::1', '2001:0DB8:0001:0002::1', true],
  ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
  ['2001:db8::1', '2001:db8:0:0:5::', true],
  ['::1', '::2', true],
])('takes %s and %s for one visitor: %s', (one, other, same) => {
  const { spend } = limit();
  for (let n = 0; n < 3; n += 1) spend(one);
  expect(spend(other)).toBe(!same);
});

it('forgets whoever it did not see for longest, not whoever it sees now', () => {
  const { spend } = limit();
  for (let n = 0; n < 3; n += 1) spend('192.0.2.1');
  for (let n = 0; n < 20_000; n += 1) {
    spend(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
    if (n % 5_000 === 0) expect(spend('192.0.2.1')).toBe(false);
  }
  for (let n = 0; n < 10_000; n += 1) spend(`11.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
  expect(spend('192.0.2.1')).toBe(true);
});
