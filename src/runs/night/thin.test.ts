import fc from 'fast-check';
import { expect, it } from 'vitest';
import { thinAnswers, thinReadings } from './thin.ts';

const reading = fc.record({
  at: fc.nat(1e6),
  rssMb: fc.double({ min: 1, max: 4_000, noNaN: true }),
  files: fc.nat(500),
  sockets: fc.nat(500),
});

it('keeps eight readings of a round, or as many as there are, each within what was read', () => {
  fc.assert(
    fc.property(fc.array(reading, { maxLength: 300 }), (readings) => {
      const thin = thinReadings(readings);
      expect(thin.length).toBe(Math.min(8, readings.length));
      for (const { files } of thin) expect(readings.map((one) => one.files)).toContain(files);
    }),
  );
});

it('lets no single burst stand for a part of the answers', () => {
  const answers = Array.from({ length: 80 }, (_, at) => ({ life: '1.1', at, ms: at === 40 ? 9_000 : 10 }));
  expect(thinAnswers(answers).map(({ ms }) => ms)).toEqual(Array.from({ length: 8 }, () => 10));
});

it('keeps eight answers of each process that gave some in the round', () => {
  const answers = Array.from({ length: 40 }, (_, at) => ({ life: at < 30 ? '1.1' : '1.2', at, ms: at }));
  expect(thinAnswers(answers).map(({ life }) => life)).toEqual([
    ...Array.from({ length: 8 }, () => '1.1'),
    ...Array.from({ length: 8 }, () => '1.2'),
  ]);
});
