import { expect, it } from 'vitest';
import { bestHours, type HourUse } from './hours.ts';

const hour = (part: Partial<HourUse>): HourUse => ({ tokens: 0, streamed: 0, streamMs: 0, ...part });

it('finds the busiest hour and the fastest one, the earliest of equals in whatever order', () => {
  const hours = [
    [3, hour({ tokens: 9, streamed: 400, streamMs: 20_000 })],
    [1, hour({ tokens: 5 })],
    [2, hour({ tokens: 9, streamed: 200, streamMs: 10_000 })],
  ] as const;
  for (const list of [hours, hours.toReversed()]) {
    expect(bestHours(list)).toEqual({
      peak_hour: { start: 2, tokens: 9 },
      fastest_hour: { start: 2, tps: 20 },
    });
  }
});

it('knows no speed of less than ten seconds, and no best of nothing', () => {
  const brief = hour({ tokens: 1, streamed: 1000, streamMs: 9_999 });
  expect(bestHours([[1, brief]]).fastest_hour).toBeNull();
  expect(bestHours([[1, hour({})]])).toEqual({ peak_hour: null, fastest_hour: null });
});
