import { createHash } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../testing/stored-green-run.ts';
import { diffBundles } from './diff.ts';
import { built, edit, openBundle, repack, runsIn, SUITES, storeWholeRun } from './testing/bundled-run.ts';
import { storeSelftest } from './testing/stored-night.ts';

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

it('says once of what only one of them has run, by the name of the suite', async () => {
  const both = path.join(place.path, 'both');
  await storeWholeRun(both, '20260102T030406Z-test');
  await storeWholeRun(both, '20260102T030406Z-other-2', undefined, { suite: 'other', run: 'other-run' });
  const runs = await runsIn(both);
  const suites = [...SUITES, { name: 'other', checks: [] }];
  const { file } = await built({ runs, suites, outDir: path.join(both, 'out') });
  const missing = await built({ runs: runs.slice(-1), suites, outDir: path.join(both, 'one') });
  const { verdicts, checks, provenance, counts } = await diffBundles(missing.file, file);
  const added = runs.at(-1)?.suite === 'test' ? 'other' : 'test';
  // What the areas of the sign-off come to with one suite less is no matter of this.
  expect(verdicts.filter(({ what }) => !what.startsWith('sign-off'))).toEqual([
    { what: added, a: null, b: 'pass, complete' },
  ]);
  expect({ checks, provenance }).toEqual({ checks: [], provenance: [] });
  expect(counts).toEqual([{ what: 'files', a: expect.any(String), b: expect.any(String) }]);
});

it('names the signature that only one of them has', async () => {
  const results = path.join(place.path, 'signed');
  await storeWholeRun(results, '20260102T030405Z-test');
  const { file } = await signedBy(7, results);
  const { verdicts } = await diffBundles(green, file);
  expect(verdicts).toEqual([{ what: 'signature', a: 'none', b: await signatureIn(file) }]);
});

it('tells apart what two have signed, and nothing else there', async () => {
  const results = path.join(place.path, 'twice-signed');
  await storeWholeRun(results, '20260102T030405Z-test');
  const [one, other] = [await signedBy(7, results), await signedBy(8, results)];
  const [a, b] = await Promise.all([signatureIn(one.file), signatureIn(other.file)]);
  expect(a).not.toBe(b);
  expect(await diffBundles(one.file, other.file)).toEqual({
    same: false,
    verdicts: [{ what: 'signature', a, b }],
    checks: [],
    provenance: [],
    counts: [],
  });
  expect(await diffBundles(one.file, (await signedBy(7, results, 'again')).file)).toMatchObject({
    same: true,
  });
});

/** The bundle of what is stored there, signed by the seed of 32 such bytes. */
const signedBy = async (byte: number, results: string, out = `out-${byte}`) => {
  const bytes = Buffer.alloc(32, byte);
  const seed = { bytes, text: bytes.toString('base64') };
  return built({ runs: await runsIn(results), outDir: path.join(results, out), seed });
};

async function signatureIn(file: string): Promise<string> {
  const { files } = await openBundle(file);
  return `SHA-256 ${createHash('sha256')
    .update(files.get('SHA256SUMS.sig') ?? '')
    .digest('hex')
    .slice(0, 16)}…`;
}

it('counts what became of the saboteurs', async () => {
  const bundleOf = async (name: string, broke: { readonly broke?: string } = {}) => {
    const results = path.join(place.path, name);
    await storeSelftest(results, '20260102T030405Z-selftest', broke);
    const suites = [{ name: 'selftest', checks: [] }];
    return built({ runs: await runsIn(results), suites, outDir: path.join(results, 'out') });
  };
  const [survived, broke] = [await bundleOf('survived'), await bundleOf('broke', { broke: 'no room' })];
  expect((await diffBundles(survived.file, broke.file)).counts).toEqual([
    { what: 'selftest: saboteurs survived', a: '1', b: '0' },
    { what: 'selftest: saboteurs broke', a: '0', b: '1' },
  ]);
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
