import { expect, it } from 'vitest';
import { isUncounted } from './charged.ts';

const answered = { op: 'stream', status: 200, reason: 'ok', attempts: 1, isCounted: false } as const;

it.each([
  ['was answered whole', {}],
  ['was answered without a stream', { op: 'nonstream' }],
  ['broke in the middle of its answer', { reason: 'truncated' }],
  ['held an error instead of an answer', { reason: 'upstream_error' }],
  ['was left in the middle of its answer', { reason: 'client_abort' }],
  ['was left before its answer', { reason: 'client_abort', status: 499 }],
] as const)('a message that %s is not free where nothing was counted', (_what, part) => {
  expect(isUncounted({ ...answered, ...part })).toBe(true);
  expect(isUncounted({ ...answered, ...part, isCounted: true })).toBe(false);
});

it.each([
  ['that counts tokens', { op: 'count_tokens' }],
  ['for models', { op: 'models' }],
  ['that the upstream refused', { status: 429, reason: 'upstream_error' }],
  ['whose refusal was not waited for', { status: 429, reason: 'client_abort' }],
  ['that no upstream answered', { status: 502, reason: 'upstream_error' }],
  ['that was left before anything was sent', { status: 499, reason: 'client_abort', attempts: 0 }],
  ['that ccp refused', { status: 403, reason: 'blocked', attempts: 0 }],
] as const)('a request %s is free', (_what, part) => {
  expect(isUncounted({ ...answered, ...part })).toBe(false);
});
