import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createUat, type FinishedRun } from '../../ccp-uat.ts';

const REPORT = 'GLM_LIMIT_PROBE.md';

/** Results and logs of somebody who looks for a limit, gone when disposed of. */
async function somebody() {
  const cwd = await mkdtemp(path.join(tmpdir(), 'ccp-uat-limits-'));
  const places = { resultsDir: path.join(cwd, 'results'), logsDir: path.join(cwd, 'logs') };
  const uat = createUat({ cwd, ...places });
  return {
    ...places,
    report: path.join(places.resultsDir, REPORT),
    /** Looks for a limit that a mock meets at the fourth request. */
    async look({ interruptAfter = Number.POSITIVE_INFINITY } = {}): Promise<FinishedRun> {
      const interruption = new AbortController();
      const planned = await uat.plan('probe-limits', OPTIONS);
      const { driver } = planned;
      if (driver?.kind !== 'limits') throw new Error('it looks for no limit');
      let ended = 0;
      return uat.run({
        plan: { ...planned, driver: { ...driver, mockWindow: 3 } },
        signal: interruption.signal,
        onEvent({ type }) {
          if (type === 'probe_ended' && (ended += 1) === interruptAfter)
            interruption.abort(new Error('interrupted by SIGINT'));
        },
      });
    },
    [Symbol.asyncDispose]: () => rm(cwd, { recursive: true, force: true }),
  };
}

const OPTIONS = {
  upstream: 'mock',
  client: 'curl',
  target: { kind: 'builtin' },
  license: undefined,
  login: false,
  lanes: ['anthropic', 'zai'],
  only: [],
  timeoutMs: null,
  failFast: false,
  allowInconclusive: false,
} as const;

const WORLD_MS = 60_000;

it(
  'leaves what was found before as it is where it is interrupted, and says so on its own page',
  async () => {
    await using one = await somebody();
    expect((await one.look()).unshown).toBeUndefined();
    const found = await readFile(one.report, 'utf8');
    const figures = await readFile(path.join(one.resultsDir, 'METRICS_limit_probe.json'), 'utf8');
    expect(found).toContain('The window was used up after 3 answers.');

    const { folder, unshown } = await one.look({ interruptAfter: 2 });
    expect(unshown).toContain('says nothing of the window');
    expect(await readFile(path.join(folder, REPORT), 'utf8')).toContain(
      'The run ended as "interrupted" after 2 of at most 100 requests',
    );
    expect(await readFile(one.report, 'utf8')).toBe(found);
    expect(await readFile(path.join(one.resultsDir, 'METRICS_limit_probe.json'), 'utf8')).toBe(figures);
  },
  WORLD_MS,
);

it(
  'on mocks leaves what a real provider was asked for as it is',
  async () => {
    await using one = await somebody();
    const real = '# The limit of the lane zai\n\n| | |\n| --- | --- |\n| upstream | real |\n';
    await mkdir(one.resultsDir);
    await writeFile(one.report, real);
    const { folder, unshown, record } = await one.look();
    expect({ outcome: record.outcome, unshown }).toEqual({
      outcome: 'pass',
      unshown: `${REPORT} was written into the folder of the run alone: the one in ${one.resultsDir} is not of a mock`,
    });
    expect(await readFile(one.report, 'utf8')).toBe(real);
    expect(await readFile(path.join(folder, REPORT), 'utf8')).toContain('was used up after 3 answers');
  },
  WORLD_MS,
);
