import fc from 'fast-check';
import { expect, it } from 'vitest';
import { amountOf, bar, clockTime, compact, costText, percent, span, usd, windowName } from './figures.ts';

it.each([
  [0, '0'],
  [999, '999'],
  [1000, '1.0k'],
  [9_949, '9.9k'],
  [9_950, '10k'],
  [999_499, '999k'],
  [999_500, '1.0M'],
  [1_234_567_890, '1.2G'],
])('%d is written %s', (count, text) => {
  expect(compact(count)).toBe(text);
});

it('a count is never longer than five characters, and never in the wrong order', () => {
  const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
  fc.assert(fc.property(count, (one) => compact(one).length <= 5));
});

it.each([
  [0, '$0.00'],
  [12.345, '$12.35'],
  [0.995, '$0.99'],
  [0.5, '$0.50'],
  [0.01, '$0.01'],
  [0.0044, '$0.0044'],
  [0.000001, '<$0.0001'],
  [-3.15, '-$3.15'],
])('%d dollars are written %s', (value, text) => {
  expect(usd(value)).toBe(text);
});

it('what has no price or was not counted is said, and never looks like nothing', () => {
  const cost = (
    cost_usd: number | null,
    unpriced_tokens: number,
    cost_is_at_least = false,
    uncounted = 0,
  ): string => costText({ cost_usd, cost_is_at_least, unpriced_tokens, uncounted });
  expect(cost(null, 7)).toBe('unpriced');
  expect(cost(1, 0)).toBe('$1.00');
  expect(cost(1, 4_200)).toBe('$1.00 + ?');
  expect(cost(1, 0, true)).toBe('≥ $1.00');
  expect(cost(1, 0, false, 1)).toBe('$1.00 + ?');
  expect(cost(null, 0, false, 1)).toBe('?');
  expect(cost(null, 7, false, 1)).toBe('unpriced');
});

it.each([
  [0, '0s'],
  [59, '59s'],
  [60, '1m'],
  [3_599, '1h'],
  [12_000, '3h 20m'],
  [86_400, '1d'],
  [187_200, '2d 4h'],
])('%d seconds are written %s', (seconds, text) => {
  expect(span(seconds)).toBe(text);
});

it.each([
  [120, '2m'],
  [1_800, '30m'],
  [5_400, '1h30m'],
  [18_000, '5h'],
  [604_800, '7d'],
])('calls a window of %d seconds %s', (seconds, text) => {
  expect(windowName(seconds)).toBe(text);
});

it.each([
  [0, '0%', '░░░░░░░░░░'],
  [0.2, '<1%', '█░░░░░░░░░'],
  [70, '70%', '███████░░░'],
  [89.9, '90%', '█████████░'],
  [99.7, '99%', '█████████░'],
  [100, '100%', '██████████'],
  [250, '250%', '██████████'],
])('%d per cent are written %s and drawn %s', (pct, text, drawn) => {
  expect(percent(pct)).toBe(text);
  expect(bar(pct)).toBe(drawn);
});

it.each([
  ['today, the time alone', new Date(2026, 2, 4, 9, 5), '09:05'],
  ['within the next minute, to the second', new Date(2026, 2, 4, 12, 0, 45), '12:00:45'],
  ['in a minute', new Date(2026, 2, 4, 12, 1), '12:01'],
  ['within the last minute', new Date(2026, 2, 4, 11, 59, 30), '11:59'],
  ['another day of the year', new Date(2026, 0, 31, 23, 59), '31 Jan 23:59'],
  ['the same day of another year', new Date(2025, 2, 4, 9, 5), '4 Mar 2025 09:05'],
  ['the day after, in another year', new Date(2027, 0, 1, 0, 0), '1 Jan 2027 00:00'],
])('a time is told so that it means one thing: %s', (_, date, text) => {
  expect(clockTime(date.toISOString(), new Date(2026, 2, 4, 12, 0))).toBe(text);
});

it.each([
  [0, '0 requests'],
  [1, '1 request'],
  [1_200, '1.2k requests'],
])('%d of something are written %s', (count, text) => {
  expect(amountOf(count, 'request')).toBe(text);
});
