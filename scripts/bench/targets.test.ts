import { describe, expect, it } from 'vitest';
import type { ExchangeSample } from './measure.ts';
import { report } from './report.ts';
import { type CellResult, cpuRatio, type Results } from './results.ts';
import { spread } from './statistics.ts';
import { judgeTargets } from './targets.ts';

const sample = (cpuMicros: number | null, firstByteP50Ms = 1): ExchangeSample => ({
  cpuMicros,
  cpuMicrosPerEvent: null,
  exchangesPerSecond: 100,
  firstByteP50Ms,
  firstByteP99Ms: firstByteP50Ms,
});

const cell = (contestant: string, concurrency: number, ...samples: ExchangeSample[]): CellResult => ({
  work: 'json-124k',
  concurrency,
  contestant,
  samples,
  failures: [],
});

const results = (...cells: CellResult[]): Results => ({
  machine: { cores: 2, cpu: 'a processor', node: '24.0.0' },
  date: '2026-01-01T00:00:00.000Z',
  command: 'npm run bench --',
  reps: 3,
  ms: 1,
  skipped: [],
  cells,
  slow: [],
});

const verdict = (given: Results, target: string) =>
  judgeTargets(given).find((entry) => entry.target.includes(target));

describe('the median', () => {
  it.each([
    [[3], { median: 3, min: 3, max: 3 }],
    [[9, 1, 2], { median: 2, min: 1, max: 9 }],
    [[4, 1, 2, 9], { median: 3, min: 1, max: 9 }],
  ])('of %j', (values, expected) => expect(spread(values)).toEqual(expected));

  it('of nothing does not exist', () => expect(() => spread([])).toThrow('no repetition'));
});

describe('ratios and targets', () => {
  it('compares repetition by repetition, so that a slow minute of the machine cancels out', () => {
    const given = results(
      cell('ccp', 16, sample(100), sample(1000), sample(130)),
      cell('node-pipe', 16, sample(100), sample(1000), sample(100)),
    );
    expect(cpuRatio(given, { work: 'json-124k', concurrency: 16, of: 'ccp', to: 'node-pipe' })).toEqual({
      median: 1,
      min: 1,
      max: 1.3,
    });
  });

  it.each([
    [134, true],
    [136, false],
  ])('a ratio of %d to 100 against a limit of 1.35 is met: %s', (micros, met) => {
    const given = results(cell('ccp', 16, sample(micros)), cell('node-pipe', 16, sample(100)));
    expect(verdict(given, 'json-124k, 16')).toMatchObject({ met });
  });

  it.each([
    [1.39, true],
    [1.41, false],
  ])(
    'a first byte after %d ms, where nginx takes 1.2 and the direct way 1, is fast enough: %s',
    (ms, met) => {
      const given = results(
        cell('ccp', 1, sample(1, ms)),
        cell('nginx', 1, sample(1, 1.2)),
        cell('direct', 1, sample(null, 1)),
      );
      expect(verdict(given, 'first byte added, json-124k')).toMatchObject({ met });
    },
  );

  it('says nothing about what was not measured', () => {
    expect(judgeTargets(results()).every(({ value, met }) => value === null && met === null)).toBe(true);
  });

  it('the report shows a missed target and a failure', () => {
    const given = results(
      { ...cell('ccp', 16, sample(200)), failures: ['the answer is not what the upstream sent'] },
      cell('node-pipe', 16, sample(100)),
    );
    expect(report(given)).toMatch(/json-124k, 16 at once: ccp \/ node-pipe *\| ≤ 1\.35 *\| 2\.00 *\| missed/);
    expect(report(given)).toContain('json-124k, ccp: failed: the answer is not what the upstream sent');
  });
});
