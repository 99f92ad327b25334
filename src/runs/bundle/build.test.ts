import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import {
  appendFile,
  chmod,
  cp,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHECKS } from '../../analysis/checks/index.ts';
import type { Evidence } from '../../analysis/evidence.ts';
import { formsOf } from '../../analysis/hygiene.ts';
import type { Mutable } from '../../analysis/testing/green-run.ts';
import { createCanaries } from '../../harness/canaries.ts';
import { recordOf } from '../judge.ts';
import { sourceHash } from '../provenance.ts';
import { selftestReportsOf } from '../report/selftest-reports.ts';
import { runRecordSchema } from '../run-record.ts';
import { type SelftestResult, selftestSchema } from '../selftest/selftest-record.ts';
import { readStoredRun } from '../stored/stored-run.ts';
import { PROVENANCE, temporaryFolder } from '../testing/stored-green-run.ts';
import { runsDocumentSchema, summarySchema } from './documents.ts';
import { readSeed } from './signature.ts';
import { build, built, openBundle, runsIn, SUITES, storeWholeRun } from './testing/bundled-run.ts';
import { storeNight, storeSelftest } from './testing/stored-night.ts';
import { verifyBundle } from './verify.ts';

const NAME = '20260102T030405Z-test';
const BUNDLE = 'ccp-review-20260102T030406Z';

/** Of a self-test that tried nobody. */
const NO_MATRIX: SelftestResult = {
  v: 1,
  seed: '5eed',
  full: false,
  ok: false,
  startedAt: '2026-01-02T03:04:05.000Z',
  ms: 1,
  provenance: PROVENANCE,
  known: [],
  controls: ['test'],
  control: [],
  saboteurs: [],
};

let place: Awaited<ReturnType<typeof temporaryFolder>>;
let results: string;
beforeAll(async () => {
  place = await temporaryFolder();
  results = path.join(place.path, 'results');
  await storeWholeRun(results, NAME);
});
afterAll(() => place[Symbol.asyncDispose]());

const out = (name: string): string => path.join(place.path, name);

