import { array, assert, constantFrom, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectRuns } from './selection.ts';

const suites = array(constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 12 });

describe('the shards of a selection', () => {
  it('are disjoint, together the whole, the same each time, and as even as can be', () => {
    assert(
      property(
        suites,
        integer({ min: 1, max: 6 }),
        integer({ min: 1, max: 20 }),
        (names, repeatEach, most) => {
          const all = selectRuns(names, { repeatEach, shard: undefined });
          const count = Math.min(most, all.length);
          const shard = (index: number) => selectRuns(names, { repeatEach, shard: { index, count } });
          const shards = Array.from({ length: count }, (_, at) => shard(at + 1));
          const text = (units: typeof all) => units.map((unit) => JSON.stringify(unit)).toSorted();
          expect(text(shards.flat())).toEqual(text(all));
          const sizes = shards.map(({ length }) => length);
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
          expect(shard(count)).toEqual(shards.at(-1));
        },
      ),
    );
  });

  it('keep the order of the suites', () => {
    expect(selectRuns(['a', 'b', 'c'], { repeatEach: 2, shard: { index: 2, count: 2 } })).toEqual([
      { suite: 'a', repetition: 2 },
      { suite: 'b', repetition: 2 },
      { suite: 'c', repetition: 2 },
    ]);
  });

  it('that have nothing to run are refused: that would prove nothing and be green', () => {
    const ask = () => selectRuns(['a', 'b'], { repeatEach: 1, shard: { index: 3, count: 3 } });
    expect(ask).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: '--shard 3/3 has nothing to run: there are 2 runs',
      }),
    );
  });
});
