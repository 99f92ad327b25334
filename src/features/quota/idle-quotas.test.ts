import { expect, it } from 'vitest';
import { idleQuotas } from './idle-quotas.ts';
import { parseQuotas } from './parse-quotas.ts';

const LANES = [
  { lane: 'anthropic', globs: ['*'] },
  { lane: 'zai', globs: ['claude-haiku-*'] },
  { lane: 'spare', globs: [] },
  { lane: 'spare', globs: ['llama-*'] },
  { lane: 'bare', globs: [] },
];

const warned = (
  model: string,
  lane: string,
  { fields = { rolling: { requests: 9 } }, seen = [] }: { fields?: object; seen?: readonly string[] } = {},
): readonly string[] =>
  idleQuotas(
    parseQuotas('q.json', Buffer.from(JSON.stringify({ quotas: [{ model, lane, ...fields }] }))),
    '/me/q.json',
    LANES,
    () => seen,
  );

it.each([
  ['*', 'zai'],
  ['*HAIKU*', 'zai'],
  ['*opus*', 'anthropic'],
  ['llama-3', 'spare'],
])('says nothing of "%s" on lane %s, which may count something', (model, lane) => {
  expect(warned(model, lane)).toEqual([]);
});

it.each([
  ['*', 'zia', 'there is no lane zia (there are anthropic, zai, spare, bare)'],
  ['claude-opus-*', 'zai', 'no route leads such a model there (its routes: "claude-haiku-*")'],
  ['*', 'bare', 'no route leads such a model there (its routes: none)'],
])('names what "%s" on lane %s lacks, with the file', (model, lane, why) => {
  expect(warned(model, lane)).toEqual([
    `the quota for "${model}" on lane ${lane} in /me/q.json counts nothing new: ${why}`,
  ]);
});

it('says that a glob matches none of the models that came, once some are known', () => {
  const seen = ['claude-haiku-4-5', 'claude-haiku-3', 'b', 'c', 'd'];
  expect(warned('*haku*', 'anthropic', { seen: seen.slice(0, 1) })).toEqual([
    'the quota for "*haku*" on lane anthropic in /me/q.json has counted nothing: ' +
      'none of the models seen there so far matches (claude-haiku-4-5)',
  ]);
  expect(warned('*haku*', 'anthropic', { seen }).join()).toContain(
    '(claude-haiku-4-5, claude-haiku-3, b and 2 more)',
  );
  expect(warned('*HAIKU*', 'anthropic', { seen })).toEqual([]);
  // That no such lane is there says it all.
  expect(warned('*', 'zia', { seen })).toHaveLength(1);
});

it.each([
  [{}, 'has no cap: it counts, and never warns or blocks'],
  [{ weekly: {} }, 'has no cap: it counts, and never warns or blocks'],
  [{ weekly: { hours: 1 }, warn_pct: 0.8 }, 'has warn_pct 0.8, which is 0.8%: all of a cap is 100'],
  [
    { weekly: { hours: 1 }, warn_pct: 0.8, block_pct: 1 },
    'has block_pct 1, which is 1%: all of a cap is 100',
  ],
])('says what a quota with %j never does', (fields, what) => {
  expect(warned('*', 'zai', { fields })).toEqual([`the quota for "*" on lane zai in /me/q.json ${what}`]);
});