describe('a bundle', () => {
  it('is a file and the folder beside it, with every document', async () => {
    const bundle = await built({ runs: await runsIn(results), outDir: out('documents') });
    expect((await readdir(out('documents'))).toSorted()).toEqual([BUNDLE, `${BUNDLE}.tgz`]);
    expect((await readdir(bundle.folder)).toSorted()).toEqual([
      'SHA256SUMS',
      'evidence',
      'index.html',
      'junit.xml',
      'manifest.json',
      'provenance.json',
      'redaction.json',
      'repository.json',
      'run.json',
      'statement.intoto.json',
      'summary.json',
    ]);
    const { runs } = runsDocumentSchema.parse(
      JSON.parse(await readFile(path.join(bundle.folder, 'run.json'), 'utf8')),
    );
    expect(runs).toMatchObject([{ suite: 'test', outcome: 'pass' }]);
  });

  it('is taken by sha256sum and GNU tar as it is by us', async () => {
    const { file, folder } = await built({ runs: await runsIn(results), outDir: out('tools') });
    const sums = execFileSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: folder, encoding: 'utf8' });
    const listed = execFileSync('tar', ['-tzf', file], { encoding: 'utf8' }).trim().split('\n');
    const { root, files } = await openBundle(file);
    expect(listed).toEqual([...files.keys()].map((name) => `${root}/${name}`));
    // All but the list itself.
    expect(sums.match(/: OK$/gm)).toHaveLength(files.size - 1);
    execFileSync('tar', ['-xzf', file, '-C', out('tools'), '--one-top-level=unpacked']);
    for (const [name, content] of files)
      expect(await readFile(path.join(out('tools'), 'unpacked', root, name))).toEqual(content);
  });

  it('has the same bytes wherever, whenever and by whomever it is made', async () => {
    const bytes: Buffer[] = [];
    const [zone, mask] = [process.env['TZ'], process.umask()];
    try {
      for (const [index, [timeZone, umask]] of (
        [
          ['UTC', 0o022],
          ['Pacific/Apia', 0o077],
          ['Asia/Kolkata', 0o002],
        ] as const
      ).entries()) {
        process.env['TZ'] = timeZone;
        process.umask(umask);
        // Another place, as on another machine; the copies have other times.
        const elsewhere = path.join(out(`same-${index}`), 'deep', 'results');
        await cp(results, elsewhere, { recursive: true });
        const { file } = await built({ runs: await runsIn(elsewhere), outDir: out(`same-${index}`) });
        bytes.push(await readFile(file));
      }
    } finally {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
      process.umask(mask);
    }
    expect(bytes[1]?.equals(bytes[0] ?? Buffer.alloc(0))).toBe(true);
    expect(bytes[2]?.equals(bytes[0] ?? Buffer.alloc(0))).toBe(true);
  });

  it('takes the place of an older one of the same name', async () => {
    const runs = await runsIn(results);
    await mkdir(path.join(out('again'), BUNDLE, 'old'), { recursive: true });
    const first = await built({ runs, outDir: out('again') });
    const second = await built({ runs, outDir: out('again') });
    expect(second.sha256).toBe(first.sha256);
    expect(await readdir(first.folder)).not.toContain('old');
  });

  it('takes the place of nothing that is not as it was made', async () => {
    const runs = await runsIn(results);
    const { folder, file } = await built({ runs, outDir: out('noted') });
    const before = await readFile(file);
    const notes = path.join(folder, 'notes.md');
    await writeFile(notes, 'ROUTE-01: I doubt it');
    const again = (): Promise<unknown> => build({ runs, outDir: out('noted') });
    await expect(again()).rejects.toThrow(`${folder} is in the way: it holds "notes.md"`);
    expect(await readFile(notes, 'utf8')).toBe('ROUTE-01: I doubt it');
    expect(await readFile(file)).toEqual(before);
    expect((await readdir(out('noted'))).toSorted()).toEqual([BUNDLE, `${BUNDLE}.tgz`]);

    await rm(notes);
    await again();
    await appendFile(path.join(folder, 'index.html'), '<!-- my remark -->');
    await expect(again()).rejects.toThrow('it holds "index.html"');

    await rm(path.join(folder, 'manifest.json'));
    await expect(again()).rejects.toThrow(/it holds "SHA256SUMS" and \d+ more/);
  });

  it('tells no place of the machine, plain or inside of a body', async () => {
    const other = path.join(place.path, 'placed');
    const run = await storeWholeRun(other, NAME, (evidence) => {
      const [first] = evidence.client;
      if (first === undefined) throw new Error('no client');
      const body = Buffer.from(`cwd: /home/me/results/runs/${NAME}/world/claude`);
      first.request.body = { ...first.request.body, base64: body.toString('base64') };
    });
    await writeFile(path.join(run, 'proxy.log'), `logs in /home/me/results/runs/${NAME}/world/logs\n`);
    const { file } = await built({ runs: await runsIn(other), outDir: out('placeless') });
    const { files } = await openBundle(file);
    const text = Buffer.concat([...files.values()]).toString('latin1');
    for (const form of formsOf('/home/me/results')) expect(text).not.toContain(form.text);
    expect(files.get(`evidence/${NAME}/proxy.log`)?.toString()).toBe('logs in {{run-folder}}/world/logs\n');
    expect(files.get('redaction.json')?.toString()).toContain('"rule": "run-folder"');
  });

  it('leaves out what no run has, and says so', async () => {
    const other = path.join(place.path, 'littered');
    const run = await storeWholeRun(other, NAME);
    await writeFile(path.join(run, 'notes of mine.txt'), 'x');
    const { file } = await built({ runs: await runsIn(other), outDir: out('leftout') });
    const { files } = await openBundle(file);
    expect([...files.keys()].join()).not.toContain('notes');
    expect(JSON.parse(files.get('redaction.json')?.toString() ?? '')).toMatchObject({
      leftOut: [{ file: `${NAME}/notes?of?mine.txt`, why: 'no file of a run' }],
    });
  });

  it('follows no link out of a run, and says what it left', async () => {
    const other = path.join(place.path, 'linked');
    const run = await storeWholeRun(other, NAME);
    const elsewhere = path.join(place.path, 'elsewhere');
    await mkdir(elsewhere);
    await writeFile(path.join(elsewhere, 'mine.txt'), 'my diary');
    await rm(path.join(run, 'proxy.log'));
    await symlink(path.join(elsewhere, 'mine.txt'), path.join(run, 'proxy.log'));
    await mkdir(path.join(run, 'world'));
    await symlink(elsewhere, path.join(run, 'world/logs'));
    execFileSync('mkfifo', [path.join(run, 'selftest.json')]);
    const { file } = await built({ runs: await runsIn(other), outDir: out('links') });
    const { files } = await openBundle(file);
    expect(Buffer.concat([...files.values()]).toString('latin1')).not.toContain('diary');
    expect([...files.keys()]).not.toContain(`evidence/${NAME}/proxy.log`);
    const why = 'no plain file: a run writes no links';
    expect(JSON.parse(files.get('redaction.json')?.toString() ?? '')).toMatchObject({
      leftOut: [
        { file: `${NAME}/proxy.log`, why },
        { file: `${NAME}/selftest.json`, why },
        { file: `${NAME}/world/logs`, why },
      ],
    });
  });

  it('covers the newest run of each suite', async () => {
    const other = path.join(place.path, 'several');
    await storeWholeRun(other, '20260102T030405Z-test', undefined, { run: 'older' });
    await storeWholeRun(other, '20260102T030405Z-test-2', undefined, { run: 'newer' });
    await storeWholeRun(other, '20260102T030405Z-else', undefined, { suite: 'else' });
    const { summary } = await built({ runs: await runsIn(other), outDir: out('newest') });
    expect(summary.runs.map(({ run }) => run).toSorted()).toEqual([
      '20260102T030405Z-else',
      '20260102T030405Z-test-2',
    ]);
  });
});

