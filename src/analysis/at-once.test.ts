import { expect, it } from 'vitest';
import { mostAtOnce } from './at-once.ts';
import { greenRun } from './testing/green-run.ts';

const [some] = greenRun().client;
if (some === undefined) throw new Error('a green run has a client');
const during = (startedAt: number, endedMs: number) => ({ ...some, startedAt, endedMs });

it('counts what is under way beside each other, and not what comes one after the other', () => {
  expect(mostAtOnce([], 200)).toBe(0);
  expect(mostAtOnce([during(0, 1000), during(1000, 1000), during(2000, 1000)], 200)).toBe(1);
  expect(mostAtOnce([during(0, 1000), during(100, 1000), during(500, 1000), during(2000, 1000)], 200)).toBe(
    3,
  );
});

it('takes for nothing what hardly overlaps, or is hardly there', () => {
  expect(mostAtOnce([during(0, 1000), during(900, 1000)], 200)).toBe(1);
  expect(mostAtOnce([during(0, 1000), during(900, 1000)], 20)).toBe(2);
  expect(mostAtOnce([during(0, 1000), during(300, 5), during(400, 5)], 200)).toBe(1);
});
