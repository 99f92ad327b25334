import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openingText, waitSeconds } from './opening-text.ts';

const NOON = Date.UTC(2026, 5, 1, 12, 0, 30);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

it.each([
  [0, 'in 1 s'],
  [44_001, 'in 45 s'],
  [2 * MINUTE, 'in about 2 min (12:03 UTC)'],
  [11.2 * MINUTE, 'in about 12 min (12:12 UTC)'],
  [2 * HOUR, 'in about 2 h (14:01 UTC)'],
  [13 * HOUR, 'in about 13 h (2026-06-02 01:01 UTC)'],
  [6.5 * 24 * HOUR, 'in about 7 days (2026-06-08 00:01 UTC)'],
])('%d ms are told as %s', (inMs, text) => {
  expect(openingText({ inMs, at: NOON + inMs })).toBe(text);
});

it('never names a time before the one that retry-after names, nor one more than a minute later', () => {
  const inMs = fc.integer({ min: 2 * MINUTE, max: 7 * 24 * HOUR });
  fc.assert(
    fc.property(inMs, fc.integer({ min: 0, max: 48 * HOUR }), (wait, past) => {
      const now = NOON + past;
      const [, day, time] =
        /\((?:(\S+) )?(\d\d:\d\d) UTC\)$/.exec(openingText({ inMs: wait, at: now + wait })) ?? [];
      const named = Date.parse(`${day ?? new Date(now).toISOString().slice(0, 10)}T${time}Z`);
      const ready = now + waitSeconds({ inMs: wait }) * 1000;
      expect(named).toBeGreaterThanOrEqual(ready);
      expect(named).toBeLessThan(ready + MINUTE);
    }),
  );
});
