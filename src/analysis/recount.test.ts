import { expect, it } from 'vitest';
import type { Reason } from '../protocol/usage-event.ts';
import { isUncounted } from './recount.ts';

const asked = { op: 'stream', status: 200, reason: 'ok', attempts: 1, tokens: null } as const;

it.each<[number, Reason, boolean]>([
  [200, 'ok', true],
  [200, 'truncated', true],
  [200, 'timeout', true],
  [200, 'client_abort', true],
  [499, 'client_abort', true],
  [504, 'timeout', true],
  [429, 'upstream_error', false],
  [429, 'timeout', false],
  [429, 'client_abort', false],
  [502, 'upstream_error', false],
  [504, 'upstream_error', false],
])('a message that ended with %i and %s is held to be uncounted: %s', (status, reason, expected) => {
  const one = { ...asked, status, reason };
  expect(isUncounted(one)).toBe(expected);
  expect(isUncounted({ ...one, attempts: 0 })).toBe(false);
  expect(isUncounted({ ...one, op: 'count_tokens' })).toBe(false);
});

it('zeros are no count, and a stream tells what it took at its end', () => {
  const none = { input: 0, output: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 };
  const told = { ...none, input: 5_000, output: 1 };
  expect(isUncounted({ ...asked, tokens: none })).toBe(true);
  expect(isUncounted({ ...asked, tokens: told })).toBe(false);
  expect(isUncounted({ ...asked, tokens: told, reason: 'client_abort' })).toBe(true);
  expect(isUncounted({ ...asked, tokens: told, reason: 'client_abort', op: 'nonstream' })).toBe(false);
});
