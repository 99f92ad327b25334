import { spawnSync } from 'node:child_process';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHECKS } from '../../analysis/checks/index.ts';
import { built, runsIn, SUITES, storeWholeRun } from '../bundle/testing/bundled-run.ts';
import { OURS, storeNight, storeSelftest } from '../bundle/testing/stored-night.ts';
import { verifyBundle } from '../bundle/verify.ts';
import { resumableNight } from '../night/resume.ts';
import { temporaryFolder } from '../testing/stored-green-run.ts';
import { readStoredRun } from './stored-run.ts';
import { isUnderWay, markUnderWay, UNDER_WAY } from './under-way.ts';

let place: Awaited<ReturnType<typeof temporaryFolder>>;
let results: string;
beforeEach(async () => {
  place = await temporaryFolder();
  results = path.join(place.path, 'results');
});
afterEach(() => place[Symbol.asyncDispose]());

/** A night that was interrupted after its third round and resumed; it has said nothing of its end. */
async function resumedNight(): Promise<string> {
  const folder = await storeNight(results, '20260102T030405Z-night');
  const file = path.join(folder, 'events.jsonl');
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, 4);
  const at = Date.UTC(2026, 0, 2, 4);
  const more = [
    { type: 'interrupted', at, note: 'interrupted by SIGINT' },
    { type: 'resumed', at: at + 1, after: 3 },
  ];
  await writeFile(file, [...lines, ...more.map((one) => JSON.stringify(one)), ''].join('\n'));
  return folder;
}

