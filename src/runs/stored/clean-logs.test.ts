import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { temporaryFolder } from '../testing/stored-green-run.ts';
import { cleanLogs } from './clean-logs.ts';

const PROXYS = ['anomalies.jsonl', 'ccp.sqlite3', 'partials', 'usage.jsonl', 'usage.jsonl.1'];
const OURS = ['usage_go_repro.jsonl', 'usage_overnight_final.jsonl', 'usage_h2_real_go.jsonl.part'];
const SUMMARIES = ['METRICS_go_repro.json', 'METRICS_quota.json.0a-1.part'];
const RESULTS = [
  'METRICS.json',
  'TESTS.md',
  'GO-REPRO-SUMMARY.md',
  'overnight/METRICS_20260101T000000Z-overnight.json',
];

let place: Awaited<ReturnType<typeof temporaryFolder>>;
let logsDir: string;
let resultsDir: string;
beforeEach(async () => {
  place = await temporaryFolder();
  logsDir = path.join(place.path, 'logs');
  resultsDir = path.join(place.path, 'results');
  await mkdir(path.join(logsDir, 'partials'), { recursive: true });
  await mkdir(path.join(resultsDir, 'overnight'), { recursive: true });
  for (const name of [...RESULTS, ...SUMMARIES]) await writeFile(path.join(resultsDir, name), 'x\n');
  for (const name of [...PROXYS, ...OURS])
    if (name !== 'partials') await writeFile(path.join(logsDir, name), 'x\n');
});
afterEach(() => place[Symbol.asyncDispose]());

const left = async (): Promise<string[]> => (await readdir(logsDir)).toSorted();

it("removes the logs of runs, and nothing of the proxy's", async () => {
  const { removed, bytes } = await cleanLogs({ logsDir, resultsDir, live: false, dryRun: false });
  expect(await left()).toEqual(PROXYS);
  expect(removed.map(({ file }) => file)).toEqual([...OURS, ...SUMMARIES].toSorted());
  expect(bytes).toBe(10);
  expect((await readdir(resultsDir)).toSorted()).toEqual([
    'GO-REPRO-SUMMARY.md',
    'METRICS.json',
    'TESTS.md',
    'overnight',
  ]);
  expect(await readdir(path.join(resultsDir, 'overnight'))).toHaveLength(1);
});

it('removes the live log and its rotated copies where it is asked to', async () => {
  await cleanLogs({ logsDir, resultsDir, live: true, dryRun: false });
  expect(await left()).toEqual(['anomalies.jsonl', 'ccp.sqlite3', 'partials']);
  expect(await readdir(resultsDir)).not.toContain('METRICS.json');
});

it('removes nothing in a rehearsal, and says the same', async () => {
  const rehearsed = await cleanLogs({ logsDir, resultsDir, live: true, dryRun: true });
  expect(await left()).toHaveLength(PROXYS.length + OURS.length);
  expect(await readdir(resultsDir)).toContain('METRICS_go_repro.json');
  expect(await cleanLogs({ logsDir, resultsDir, live: true, dryRun: false })).toEqual(rehearsed);
});

it('has nothing to do where there are no logs', async () => {
  expect(
    await cleanLogs({
      logsDir: path.join(place.path, 'none'),
      resultsDir: path.join(place.path, 'none'),
      live: true,
      dryRun: false,
    }),
  ).toEqual({
    removed: [],
    bytes: 0,
  });
});
