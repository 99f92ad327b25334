import { expect, it } from 'vitest';
import { readOptions } from './options.ts';
import { makePlan } from './plan.ts';

it('measures everything, three times, unless told otherwise', () => {
  const options = readOptions([]);
  if (typeof options === 'string') throw new Error(options);
  expect(options).toMatchObject({ reps: 3, concurrency: [1, 16, 64], streams: 2000, peers: false });
  const { cells, slow, contestants, skipped } = makePlan(options);
  expect(cells).toHaveLength(4 * 3 + 1);
  expect(slow.map(({ name }) => name)).toEqual(['slow-1k', 'slow-124k']);
  const names = [...contestants, ...skipped].map(({ name }) => name);
  expect(names.toSorted()).toEqual(['ccp', 'ccp-no-store', 'direct', 'nginx', 'node-dispatch', 'node-pipe']);
});

it('takes the work, the contestants and the concurrency that are named', () => {
  const options = readOptions(['--work', 'sse-1k', '--concurrency', '4', '--contestants', 'node-pipe']);
  if (typeof options === 'string') throw new Error(options);
  const { cells, slow, contestants } = makePlan(options);
  expect(cells).toMatchObject([{ work: { name: 'sse-1k' }, concurrency: 4 }]);
  expect(slow).toEqual([]);
  expect(contestants).toMatchObject([{ name: 'node-pipe' }]);
});

it.each([
  [['--work', 'sse-2k'], 'sse-2k'],
  [['--contestants', 'nginx,apache'], 'apache'],
  [['--reps', '0'], '--reps'],
  [['--streams', '1e9'], '--streams'],
  [['--concurrency', '1,x'], '--concurrency'],
  [['--nonsense'], '--nonsense'],
])('refuses %j and names what is wrong', (args, named) => {
  expect(readOptions(args)).toContain(named);
});