describe('a run without an end', () => {
  it('goes on while its process is there, and has died where that is gone', async () => {
    const folder = await resumedNight();
    expect(await readStoredRun(folder)).toMatchObject({ ending: 'died' });
    {
      await using _ = await markUnderWay(folder);
      expect(await readStoredRun(folder)).toMatchObject({
        ending: 'running',
        endingNote: 'its last words were resumed, since it was resumed behind round 3',
      });
      await expect(resumableNight(folder, OURS.source)).rejects.toThrow('still goes on');
    }
    expect(await readdir(folder)).not.toContain(UNDER_WAY);
    expect(await resumableNight(folder, OURS.source)).toMatchObject({ rounds: { length: 3 } });
  });

  it('is not resumed by other programs than it was begun by, which are both named', async () => {
    const folder = await resumedNight();
    await expect(resumableNight(folder, 'f'.repeat(64))).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(
        `was begun by other programs (source ${OURS.source?.slice(0, 12)}) than these (source ffffffffffff)`,
      ),
      hint: expect.stringMatching(/^Resume it with those.*, or begin another night/),
    });
  });

  it('has died where another process has the number of its own, or none has', async () => {
    const folder = await resumedNight();
    const say = (about: object): Promise<void> =>
      writeFile(path.join(folder, UNDER_WAY), `${JSON.stringify({ v: 1, claim: 'x', ...about })}\n`);
    const { pid } = spawnSync('true');
    await say({ pid, began: null });
    expect(await isUnderWay(folder)).toBe(false);
    await say({ pid: process.pid, began: '1' });
    expect(await isUnderWay(folder)).toBe(false);
    await say({ something: 'else' });
    expect(await isUnderWay(folder)).toBe(false);
  });

  it('is claimed by one alone, also over what a process left that is gone', async () => {
    const folder = await resumedNight();
    const { pid } = spawnSync('true');
    for (const left of [null, { pid, began: '1' }, { pid: process.pid, began: '1' }]) {
      if (left !== null)
        await writeFile(path.join(folder, UNDER_WAY), `${JSON.stringify({ v: 1, claim: 'x', ...left })}\n`);
      const claims = await Promise.allSettled(Array.from({ length: 8 }, () => markUnderWay(folder)));
      const granted = claims.flatMap((claim) => (claim.status === 'fulfilled' ? [claim.value] : []));
      expect(granted).toHaveLength(1);
      for (const claim of claims)
        if (claim.status === 'rejected')
          expect(claim.reason).toMatchObject({
            code: 'USAGE',
            message: expect.stringContaining('still goes on'),
          });
      expect(await isUnderWay(folder)).toBe(true);
      await granted[0]?.[Symbol.asyncDispose]();
      expect(await isUnderWay(folder)).toBe(false);
    }
  });

  it('says which process it is, and what to do where that cannot be told from another', async () => {
    const folder = await resumedNight();
    await writeFile(
      path.join(folder, UNDER_WAY),
      `${JSON.stringify({ v: 1, claim: 'x', pid: process.pid, began: null })}\n`,
    );
    await expect(resumableNight(folder, OURS.source)).rejects.toMatchObject({
      message: expect.stringContaining(`as process ${process.pid} says in under-way.json`),
      hint: expect.stringContaining(`remove ${path.join(folder, UNDER_WAY)}`),
    });
    await writeFile(path.join(folder, UNDER_WAY), JSON.stringify({ v: 1, copied: true }));
    await expect(resumableNight(folder, OURS.source)).rejects.toThrow('is a copy of a run that went on');
  });

  it('is bundled as one that goes on, and verified as that where its process is unknown', async () => {
    const folder = await resumedNight();
    await using _ = await markUnderWay(folder);
    const { file, folder: bundle } = await built({
      runs: await runsIn(results),
      outDir: path.join(place.path, 'out'),
    });
    const elsewhere = path.join(place.path, 'elsewhere.tgz');
    await cp(file, elsewhere);
    const verification = await verifyBundle(elsewhere, { checks: CHECKS, suites: SUITES });
    expect(verification).toMatchObject({
      ok: true,
      summary: {
        runs: [{ ending: 'running' }],
        missing: expect.arrayContaining([
          {
            what: 'the end of 20260102T030405Z-night',
            why: 'the run still goes on: its last words were resumed, since it was resumed behind round 3',
          },
        ]),
      },
      attested: expect.arrayContaining([
        'evidence/20260102T030405Z-night/under-way.jsonl: that the run still went on',
      ]),
    });
    if (verification.ok) expect(verification.summary.missing).toHaveLength(2);
    const page = await readFile(path.join(bundle, 'index.html'), 'utf8');
    expect(page).toContain(', still goes on.');
    expect(page).not.toContain('ended as “');
    expect(
      await readFile(path.join(bundle, 'evidence/20260102T030405Z-night', UNDER_WAY), 'utf8'),
    ).not.toContain(String(process.pid));
  });

  it('that has an end is over, whatever lies beside it', async () => {
    const folder = await storeWholeRun(results, '20260102T030405Z-test');
    await using _ = await markUnderWay(folder);
    expect(await readStoredRun(folder)).toMatchObject({ ending: 'complete' });
    // As one is copied that ends while it is.
    const { summary } = await built({ runs: await runsIn(results), outDir: path.join(place.path, 'out') });
    expect(summary.runs).toMatchObject([{ ending: 'complete' }]);
    const bundled = path.join(place.path, 'out', summary.bundle, 'evidence/20260102T030405Z-test');
    expect(await readdir(bundled)).not.toContain(UNDER_WAY);
  });

  it('has died, as a self-test that was killed before it came to its matrix', async () => {
    const folder = await storeSelftest(results, '20260102T030405Z-selftest');
    expect(await readStoredRun(folder)).toMatchObject({ ending: 'complete' });
    await rm(path.join(folder, 'selftest.json'));
    await rm(path.join(folder, 'selftest.html'));
    expect(await readStoredRun(folder)).toMatchObject({
      ending: 'died',
      endingNote: 'it never came to its matrix',
    });
  });

  it('goes on, as a self-test, until its matrix is there, though the run that nobody broke has ended', async () => {
    const folder = await storeSelftest(results, '20260102T030405Z-selftest');
    await rm(path.join(folder, 'selftest.json'));
    await rm(path.join(folder, 'selftest.html'));
    await using _ = await markUnderWay(folder);
    expect(await readStoredRun(folder)).toMatchObject({ ending: 'running' });
    const outDir = path.join(place.path, 'out');
    const { summary, file } = await built({ runs: await runsIn(results), outDir });
    expect(summary).toMatchObject({ runs: [{ ending: 'running' }], outcome: 'fail' });
    expect(await verifyBundle(file, { checks: CHECKS, suites: SUITES })).toMatchObject({ ok: true });
  });
});
