import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../testing/stored-green-run.ts';
import { claimRunDir, findRun, runsDir } from './find-run.ts';

async function store(results: string, name: string): Promise<string> {
  const folder = path.join(runsDir(results), name);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'events.jsonl'), '');
  return folder;
}

describe('the folder of a new run', () => {
  it('is its own, however many begin at once', async () => {
    await using results = await temporaryFolder();
    const claims = await Promise.all(Array.from({ length: 8 }, () => claimRunDir(results.path, 'now-suite')));
    expect(new Set(claims).size).toBe(8);
  });
});

describe('the run that is meant', () => {
  it('is the newest, the one whose name fits, or the folder itself', async () => {
    await using results = await temporaryFolder();
    const old = await store(results.path, '20260101T000000Z-repro-go');
    const newest = await store(results.path, '20260102T000000Z-verify-sse');
    await mkdir(path.join(runsDir(results.path), '20260103T000000Z-no-run-in-it'));
    const quick = await store(results.path, '20260101T000001Z-repro-go-quick-2');
    expect(await findRun(results.path, '/', 'repro-go-quick')).toBe(quick);
    expect(await findRun(results.path, '/')).toBe(newest);
    expect(await findRun(results.path, '/', 'repro-go')).toBe(old);
    expect(await findRun(results.path, '/', old)).toBe(old);
    expect(await findRun(results.path, path.dirname(old), path.basename(old))).toBe(old);
  });

  it('is asked for again where there is none', async () => {
    await using results = await temporaryFolder();
    await expect(findRun(results.path, '/')).rejects.toMatchObject({ code: 'USAGE' });
    await store(results.path, '20260101T000000Z-repro-go');
    await expect(findRun(results.path, '/', 'verify-sse')).rejects.toMatchObject({ code: 'USAGE' });
  });
});
