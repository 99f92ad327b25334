import { randomUUID } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { storeWholeRun } from '../bundle/testing/bundled-run.ts';
import { addToHistory } from '../report/write-reports.ts';
import { runRecordSchema } from '../run-record.ts';
import { BEGIN, temporaryFolder } from '../testing/stored-green-run.ts';
import { pruneResults } from './prune-results.ts';
import { markUnderWay } from './under-way.ts';

const HOUR_MS = 3_600_000;

let place: Awaited<ReturnType<typeof temporaryFolder>>;
let resultsDir: string;
beforeEach(async () => {
  place = await temporaryFolder();
  resultsDir = path.join(place.path, 'results');
});
afterEach(() => place[Symbol.asyncDispose]());

const names = async (): Promise<string[]> => (await readdir(path.join(resultsDir, 'runs'))).toSorted();
const prune = (changes: Partial<Parameters<typeof pruneResults>[0]> = {}) =>
  pruneResults({ resultsDir, besides: ['figures'], keep: 1, dryRun: false, now: Date.now(), ...changes });

/** All begin in the same moment, so that their names tell their order. */
async function store(suite: string, count: number): Promise<void> {
  for (let number = 1; number <= count; number += 1) {
    const run = `20260102T030405Z-${suite}-${number}`;
    await storeWholeRun(resultsDir, run, undefined, { suite, run });
  }
}

/** Takes the end of a run away, and lets its files be so old. */
async function unfinish(name: string, ageMs: number): Promise<void> {
  const folder = path.join(resultsDir, 'runs', name);
  const file = path.join(folder, 'events.jsonl');
  const events = (await readFile(file, 'utf8')).trim().split('\n').slice(0, -1);
  await writeFile(file, `${events.join('\n')}\n`);
  const time = new Date(Date.now() - ageMs);
  for (const entry of await readdir(folder, { recursive: true }))
    await utimes(path.join(folder, entry), time, time);
}

it('keeps the newest of each suite, and says what it removed and how much room that gave', async () => {
  await store('a', 3);
  await store('b', 1);
  const { removed, figures, bytes, kept } = await prune();
  expect(figures).toEqual([]);
  expect(await names()).toEqual(['20260102T030405Z-a-3', '20260102T030405Z-b-1']);
  expect(removed.map(({ run }) => run)).toEqual(['20260102T030405Z-a-1', '20260102T030405Z-a-2']);
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBe(removed.reduce((sum, one) => sum + one.bytes, 0));
  expect(kept).toBe(2);
});

it('keeps a run that a check of one which stays was found to contradict: to tidy up is not to have looked into it', async () => {
  await store('a', 4);
  const file = path.join(resultsDir, 'runs/20260102T030405Z-a-4/run.json');
  const record = runRecordSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  const folder = '../20260102T030405Z-a-2';
  const flake = { check: 'LOG-01', outcome: 'pass', before: 'fail', folder, seed: 's' } as const;
  await writeFile(file, JSON.stringify({ ...record, flaky: [flake] }));
  const { spared } = await prune();
  expect(await names()).toEqual(['20260102T030405Z-a-2', '20260102T030405Z-a-4']);
  expect(spared).toEqual([{ run: '20260102T030405Z-a-2', why: expect.stringContaining('changed its mind') }]);
});

it('removes what is kept of a run beside its folder with it, and nothing else there', async () => {
  await store('a', 2);
  const folder = path.join(resultsDir, 'figures');
  await mkdir(folder);
  const files = ['a-1', 'a-2', 'gone'].map((name) => `METRICS_20260102T030405Z-${name}.json`);
  for (const file of files) await writeFile(path.join(folder, file), '{}');
  await prune({ dryRun: true });
  expect((await readdir(folder)).toSorted()).toEqual(files);
  await prune();
  expect((await readdir(folder)).toSorted()).toEqual(files.slice(1));
});

it('removes figures, also half written ones, a day after their run was removed by hand, and says so', async () => {
  await store('a', 1);
  const folder = path.join(resultsDir, 'figures');
  await mkdir(folder);
  const part = `METRICS_20260101T000000Z-a.json.${randomUUID()}.part`;
  const alone = ['METRICS_20260101T000000Z-a.json', part];
  const others = ['METRICS_20260102T030405Z-a-1.json', 'notes.txt'];
  for (const file of [...alone, ...others]) await writeFile(path.join(folder, file), '{}');
  expect((await prune()).figures).toEqual([]);
  const tomorrow = { now: Date.now() + 25 * HOUR_MS };
  const rehearsed = await prune({ ...tomorrow, dryRun: true });
  expect(rehearsed).toMatchObject({
    removed: [],
    figures: alone.map((file) => ({ file: `figures/${file}`, bytes: 2 })),
    bytes: 4,
  });
  expect(await readdir(folder)).toHaveLength(4);
  expect(await prune(tomorrow)).toEqual(rehearsed);
  expect((await readdir(folder)).toSorted()).toEqual(others);
});

