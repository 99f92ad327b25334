import { expect, it } from 'vitest';
import { isUncounted } from './charged.ts';

const answered = { op: 'stream', status: 200, reason: 'ok', attempts: 1, tokens: 0 } as const;

it.each([
  ['was answered whole', {}],
  ['was answered without a stream', { op: 'nonstream' }],
  ['was left before its answer', { reason: 'client_abort', status: 499 }],
  ['was given up before its answer', { reason: 'timeout', status: 504 }],
  ['was given up in the middle of its answer', { reason: 'timeout', op: 'nonstream' }],
] as const)('a message that %s is not free where nothing was counted', (_what, part) => {
  expect(isUncounted({ ...answered, ...part })).toBe(true);
});

it('what was told at its end is counted', () => {
  expect(isUncounted({ ...answered, tokens: 1 })).toBe(false);
  expect(isUncounted({ ...answered, tokens: 1, op: 'nonstream', reason: 'client_abort' })).toBe(false);
});

it.each(['truncated', 'upstream_reset', 'upstream_error', 'stream_timeout', 'client_abort'] as const)(
  'a stream that ended as %s told at most a part',
  (reason) => {
    expect(isUncounted({ ...answered, reason })).toBe(true);
    expect(isUncounted({ ...answered, reason, tokens: 5_001 })).toBe(true);
  },
);

it.each([
  ['that counts tokens', { op: 'count_tokens' }],
  ['for models', { op: 'models' }],
  ['that the upstream refused', { status: 429, reason: 'upstream_error' }],
  ['whose refusal was not waited for', { status: 429, reason: 'client_abort' }],
  ['whose refusal did not come whole', { status: 429, reason: 'timeout' }],
  ['whose upstream said that it took too long', { status: 504, reason: 'upstream_error' }],
  ['that no upstream answered', { status: 502, reason: 'upstream_error' }],
  ['that did not come whole', { status: 408, reason: 'timeout', attempts: 0 }],
  ['that was left before anything was sent', { status: 499, reason: 'client_abort', attempts: 0 }],
  ['that ccp refused', { status: 403, reason: 'blocked', attempts: 0 }],
] as const)('a request %s is free', (_what, part) => {
  expect(isUncounted({ ...answered, ...part })).toBe(false);
});
