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

const warned = (model: string, lane: string): readonly string[] =>
  idleQuotas(
    parseQuotas('q.json', Buffer.from(JSON.stringify({ quotas: [{ model, lane }] }))),
    '/me/q.json',
    LANES,
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
