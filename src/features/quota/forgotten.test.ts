import { expect, it } from 'vitest';
import { forgottenOnRestart } from './forgotten.ts';
import { parseQuotas } from './parse-quotas.ts';

const told = (keptDays: number | null, ...fields: object[]): readonly string[] => {
  const quotas = fields.map((given, index) => ({ model: `m${index}`, lane: 'zai', ...given }));
  return forgottenOnRestart(
    parseQuotas('q.json', Buffer.from(JSON.stringify({ quotas }))),
    '/me/q.json',
    keptDays,
  );
};

it('says of a window that is longer than exchanges are kept how much of it is left', () => {
  const weekly = { weekly: { tokens: 9 } };
  expect(told(1, weekly)).toEqual([
    'the quota for "m0" on lane zai in /me/q.json counts only the last day of its weekly window after a restart: ' +
      'what is older is not kept (CCP_SAMPLE_TTL_DAYS=1)',
  ]);
  expect(told(6, { rolling: { requests: 9 } }, weekly)).toEqual([
    expect.stringMatching(/^the quota for "m1" .* the last 6 days of its weekly window .*_DAYS=6\)$/),
  ]);
  expect(told(1, { rolling: { span: '25h', hours: 1 } })).toEqual([
    expect.stringContaining('the last day of its rolling window'),
  ]);
});

it('says nothing where all of it is kept, or it has no cap', () => {
  expect(told(7, { rolling: { span: '7d', requests: 9 }, weekly: { tokens: 9 } })).toEqual([]);
  expect(told(1, { rolling: { span: '1d', requests: 9 }, weekly: {} })).toEqual([]);
  expect(told(null, { weekly: {} })).toEqual([]);
  expect(told(null)).toEqual([]);
});

it('says once that nothing at all is kept', () => {
  expect(told(null, {}, { rolling: { requests: 9 } }, { weekly: { hours: 1 } })).toEqual([
    'the quotas in /me/q.json begin at zero with each start: nothing is kept (CCP_PERSIST=0)',
  ]);
});
