import { describe, expect, it } from 'vitest';
import { idleOf, idleQuotas } from './idle-quotas.ts';
import type { NearestName } from './meant-glob.ts';
import { parseQuotas } from './parse-quotas.ts';

const LANES = [
  { lane: 'anthropic', globs: ['*'] },
  { lane: 'zai', globs: ['claude-haiku-*'] },
  { lane: 'spare', globs: [] },
  { lane: 'spare', globs: ['llama-*'] },
  { lane: 'bare', globs: [] },
];

interface Given {
  readonly fields?: object;
  readonly seen?: readonly string[] | null;
  readonly known?: readonly string[];
}

/** Knows one slip. */
const nearestName: NearestName = (name, candidates) => {
  const meant = { zia: 'zai', haku: 'haiku' }[name] ?? '';
  return [...candidates].includes(meant) ? meant : null;
};

const warned = (
  model: string,
  lane: string,
  { fields = { rolling: { requests: 9 } }, seen = [], known = [] }: Given = {},
): readonly string[] =>
  idleQuotas(
    parseQuotas('q.json', Buffer.from(JSON.stringify({ quotas: [{ model, lane, ...fields }] }))),
    '/me/q.json',
    { lanes: LANES, seenOn: () => seen, knownModels: known, nearestName },
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
  ['*', 'zia', 'there is no lane zia (there are anthropic, zai, spare, bare): did you mean "zai"?'],
  ['*', 'other', 'there is no lane other (there are anthropic, zai, spare, bare)'],
  ['claude-opus-*', 'zai', 'no route leads such a model there (its routes: "claude-haiku-*")'],
  ['*', 'bare', 'no route leads such a model there (its routes: none)'],
])('names what "%s" on lane %s lacks, with the file', (model, lane, why) => {
  expect(warned(model, lane)).toEqual([
    `the quota for "${model}" on lane ${lane} in /me/q.json counts nothing: ${why}`,
  ]);
});

it('says that a glob matches none of the models that came, once some are known', () => {
  const seen = ['claude-haiku-4-5', 'claude-haiku-3', 'b', 'c', 'd'];
  expect(warned('*haku*', 'anthropic', { seen: seen.slice(0, 1) })).toEqual([
    'the quota for "*haku*" on lane anthropic in /me/q.json has counted nothing: ' +
      'none of the models seen there so far matches ("claude-haiku-4-5"): did you mean "*haiku*"?',
  ]);
  expect(warned('*haku*', 'anthropic', { seen }).join()).toContain(
    '("claude-haiku-4-5", "claude-haiku-3", "b" and 2 more)',
  );
  expect(warned('*HAIKU*', 'anthropic', { seen })).toEqual([]);
  // Of many some are not known.
  expect(warned('*haku*', 'anthropic', { seen: null, known: ['claude-haiku-4-5'] })).toEqual([]);
  // That no such lane is there says it all.
  expect(warned('*', 'zia', { seen })).toHaveLength(1);
});

it('escapes the names that clients chose', () => {
  expect(warned('*haku*', 'anthropic', { seen: ['x\nccp: error: \u001b[2J'] }).join()).toContain(
    String.raw`matches ("x\nccp: error: \u001b[2J")`,
  );
});

it('says nothing of a glob for known models that have not come yet, where a route leads them there', () => {
  const [seen, known] = [['claude-sonnet-5'], ['claude-opus-5']];
  expect(warned('*opus*', 'anthropic', { seen, known })).toEqual([]);
  expect(warned('*opus*', 'zai', { seen, known })).toHaveLength(1);
});

it('looks for what was meant only to say it, and in no more than a hundred short words', () => {
  const [one] = parseQuotas('q.json', Buffer.from('{"quotas": [{"model": "*haku*", "lane": "zai"}]}'));
  const letters = 'abcdefghijklmno'.split('');
  const seen = letters.flatMap((a) => letters.map((b) => `${a}${b}-${'z'.repeat(33)}`));
  const sought: string[][] = [];
  const around = {
    lanes: LANES,
    seenOn: () => seen,
    knownModels: ['claude-haiku-4-5'],
    nearestName: (_: string, candidates: Iterable<string>) => {
      sought.push([...candidates]);
      return null;
    },
  };
  expect(one && idleOf(one, around)).toBe('no_match');
  expect(sought).toEqual([]);
  expect(one && idleQuotas([one], '/me/q.json', around)).toHaveLength(2);
  expect(sought).toHaveLength(1);
  expect(sought[0]?.slice(0, 2)).toEqual(['claude', 'haiku']);
  expect(sought[0]).toHaveLength(100);
  expect(sought[0]?.filter((word) => word.length > 32)).toEqual([]);
});

describe('before anything came', () => {
  const known = ['claude-haiku-4-5', 'claude-opus-5', 'claude-opus-6', 'claude-opus-7', 'claude-opus-8'];

  it('names a glob that leaves room for a name, but for none that there is', () => {
    expect(warned('*opus*', 'zai', { known })).toEqual([
      'the quota for "*opus*" on lane zai in /me/q.json most likely counts nothing: of the models that ccp knows, ' +
        'those that match ("claude-opus-5", "claude-opus-6", "claude-opus-7" and 1 more) have no route there ' +
        '(its routes: "claude-haiku-*")',
    ]);
  });

  it('names a glob that matches no known model where a slip is all that it wants', () => {
    expect(warned('*Haku*', 'zai', { known })).toEqual([
      expect.stringMatching(/most likely counts nothing: .*, none matches: did you mean "\*haiku\*"\?$/),
    ]);
  });

  it.each([
    ['*haiku*', 'zai'],
    ['*opus*', 'anthropic'],
    ['*-5', 'zai'],
    // A model of one's own, of which nobody else knows.
    ['my-*', 'anthropic'],
    ['llama-3', 'spare'],
  ])('says nothing of "%s" on lane %s', (model, lane) => {
    expect(warned(model, lane, { known })).toEqual([]);
  });

  it('says nothing of what came already', () => {
    expect(warned('*opus*', 'zai', { known, seen: ['claude-opus-haiku'] })).toEqual([]);
  });
});

it.each([
  ['*', 'zia', 'no_lane'],
  ['claude-opus-*', 'zai', 'no_route'],
  ['*haku*', 'zai', 'no_match'],
  ['*haiku*', 'zai', null],
])('tells why "%s" on lane %s counts nothing: %s', (model, lane, idle) => {
  const [one] = parseQuotas('q.json', Buffer.from(JSON.stringify({ quotas: [{ model, lane }] })));
  const around = { lanes: LANES, seenOn: () => ['claude-haiku-4-5'], knownModels: [], nearestName };
  expect(one && idleOf(one, around)).toBe(idle);
});

it.each([
  [{}, 'has no cap: it counts, and never warns or blocks'],
  [{ weekly: {} }, 'has no cap: it counts, and never warns or blocks'],
  [{ weekly: { hours: 1 }, warn_pct: 1 }, 'has warn_pct 1, which is 1%: did you mean 100?'],
  [{ weekly: { hours: 1 }, warn_pct: 1, block_pct: 1 }, 'has block_pct 1, which is 1%: did you mean 100?'],
])('says what a quota with %j never does', (fields, what) => {
  expect(warned('*', 'zai', { fields })).toEqual([`the quota for "*" on lane zai in /me/q.json ${what}`]);
});
