import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseMoment, settle } from './point-in-time.ts';

const NOW = Date.parse('2026-03-29T02:30:00Z');
const read = (text: string): number | null => {
  const moment = parseMoment(text);
  return moment === null ? null : settle(moment, NOW);
};

it.each([
  ['0', 0],
  ['1767366245', 1_767_366_245_000],
  ['1767366245.5', 1_767_366_245_500],
  ['2026-01-02', Date.UTC(2026, 0, 2)],
  ['2026-01-02T15:04:05Z', Date.UTC(2026, 0, 2, 15, 4, 5)],
  ['2026-01-02T15:04:05.678Z', Date.UTC(2026, 0, 2, 15, 4, 5, 678)],
  ['2026-01-02T15:04:05+08:00', Date.UTC(2026, 0, 2, 7, 4, 5)],
  ['-90s', NOW - 90_000],
  ['-15m', NOW - 900_000],
  ['-1h', NOW - 3_600_000],
  ['-1.5h', NOW - 5_400_000],
  ['-7d', NOW - 604_800_000],
  ['-36500d', NOW - 3_153_600_000_000],
  ['9999-12-31T22:59:59Z', Date.UTC(9999, 11, 31, 22, 59, 59)],
])('%s is a time', (text, ms) => {
  expect(read(text)).toBe(ms);
});

it.each([
  '',
  ' 1',
  '1 ',
  '1h',
  '+1h',
  '-1',
  '-1w',
  '-1H',
  '--1h',
  '-1e3h',
  '-1constructor',
  '1e3',
  '0x10',
  // Milliseconds; years of five digits, or before the first.
  '1767366245000',
  '253402300800',
  '9999-12-31T23:59:59-01:00',
  '0000-01-01T00:00:00+01:00',
  '-36501d',
  '2026-01-02 00:00',
  '2026-01-02T15:04:05',
  '2026-13-01',
  '2026-02-30',
  '2026-02-30T00:00:00Z',
  'yesterday',
])('%j is none', (text) => {
  expect(read(text)).toBeNull();
});

it('reads what a date writes, and never gives what is no time', () => {
  const date = fc.date({ min: new Date(0), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true });
  fc.assert(fc.property(date, (when) => read(when.toISOString()) === when.getTime()));
  fc.assert(
    fc.property(fc.string(), (text) => {
      const ms = read(text);
      return ms === null || Number.isFinite(new Date(ms).getTime());
    }),
  );
});
