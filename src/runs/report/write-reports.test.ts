import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { CHECKS } from '../../analysis/checks/index.ts';
import { recordOf } from '../judge.ts';
import { readStoredRun } from '../stored/stored-run.ts';
import type { Suite } from '../suite.ts';
import { storeGreenRun, temporaryFolder } from '../testing/stored-green-run.ts';
import { publish, tryPlaces, writeReports } from './write-reports.ts';

const suite: Suite = {
  name: 'test',
  title: 'A test',
  proves: [],
  probes: [],
  timeoutMs: 1000,
  settings: {},
  checks: [],
  artifacts: { name: 'a_test' },
};

it('writes a line for each run into TESTS.md, also of runs that end in one moment', async () => {
  await using place = await temporaryFolder();
  const places = { resultsDir: path.join(place.path, 'results'), logsDir: path.join(place.path, 'logs') };
  await tryPlaces(places);
  const runs = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const { folder } = await storeGreenRun(path.join(places.resultsDir, 'runs'));
      const stored = await readStoredRun(folder.path);
      const record = recordOf(stored, CHECKS);
      await writeReports(folder, { record, stored });
      return { folder, record };
    }),
  );
  await Promise.all(runs.map((run) => publish({ ...run, suite, places })));
  const lines = (await readFile(path.join(places.resultsDir, 'TESTS.md'), 'utf8')).trim().split('\n');
  expect(lines.filter((line) => line.includes('| started | name | verdict |'))).toHaveLength(1);
  const rows = lines.filter((line) => line.includes('| a_test | pass |'));
  expect(rows).toHaveLength(5);
  for (const { folder } of runs)
    expect(rows).toContainEqual(expect.stringContaining(`| runs/${path.basename(folder.path)} |`));
  const [again] = runs;
  if (again !== undefined) await publish({ ...again, resumed: true, suite, places });
  expect(await readFile(path.join(places.resultsDir, 'TESTS.md'), 'utf8')).toContain(
    '| a_test | pass, resumed |',
  );
});