describe('a night', () => {
  const NIGHT = '20260102T030405Z-night';

  it('has its red rounds in it, judged again and shown, and no gap that only another kind of run could have', async () => {
    const other = path.join(place.path, 'night');
    await storeNight(other, NIGHT, { legs: 2 });
    const { summary, folder } = await built({ runs: await runsIn(other), outDir: out('night-bundle') });
    expect(summary.missing).toEqual([{ what: 'suite test', why: 'no run of it is stored' }]);
    const { legs = [] } = runsDocumentSchema.parse(
      JSON.parse(await readFile(path.join(folder, 'run.json'), 'utf8')),
    );
    expect(legs.map(({ run, outcome }) => [run, outcome])).toEqual([
      ['night-leg-0001', 'fail'],
      ['night-leg-0002', 'fail'],
    ]);
    for (const file of ['events.jsonl', 'witness/client.jsonl', 'report.html'])
      expect(
        (await stat(path.join(folder, 'evidence', NIGHT, 'rounds/leg-0002', file))).size,
      ).toBeGreaterThan(0);
    const page = await readFile(path.join(folder, 'index.html'), 'utf8');
    expect(page).toContain(
      `<td>2</td><td>LOG-01</td><td>LOG-01</td><td><a href="evidence/${NIGHT}/rounds/leg-0002/">`,
    );
  });

  it('whose word on a red round is not what the evidence gives is refused; of other programs it is only told', async () => {
    const other = path.join(place.path, 'whitewashed');
    const run = await storeNight(other, NIGHT);
    const events = path.join(run, 'events.jsonl');
    const text = await readFile(events, 'utf8');
    const white = text.replace(
      /"outcome":"fail","passed":\[\],"red":\[[^\]]*\]/,
      '"outcome":"pass","passed":["RUN-01"],"red":[]',
    );
    expect(white).not.toBe(text);
    await writeFile(events, white);
    const what = 'the night tells of round 1 that it is pass; its evidence gives fail by LOG-01';
    await expect(build({ runs: await runsIn(other), outDir: out('white') })).rejects.toThrow(
      `${NIGHT}/rounds/leg-0001/events.jsonl: ${what}`,
    );
    await writeFile(events, white.replace(sourceHash(), '0'.repeat(64)));
    const { summary, file } = await built({ runs: await runsIn(other), outDir: out('white') });
    expect(summary.missing).toContainEqual({
      what: `evidence/${NIGHT}/rounds/leg-0001/events.jsonl, as judged by these checks`,
      why: `other programs wrote it: ${what}`,
    });
    expect(await verifyBundle(file, { checks: CHECKS, suites: SUITES })).toMatchObject({
      ok: true,
      attested: expect.arrayContaining([
        `evidence/${NIGHT}/events.jsonl: the verdicts of 6 of 6 rounds, which no exchanges here bear out`,
      ]),
    });
  });

  it('says what is missing of a red round', async () => {
    const other = path.join(place.path, 'torn-leg');
    const run = await storeNight(other, NIGHT);
    await rm(path.join(run, 'rounds/leg-0001/proxy.log'));
    const { summary } = await built({ runs: await runsIn(other), outDir: out('torn-leg') });
    expect(summary.missing).toContainEqual({
      what: `evidence/${NIGHT}/rounds/leg-0001/proxy.log`,
      why: 'the run did not write it',
    });
  });

  it('has the first five red rounds in it, and says so of the others', async () => {
    const other = path.join(place.path, 'red-night');
    const run = await storeNight(other, NIGHT, { legs: 6 });
    // As a night leaves it that was killed amid a round.
    await mkdir(path.join(run, 'rounds/leg-0007/world/home'), { recursive: true });
    await writeFile(path.join(run, 'rounds/leg-0007/world/home/secret'), createCanaries('5eed').zaiKey);
    await mkdir(path.join(run, 'rounds/leg-0005/world/home'), { recursive: true });
    await writeFile(path.join(run, 'rounds/leg-0005/world/home/secret'), createCanaries('5eed').zaiKey);
    const { summary, folder } = await built({ runs: await runsIn(other), outDir: out('red-bundle') });
    const rule =
      'a bundle takes the first 5 red rounds of a night, as long as they have no more than 64 MiB together';
    expect(await readdir(path.join(folder, 'evidence', NIGHT, 'rounds'))).toHaveLength(5);
    expect(summary.missing).toContainEqual({
      what: `evidence/${NIGHT}/rounds/leg-0006`,
      why: `a red round: ${rule}`,
    });
    expect(JSON.parse(await readFile(path.join(folder, 'redaction.json'), 'utf8'))).toMatchObject({
      leftOut: [
        { file: `${NIGHT}/rounds/leg-0005/world/home/secret`, why: 'of the world that the run died in' },
        { file: `${NIGHT}/rounds/leg-0006`, why: rule },
        { file: `${NIGHT}/rounds/leg-0007`, why: 'of rounds that were under way when the night ended' },
      ],
    });
  });

  it.each(['proxy.log', 'usage.jsonl', 'witness/artifacts.jsonl'])(
    'with a secret in %s of a red round is not bundled',
    async (file) => {
      const other = path.join(place.path, `leaky-${path.basename(file)}`);
      const run = await storeNight(other, NIGHT);
      const text = Buffer.from(createCanaries('5eed').zaiKey).toString('base64');
      await appendFile(path.join(run, 'rounds/leg-0001', file), `${JSON.stringify({ place: 'x', text })}\n`);
      expect(await build({ runs: await runsIn(other), outDir: out('leaky') })).toMatchObject({
        ok: false,
        finds: expect.arrayContaining([
          expect.objectContaining({
            rule: 'canary:zai-key',
            file: `evidence/${NIGHT}/rounds/leg-0001/${file}`,
          }),
        ]),
      });
    },
  );
});

