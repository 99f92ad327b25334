import { expect, it } from 'vitest';
import { pointInTime } from './point-in-time.ts';

const NOW = Date.parse('2026-01-02T12:00:00Z');

it.each([
  ['1767312000', 1_767_312_000_000],
  ['1767312000.25', 1_767_312_000_250],
  ['2026-01-02T00:00:00Z', 1_767_312_000_000],
  ['2026-01-02T01:00:00.5+01:00', 1_767_312_000_500],
  ['2026-01-02', 1_767_312_000_000],
  ['-12h', 1_767_312_000_000],
  ['-90s', NOW - 90_000],
  ['-7d', NOW - 7 * 86_400_000],
])('takes %s', (text, time) => expect(pointInTime(text, NOW)).toBe(time));

it.each([
  '',
  '1h',
  '-1',
  '-1w',
  'yesterday',
  '2026-13-01',
  '2026-01-02 00:00',
  '1e9',
  '--1h',
  '9'.repeat(12),
])('takes no %j', (text) => expect(pointInTime(text, NOW)).toBeNull());
