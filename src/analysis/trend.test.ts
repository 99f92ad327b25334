import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Point, trendOf } from './trend.ts';

const line = (group: string, from: number, slope: number, times = [0, 1, 2, 3, 4, 5, 6, 7]): Point[] =>
  times.map((at) => ({ group, at, value: from + slope * at }));

describe('a trend', () => {
  it('is the slope of a line, with an interval that holds it alone', () => {
    const trend = trendOf(line('a', 100, 2.5));
    expect(trend).toMatchObject({ span: 7, groups: 1, points: 8 });
    for (const key of ['slope', 'low', 'high'] as const) expect(trend?.[key]).toBeCloseTo(2.5, 9);
  });

  it('is not made by what differs between two lives', () => {
    expect(trendOf([...line('a', 100, 0), ...line('b', 900, 0)])).toMatchObject({
      slope: 0,
      low: 0,
      high: 0,
    });
  });

  it('is little bent by one burst', () => {
    const burst = line('a', 100, 1).with(6, { group: 'a', at: 6, value: 5_000 });
    expect(trendOf(burst)?.slope).toBeCloseTo(1, 6);
  });

  it('is not known of less than four points, nor of one moment', () => {
    expect(trendOf(line('a', 1, 1).slice(0, 3))).toBeNull();
    expect(trendOf(line('a', 1, 1, [5, 5, 5, 5, 5]))).toBeNull();
    expect(trendOf([])).toBeNull();
  });

  it('finds the slope under noise, whatever it is, and stays in its interval', () => {
    const noisy = fc.record({
      slope: fc.double({ min: -20, max: 20, noNaN: true }),
      noise: fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 30, maxLength: 30 }),
    });
    fc.assert(
      fc.property(noisy, ({ slope, noise }) => {
        const trend = trendOf(noise.map((off, at) => ({ group: 'a', at, value: 50 + slope * at + off })));
        if (trend === null) throw new Error('30 points have a trend');
        expect(trend.low).toBeLessThanOrEqual(trend.slope);
        expect(trend.high).toBeGreaterThanOrEqual(trend.slope);
        // Noise of one bends 30 points by a good deal less than that.
        expect(Math.abs(trend.slope - slope)).toBeLessThan(0.25);
      }),
    );
  });

  it('holds its interval around the truth nineteen times in twenty', () => {
    let state = 1;
    const random = (): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const held = Array.from({ length: 400 }, () =>
      trendOf(
        ['a', 'b', 'c'].flatMap((group) =>
          Array.from({ length: 12 }, (_, at) => ({
            group,
            at,
            value: at * 3 + random() + random() + random(),
          })),
        ),
      ),
    ).filter((trend) => trend !== null && trend.low <= 3 && trend.high >= 3);
    expect(held.length / 400).toBeGreaterThan(0.92);
  });
});
