import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { excuse, latenessBetween } from './stalls.ts';

describe('lateness between two times', () => {
  it('is of each stall what lies between them', () => {
    const stalls = [{ at: 5_000, ms: 5_000 }];
    expect(latenessBetween({ stalls }, 4_900, 5_100)).toBe(100);
    expect(latenessBetween({ stalls }, 1_000, 1_200)).toBe(200);
    expect(latenessBetween({ stalls }, 5_000, 6_000)).toBe(0);
    expect(latenessBetween({}, 0, 6_000)).toBe(0);
  });

  it('counts what is lost within one look for what was lost, wherever in it that was', () => {
    expect(latenessBetween({ stalls: [{ at: 1_000, ms: 30 }] }, 0, 980)).toBe(30);
  });

  it('adds up stalls that follow each other, up to the time between', () => {
    const stalls = Array.from({ length: 40 }, (_, at) => ({ at: (at + 1) * 95, ms: 90 }));
    const lateness = latenessBetween({ stalls }, 1_000, 2_000);
    expect(lateness).toBeGreaterThan(900);
    expect(lateness).toBeLessThan(1_000);
  });

  it('is never more than that time, nor than what was told, and grows with the window', () => {
    const stall = fc.record({
      at: fc.integer({ min: 0, max: 5_000 }),
      ms: fc.integer({ min: 1, max: 3_000 }),
    });
    const ascending = fc.array(stall).map((all) => all.toSorted((a, b) => a.at - b.at));
    const time = fc.integer({ min: 0, max: 5_000 });
    fc.assert(
      fc.property(ascending, time, time, time, (stalls, one, other, more) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const lateness = latenessBetween({ stalls }, from, to);
        expect(lateness).toBeGreaterThanOrEqual(0);
        expect(lateness).toBeLessThanOrEqual(to - from);
        expect(lateness).toBeLessThanOrEqual(stalls.reduce((sum, { ms }) => sum + ms, 0));
        expect(latenessBetween({ stalls }, from - more, to)).toBeGreaterThanOrEqual(lateness);
      }),
    );
  });
});

it('is told of one exchange, and of several', () => {
  expect(excuse(1, 99.6)).toMatch(/^1 exchange was late, .* up to 100 ms/);
  expect(excuse(2, 99.6)).toMatch(/^2 exchanges were late/);
});
