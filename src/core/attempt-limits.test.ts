import { expect, it } from 'vitest';
import { limitsFor } from './limits.ts';

const limits = { maxBody: 1, headMs: 600, jsonMs: 100, streamIdleMs: 20 };

it.each(['nonstream', 'count_tokens', 'models'] as const)(
  'an answer to %s that is one document is due by both limits',
  (op) => {
    expect(limitsFor(op, limits)).toEqual({ headMs: 100, jsonMs: 100, streamIdleMs: 20 });
  },
);

it('a stream may think for as long as a head may take', () => {
  expect(limitsFor('stream', limits)).toEqual({ headMs: 600, jsonMs: 100, streamIdleMs: 20 });
});

it('what is neither has no limit on the whole', () => {
  expect(limitsFor('other', limits)).toEqual({ headMs: 600, jsonMs: 0, streamIdleMs: 20 });
});

it('0 is no limit, never the shortest', () => {
  expect(limitsFor('nonstream', { ...limits, jsonMs: 0 }).headMs).toBe(600);
  expect(limitsFor('nonstream', { ...limits, headMs: 0 }).headMs).toBe(100);
});
