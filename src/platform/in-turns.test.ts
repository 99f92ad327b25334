import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createTurns, inTurns } from './in-turns.ts';

describe('work in turns', () => {
  it('never has more under way than allowed, and gives results in the order of the items', async () => {
    let underWay = 0;
    let most = 0;
    const results = await inTurns([3, 1, 2, 0], 2, async (turns) => {
      underWay += 1;
      most = Math.max(most, underWay);
      for (let turn = 0; turn < turns; turn += 1) await nextTurn();
      underWay -= 1;
      return turns;
    });
    expect({ results, most }).toEqual({ results: [3, 1, 2, 0], most: 2 });
  });

  it('begins nothing more once it is told to stop, and keeps what was begun', async () => {
    const begun: number[] = [];
    const work = async (item: number): Promise<number> => (begun.push(item), item);
    expect(await inTurns([1, 2, 3], 1, work, () => begun.length < 2)).toEqual([1, 2]);
  });

  it('of one queue is done one by one, also after one that failed', async () => {
    const inTurn = createTurns();
    const told: string[] = [];
    const failed = inTurn(async () => {
      await nextTurn();
      told.push('first');
      throw new Error('no');
    });
    const second = inTurn(async () => told.push('second'));
    await expect(failed).rejects.toThrow('no');
    expect(await second).toBe(2);
    expect(told).toEqual(['first', 'second']);
  });
});
