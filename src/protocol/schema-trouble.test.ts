import { expect, it } from 'vitest';
import { z } from 'zod';
import { judgeBySchema, placeName } from './schema-trouble.ts';

const schema = z.strictObject({
  v: z.literal(1),
  name: z.string().min(1).max(3),
  list: z.array(z.number().positive().max(9)).min(1).max(2),
  count: z.int().min(2),
  day: z.iso.date(),
  mode: z.enum(['on', 'off']),
  byName: z.record(z.string().regex(/^a/, 'must begin with an a'), z.boolean()),
  own: z.string('must be the name of a lane'),
});
const GOOD = {
  v: 1,
  name: 'a',
  list: [1],
  count: 2,
  day: '2026-01-31',
  mode: 'on',
  byName: {},
  own: 'x',
};

it('takes what is right', () => {
  expect(judgeBySchema(schema, GOOD)).toEqual({ ok: true, value: GOOD });
});

it.each([
  [{ v: 2 }, 'v', 'must be 1'],
  [{ v: undefined }, 'v', 'is missing'],
  [{ name: undefined }, 'name', 'is missing'],
  [{ name: 1 }, 'name', 'must be a text'],
  [{ name: '' }, 'name', 'must not be empty'],
  [{ name: 'abcd' }, 'name', 'must have at most 3 characters'],
  [{ list: {} }, 'list', 'must be a list: [ … ]'],
  [{ list: [] }, 'list', 'must not be empty'],
  [{ list: [1, 2, 3] }, 'list', 'must have at most 2 entries'],
  [{ list: [1, 0] }, 'list[1]', 'must be more than 0'],
  [{ list: [10] }, 'list[0]', 'must be at most 9'],
  [{ list: ['1'] }, 'list[0]', 'must be a number'],
  [{ count: 1 }, 'count', 'must be at least 2'],
  [{ count: 2.5 }, 'count', 'must be a whole number'],
  [{ day: 'today' }, 'day', 'must be a day like "2026-01-31"'],
  [{ mode: 'onn' }, 'mode', 'must be "on" or "off"'],
  [{ byName: { b: true } }, 'byName.b', 'must begin with an a'],
  [{ byName: { a: 1 } }, 'byName.a', 'must be true or false'],
  [{ own: 1 }, 'own', 'must be the name of a lane'],
  [{ more: 1 }, 'more', 'unknown key; there are v, name, list, count, day, mode, byName, own'],
])('says in our words what is wrong with %j', (part, place, what) => {
  const judged = judgeBySchema(schema, { ...GOOD, ...part });
  if (judged.ok) throw new Error('taken');
  expect([placeName(judged.trouble.at), judged.trouble.what]).toEqual([place, what]);
});

it('says so of the whole document', () => {
  expect(judgeBySchema(schema, [])).toEqual({
    ok: false,
    trouble: { at: [], what: 'must be an object: { … }' },
  });
});