describe('a half-finished run', () => {
  it('is bundled for what it is, with what is missing', async () => {
    const other = path.join(place.path, 'died');
    const run = await storeWholeRun(other, NAME);
    const events = await readFile(path.join(run, 'events.jsonl'), 'utf8');
    await writeFile(path.join(run, 'events.jsonl'), events.split('\n').slice(0, 5).join('\n'));
    for (const name of ['run.json', 'SUMMARY.md', 'junit.xml', 'METRICS.json', 'proxy.log'])
      await rm(path.join(run, name));
    const { zaiKey } = createCanaries('5eed');
    await mkdir(path.join(run, 'world/logs'), { recursive: true });
    await writeFile(path.join(run, 'world/logs/usage.jsonl'), `{"key":"${zaiKey}"}\n`);
    await mkdir(path.join(run, 'world/home'));
    await writeFile(path.join(run, 'world/home/secret'), zaiKey);

    const { summary, file } = await built({ runs: await runsIn(other), outDir: out('half') });
    expect(summary).toMatchObject({ outcome: 'fail', runs: [{ ending: 'died', outcome: 'fail' }] });
    const missing = summary.missing.map(({ what }) => what);
    expect(missing).toEqual(
      expect.arrayContaining([
        `the end of ${NAME}`,
        `evidence/${NAME}/run.json`,
        `evidence/${NAME}/proxy.log`,
      ]),
    );
    const { files } = await openBundle(file);
    expect(files.get(`evidence/${NAME}/world/logs/usage.jsonl`)?.toString()).toBe('{"key":"{{zai-key}}"}\n');
    expect([...files.keys()].join()).not.toContain('home/secret');
  });

  it('that cannot be judged at all is refused, and leaves nothing behind', async () => {
    const other = path.join(place.path, 'damaged');
    const run = await storeWholeRun(other, NAME);
    await writeFile(path.join(run, 'witness/store.jsonl'), 'no JSON\n');
    await expect(build({ runs: await runsIn(other), outDir: out('refused') })).rejects.toThrow(
      `the run in ${run} can't be judged: line 1 of witness/store.jsonl is damaged`,
    );
    expect(await readdir(out('refused'))).toEqual([]);
  });

  it('that is damaged stops no other: it is left out, told as missing, and what is left is no pass', async () => {
    const other = path.join(place.path, 'one-damaged');
    await storeWholeRun(other, NAME);
    const torn = '20260102T030406Z-torn';
    const run = await storeWholeRun(other, torn, undefined, { suite: 'torn' });
    const events = path.join(run, 'events.jsonl');
    const text = await readFile(events, 'utf8');
    await writeFile(events, text.replace('"probe_ended"', '"probe_endet"'));
    const { summary, file } = await built({ runs: await runsIn(other), outDir: out('without') });
    expect(summary.outcome).toBe('inconclusive');
    expect(summary.runs.map(({ suite }) => suite)).toEqual(['test']);
    expect(summary.missing).toContainEqual({
      what: `all of ${torn}, the newest run of torn`,
      why: expect.stringMatching(/^it can't be judged: line \d of events\.jsonl is damaged$/),
    });
    const { files } = await openBundle(file);
    expect([...files.keys()].join()).not.toContain(torn);
    expect(await verifyBundle(file, { checks: CHECKS, suites: SUITES })).toMatchObject({ ok: true, summary });

    // What makes it unreadable may be a secret, which is then in its folder and nowhere else.
    await writeFile(path.join(run, 'proxy.log'), `sk-ant-api03-${'a1B2'.repeat(20)}\n`);
    expect(await build({ runs: await runsIn(other), outDir: out('secret') })).toMatchObject({
      ok: false,
      finds: [{ file: `evidence/${torn}/proxy.log` }],
    });
  });

  it('finds no room where nothing may be written, and says what to name instead', async () => {
    await writeFile(path.join(place.path, 'in-the-way'), '');
    const outDir = path.join(place.path, 'in-the-way');
    await expect(build({ runs: await runsIn(results), outDir })).rejects.toMatchObject({
      message: `${outDir} cannot be used: file already exists`,
      hint: expect.stringContaining('--out'),
    });
  });
});

describe('what a bundle says', () => {
  it('shows of a probe that failed how it is repeated, phrase and all', async () => {
    const other = path.join(place.path, 'failed');
    const phrase = createCanaries('5eed').prompt('one', []);
    await storeWholeRun(other, NAME, (evidence) => {
      const [probe] = evidence.probes;
      if (probe === undefined) throw new Error('no probe');
      Object.assign(probe, {
        ok: false,
        exitCode: 1,
        text: `no ${phrase}`,
        reproduce: `claude -p '${phrase}'`,
      });
    });
    const { file, summary } = await built({ runs: await runsIn(other), outDir: out('shown') });
    expect(summary.signOff).toContainEqual(
      expect.objectContaining({ area: 'Stability', failed: ['test/RUN-01'] }),
    );
    const { files } = await openBundle(file);
    expect(files.get('junit.xml')?.toString()).toContain(phrase);
  });

  it('is not what the run said, where the evidence says otherwise', async () => {
    const other = path.join(place.path, 'edited');
    const run = await storeWholeRun(other, NAME, (evidence) => {
      evidence.usage.bad = [{ line: 7, problem: 'torn' }];
    });
    const file = path.join(run, 'run.json');
    const record = runRecordSchema.parse(JSON.parse(await readFile(file, 'utf8')));
    await writeFile(file, JSON.stringify({ ...record, outcome: 'pass' }));
    const { summary, file: bundled } = await built({ runs: await runsIn(other), outDir: out('said') });
    expect(summary.outcome).toBe('fail');
    const { files } = await openBundle(bundled);
    expect(JSON.parse(files.get(`evidence/${NAME}/run.json`)?.toString() ?? '')).toMatchObject({
      outcome: 'fail',
    });
    expect(JSON.parse(files.get('redaction.json')?.toString() ?? '')).toMatchObject({
      leftOut: [],
      madeAnew: [{ file: `${NAME}/run.json`, why: "the run's own was not what its evidence gives" }],
    });
    expect(summary.signOff).toContainEqual(
      expect.objectContaining({ area: 'Observability', verdict: 'fail', failed: ['test/LOG-01'] }),
    );
  });

  it('shows of a self-test what its matrix gives, and takes no page without one', async () => {
    const other = path.join(place.path, 'selftest');
    const run = await storeWholeRun(other, NAME);
    await writeFile(path.join(run, 'selftest.html'), 'all 90 saboteurs were noticed');
    const bundle = async (name: string) => build({ runs: await runsIn(other), outDir: out(name) });
    await expect(bundle('pageless')).rejects.toThrow('selftest.json is not there');
    await writeFile(path.join(run, 'selftest.json'), '{"ok":true}');
    await expect(bundle('damaged-matrix')).rejects.toThrow(/selftest.json is damaged: at \w+: /);
    await writeFile(path.join(run, 'selftest.json'), JSON.stringify(NO_MATRIX));
    const { file } = await built({ runs: await runsIn(other), outDir: out('matrix') });
    const { files } = await openBundle(file);
    expect(files.get(`evidence/${NAME}/selftest.html`)?.toString()).toContain('A saboteur survived');
    expect(files.get(`evidence/${NAME}/report.html`)?.toString()).toContain('Saboteurs');
    expect(await verifyBundle(file, { checks: CHECKS, suites: SUITES })).toMatchObject({ ok: true });
  });

  it('holds a matrix that hushes up its control run against the programs that judged it, and no others', async () => {
    const other = path.join(place.path, 'hushed');
    const torn = (evidence: Mutable<Evidence>) => {
      evidence.usage.bad = [{ line: 7, problem: 'torn' }];
    };
    const run = await storeWholeRun(other, NAME, torn, { suite: 'selftest' });
    await writeFile(path.join(run, 'selftest.json'), JSON.stringify(NO_MATRIX));
    await writeFile(path.join(run, 'selftest.html'), '');
    const what = 'of the control run it does not tell that LOG-01 is red';
    // By older checks it may have been green: the verdict of today's is told all the same.
    const { summary, file } = await built({ runs: await runsIn(other), outDir: out('hushed') });
    expect(summary).toMatchObject({ outcome: 'fail' });
    expect(summary.missing).toContainEqual({
      what: `evidence/${NAME}/selftest.json, as judged by these checks`,
      why: `other programs wrote it: ${what}`,
    });
    expect(summary.missing).toContainEqual({
      what: `evidence/${NAME}/selftest.json, as judged by these checks`,
      why: expect.stringMatching(/it does not know of .*ping-swallowed/),
    });
    expect(await verifyBundle(file, { checks: CHECKS, suites: SUITES })).toMatchObject({ ok: true });

    const events = path.join(run, 'events.jsonl');
    const text = await readFile(events, 'utf8');
    await writeFile(events, text.replace('"node":"24"', `"node":"24","source":"${sourceHash()}"`));
    await expect(build({ runs: await runsIn(other), outDir: out('hushed') })).rejects.toMatchObject({
      message: `a run contradicts itself: ${NAME}/selftest.json: ${what}`,
      hint: expect.stringContaining('judged by other checks'),
    });
  });

  it('takes no place of the machine from a matrix, and leads to none', async () => {
    const other = path.join(place.path, 'kept');
    const run = await storeSelftest(other, NAME);
    const matrix = selftestSchema.parse(JSON.parse(await readFile(path.join(run, 'selftest.json'), 'utf8')));
    const saboteurs = matrix.saboteurs.map((one) => ({ ...one, kept: '../../../home/alice/kept' }));
    await writeFile(path.join(run, 'selftest.json'), JSON.stringify({ ...matrix, saboteurs }));
    const stored = await readStoredRun(run);
    const told = { record: recordOf(stored, CHECKS), stored };
    for (const [name, text] of selftestReportsOf(told, { ...matrix, saboteurs }))
      await writeFile(path.join(run, name), text);
    const { file } = await built({ runs: await runsIn(other), outDir: out('kept') });
    const { files } = await openBundle(file);
    // What the run itself had told was right: nobody is to take the difference for tampering.
    const why = 'without the places of the machine, which were taken out of what it shows';
    expect(JSON.parse(files.get('redaction.json')?.toString() ?? '')).toMatchObject({
      leftOut: [],
      madeAnew: [
        { file: `${NAME}/report.html`, why },
        { file: `${NAME}/selftest.html`, why },
      ],
    });
    expect(files.get('index.html')?.toString()).toContain('2 reports made anew for this bundle');
    expect(Buffer.concat([...files.values()]).toString('latin1')).not.toContain('alice');
    expect(JSON.parse(files.get(`evidence/${NAME}/selftest.json`)?.toString() ?? '')).toEqual(matrix);
  });

  it('names the checks of the suite that the run was not judged by', async () => {
    const other = path.join(place.path, 'only');
    await storeWholeRun(other, NAME, undefined, { checks: [{ id: 'LOG-01', title: 'x' }] });
    const { summary, file } = await built({ runs: await runsIn(other), outDir: out('only-bundle') });
    expect(summary.missing).toContainEqual({
      what: `check ROUTE-01 of ${NAME}`,
      why: 'the run was not judged by it',
    });
    const { files } = await openBundle(file);
    const { predicate } = JSON.parse(files.get('statement.intoto.json')?.toString() ?? '');
    expect(predicate.expectedTests).toContain('test/ROUTE-01');
    expect(predicate.passedTests).not.toContain('test/ROUTE-01');
  });

  it('stands in the page with the verdict first, and without a script or an address', async () => {
    const { folder, summary } = await built({ runs: await runsIn(results), outDir: out('page') });
    const text = await readFile(path.join(folder, 'index.html'), 'utf8');
    expect(text).toContain(
      `<main>\n<h1><span class="open">PASS of what was run, 2 of 4 areas open: Routing, Stability</span><br>${BUNDLE}</h1>\n\n<ul><li>It works.</li></ul>`,
    );
    expect(text).not.toMatch(/<script|https?:|src=/);
    expect(
      summarySchema.parse(JSON.parse(await readFile(path.join(folder, 'summary.json'), 'utf8'))),
    ).toEqual(summary);
  });
});

describe('the page of a bundle that did not pass', () => {
  const pageOf = async (name: string, suites: readonly string[]): Promise<string> => {
    const other = path.join(place.path, name);
    for (const suite of suites)
      await storeWholeRun(
        other,
        `20260102T030405Z-${suite}`,
        (evidence) => {
          if (suite === 'red') evidence.usage.bad = [{ line: 7, problem: 'torn' }];
        },
        { suite, proves: [`${suite} works.`] },
      );
    const { folder } = await built({ runs: await runsIn(other), outDir: out(`${name}-page`) });
    return readFile(path.join(folder, 'index.html'), 'utf8');
  };

  it('says what is against it before it claims anything, and claims by run', async () => {
    const text = await pageOf('mixed', ['red', 'green']);
    const [verdict, against, link, claim] = [
      'FAIL</span>',
      'What is against it',
      '<a href="#20260102T030405Z-red">red/LOG-01</a>',
      'green: green works.',
    ].map((words) => text.indexOf(words, text.indexOf('<main>')));
    expect([verdict, against, link, claim].every((at) => at !== undefined && at > 0)).toBe(true);
    expect([verdict, against, link, claim]).toEqual(
      [verdict, against, link, claim].toSorted((a = 0, b = 0) => a - b),
    );
    expect(text).toContain('<h2 id="20260102T030405Z-red">');
    expect(text).not.toContain('red works.');
  });

  it('claims nothing where no run passed', async () => {
    const text = await pageOf('red-alone', ['red']);
    expect(text).toContain('Nothing is claimed: no run passed.');
    expect(text).not.toContain('red works.');
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

describe('a signature', () => {
  it.skipIf(!hasOpenssl)('is one that openssl takes, and changes no other byte of the folder', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const seed = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url').toString('base64');
    const seedFile = path.join(place.path, 'review.seed');
    await writeFile(seedFile, `review=${seed}\n`, { mode: 0o600 });
    const runs = await runsIn(results);
    const plain = await built({ runs, outDir: out('plain') });
    const signed = await built({ runs, outDir: out('signed'), seed: await readSeed(seedFile) });
    expect(signed.publicKey).toBe(
      Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64'),
    );

    const { folder } = signed;
    expect(await readFile(path.join(folder, 'SHA256SUMS'))).toEqual(
      await readFile(path.join(plain.folder, 'SHA256SUMS')),
    );
    await writeFile(path.join(folder, 'key.pem'), publicKey.export({ format: 'pem', type: 'spki' }));
    await writeFile(
      path.join(folder, 'raw.sig'),
      Buffer.from(await readFile(path.join(folder, 'SHA256SUMS.sig'), 'latin1'), 'base64'),
    );
    const args = [
      'pkeyutl',
      '-verify',
      '-pubin',
      '-inkey',
      'key.pem',
      '-rawin',
      '-in',
      'SHA256SUMS',
      '-sigfile',
      'raw.sig',
    ];
    expect(execFileSync('openssl', args, { cwd: folder, encoding: 'utf8' })).toContain('Successfully');
    expect((await openBundle(signed.file)).files.size).toBe((await openBundle(plain.file)).files.size + 1);
    const text = Buffer.concat([...(await openBundle(signed.file)).files.values()]).toString('latin1');
    for (const form of formsOf(seed)) expect(text).not.toContain(form.text);
  });

  it('is not made with a seed that others may read, or with none', async () => {
    const seedFile = path.join(place.path, 'open.seed');
    await writeFile(seedFile, `${Buffer.alloc(32, 7).toString('base64')}\n`);
    await chmod(seedFile, 0o644);
    await expect(readSeed(seedFile)).rejects.toThrow('can be read or written by others');
    await writeFile(seedFile, 'nothing of the kind');
    await expect(readSeed(seedFile)).rejects.toThrow('does not hold a signing seed');
    await expect(readSeed(path.join(place.path, 'none'))).rejects.toThrow('ENOENT');
  });
});
