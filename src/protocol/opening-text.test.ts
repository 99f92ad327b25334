import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openingText, waitSeconds } from './opening-text.ts';

// In the time zone of whoever runs the tests.
const NOON = new Date(2026, 5, 1, 12, 0, 30).getTime();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

it.each([
  [0, 'in 1 s (12:00:31)'],
  [44_001, 'in 45 s (12:01:15)'],
  [2 * MINUTE, 'in about 2 min (12:03)'],
  [11.2 * MINUTE, 'in about 12 min (12:12)'],
  [2 * HOUR, 'in about 2 h (14:01)'],
  [13 * HOUR, 'in about 13 h (2 Jun 01:01)'],
  [6.5 * 24 * HOUR, 'in about 7 days (8 Jun 00:01)'],
])('%d ms are told as %s', (inMs, text) => {
  expect(openingText({ inMs, at: NOON + inMs })).toBe(text);
});

it('never names a time before the one that retry-after names, nor one more than a minute later', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: HOUR }), fc.integer({ min: 0, max: 6 * HOUR }), (inMs, past) => {
      const now = NOON + past;
      const [, hours, minutes, seconds = 0] =
        /\((\d\d):(\d\d)(?::(\d\d))?\)/.exec(openingText({ inMs, at: now + inMs })) ?? [];
      const named = new Date(now).setHours(Number(hours), Number(minutes), Number(seconds), 0);
      const wait = now + waitSeconds({ inMs }) * 1000;
      expect(named).toBeGreaterThan(wait - 1000);
      expect(named).toBeLessThanOrEqual(wait + MINUTE);
    }),
  );
});
