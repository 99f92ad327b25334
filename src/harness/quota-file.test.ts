import { expect, it } from 'vitest';
import { isRebuilding, quotaFile, usedRequests } from './quota-file.ts';

const budget = { lane: 'zai', model: 'haiku', requests: 3 };

it('gives a target its budget as a glob over the models of a lane', () => {
  expect(JSON.parse(quotaFile(budget))).toEqual({
    quotas: [{ model: '*haiku*', lane: 'zai', rolling: { requests: 3 } }],
  });
});

it('reads how much of it is used, and nothing out of what says nothing of it', () => {
  const view = { model: '*haiku*', lane: 'zai', rolling: { requests: { used: 2, cap: 3 } } };
  expect(usedRequests({ quotas: [{ ...view, lane: 'local' }, view] }, budget)).toBe(2);
  expect(usedRequests({ quotas: [{ ...view, rolling: { requests: null } }] }, budget)).toBeNull();
  expect(usedRequests({ quotas: [] }, budget)).toBeNull();
  expect(usedRequests(null, budget)).toBeNull();
});

it('hears whether the windows are still being filled, and only where it is said', () => {
  expect([{ rebuilding: true }, { rebuilding: false }, {}, null].map(isRebuilding)).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
