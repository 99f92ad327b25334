import { appendFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../testing/stored-green-run.ts';
import { diffBundles } from './diff.ts';
import { built, edit, openBundle, repack, runsIn, storeWholeRun } from './testing/bundled-run.ts';

let place: Awaited<ReturnType<typeof temporaryFolder>>;
let green: string;
let red: string;
beforeAll(async () => {
  place = await temporaryFolder();
  const bundleOf = async (
    name: string,
    ...run: Parameters<typeof storeWholeRun> extends [string, string, ...infer Rest] ? Rest : never
  ) => {
    const results = path.join(place.path, name);
    await storeWholeRun(results, `20260102T03040${name.length}Z-test`, ...run);
    return (await built({ runs: await runsIn(results), outDir: path.join(results, 'out') })).file;
  };
  green = await bundleOf('green');
  red = await bundleOf(
    'red',
    (evidence) => {
      evidence.usage.bad = [{ line: 7, problem: 'torn' }];
    },
    { seed: 'feed' },
  );
});
afterAll(() => place[Symbol.asyncDispose]());

it('says that a bundle is the same as itself', async () => {
  expect(await diffBundles(green, green)).toEqual({
    same: true,
    verdicts: [],
    checks: [],
    provenance: [],
    counts: [],
  });
});

it('names the verdicts, checks, origins and counts that differ, and no others', async () => {
  expect(await diffBundles(green, red)).toMatchObject({
    same: false,
    verdicts: [
      { what: 'bundle', a: 'pass', b: 'fail' },
      { what: 'test', a: 'pass, complete', b: 'fail, complete' },
      { what: 'sign-off: Observability', a: 'pass', b: 'fail' },
    ],
    checks: [{ what: 'test/LOG-01', a: 'pass', b: 'fail' }],
    provenance: [{ what: 'test: seed', a: '5eed', b: 'feed' }],
    counts: [{ what: 'test: pass' }, { what: 'test: fail', a: '0', b: '1' }],
  });
});

it('compares none whose inventory is not in order', async () => {
  const file = path.join(place.path, 'edited.tgz');
  const opened = await openBundle(green);
  edit(opened, 'summary.json', (text) => `${text} `);
  await repack(file, opened);
  await expect(diffBundles(green, file)).rejects.toMatchObject({
    code: 'CHECK_FAILED',
    message: expect.stringContaining('another size'),
  });
  await appendFile(file, 'x');
  await expect(diffBundles(file, green)).rejects.toMatchObject({ code: 'CHECK_FAILED' });
});