it('tells figures by what their run is called, not by its folder, which has a number where two began in one second', async () => {
  const run = '20260102T030405Z-a';
  for (const name of [run, `${run}-2`]) await storeWholeRun(resultsDir, name, undefined, { suite: 'a', run });
  await storeWholeRun(resultsDir, '20260102T030405Z-a-3', undefined, { suite: 'a', run: 'later' });
  const folder = path.join(resultsDir, 'figures');
  await mkdir(folder);
  await writeFile(path.join(folder, `METRICS_${run}.json`), '{}');
  expect(await prune({ keep: 2 })).toMatchObject({ removed: [{ run }], figures: [] });
  expect(await prune()).toMatchObject({
    removed: [{ run: `${run}-2` }],
    figures: [{ file: `figures/METRICS_${run}.json` }],
  });
});

it('leaves the figures of a run that is stored elsewhere, until that is gone', async () => {
  await storeWholeRun(place.path, 'moved', undefined, { run: '20260101T000000Z-a' });
  const elsewhere = path.join(place.path, 'elsewhere');
  await rename(path.join(place.path, 'runs', 'moved'), elsewhere);
  const folder = path.join(resultsDir, 'figures');
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'METRICS_20260101T000000Z-a.json'), '{}');
  await addToHistory(resultsDir, {
    startedAt: '2026-01-01T00:00:00.000Z',
    name: 'figures',
    verdict: 'pass',
    counts: '1 pass',
    ms: 1,
    folder: elsewhere,
  });
  const tomorrow = { now: Date.now() + 25 * HOUR_MS };
  expect((await prune(tomorrow)).figures).toEqual([]);
  await rm(elsewhere, { recursive: true });
  expect((await prune(tomorrow)).figures).toHaveLength(1);
});

it('keeps as many as it is told to', async () => {
  await store('a', 3);
  expect((await prune({ keep: 2 })).removed.map(({ run }) => run)).toEqual(['20260102T030405Z-a-1']);
  expect((await prune({ keep: 5 })).removed).toEqual([]);
});

it('keeps the newest also where it is told to keep none', async () => {
  await store('a', 2);
  await prune({ keep: 0 });
  expect(await names()).toEqual(['20260102T030405Z-a-2']);
});

it('removes nothing in a rehearsal, and says the same', async () => {
  await store('a', 2);
  const rehearsed = await prune({ dryRun: true });
  expect(await names()).toHaveLength(2);
  expect(await prune()).toEqual(rehearsed);
});

it('spares a run that may still be written, and not one that died long ago', async () => {
  await store('a', 3);
  await unfinish('20260102T030405Z-a-1', HOUR_MS);
  await unfinish('20260102T030405Z-a-2', 48 * HOUR_MS);
  const { removed, spared } = await prune();
  expect(spared.map(({ run }) => run)).toEqual(['20260102T030405Z-a-1']);
  expect(removed.map(({ run }) => run)).toEqual(['20260102T030405Z-a-2']);
});

it('spares a run that goes on, however long it was silent, and whatever it told before it was resumed', async () => {
  await store('a', 4);
  const runs = ['20260102T030405Z-a-1', '20260102T030405Z-a-2', '20260102T030405Z-a-3'] as const;
  const at = Date.now();
  for (const name of runs.slice(0, 2)) {
    const events = path.join(resultsDir, 'runs', name, 'events.jsonl');
    const told = [
      { type: 'broken', at, note: 'no room' },
      { type: 'resumed', at, after: 3 },
    ];
    await unfinish(name, 0);
    await appendFile(events, told.map((one) => `${JSON.stringify(one)}\n`).join(''));
  }
  await using _ = await markUnderWay(path.join(resultsDir, 'runs', runs[2]));
  await unfinish(runs[2], 48 * HOUR_MS);
  const { removed, spared } = await prune();
  expect(removed).toEqual([]);
  expect(spared).toEqual([
    { run: runs[0], why: 'has not ended, and was written to within a day' },
    { run: runs[1], why: 'has not ended, and was written to within a day' },
    { run: runs[2], why: 'still goes on' },
  ]);
});

it('touches no folder that is no run', async () => {
  await store('a', 1);
  await writeFile(path.join(resultsDir, 'runs', 'notes.txt'), `begun ${BEGIN}`);
  await prune();
  expect(await names()).toEqual(['20260102T030405Z-a-1', 'notes.txt']);
});

it('has nothing to do where there are no results', async () => {
  expect(await prune()).toEqual({ removed: [], figures: [], bytes: 0, spared: [], kept: 0 });
});
