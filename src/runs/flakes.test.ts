import { chmod, chown, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHECKS } from '../analysis/checks/index.ts';
import { findFlakes } from './flakes.ts';
import { recordOf } from './judge.ts';
import { lastFailed } from './last-failed.ts';
import { summaryMarkdown } from './report/summary-markdown.ts';
import { verdictText } from './report/verdict-text.ts';
import { addToHistory, writeReports } from './report/write-reports.ts';
import type { Plan, RunRecord } from './run-record.ts';
import { runsDir } from './stored/find-run.ts';
import { readStoredRun } from './stored/stored-run.ts';
import type { Suite } from './suite.ts';
import { BEGIN, PROVENANCE, storeGreenRun, temporaryFolder } from './testing/stored-green-run.ts';

let results: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  results = await temporaryFolder();
});
afterEach(() => results[Symbol.asyncDispose]());

interface Stored {
  readonly folder: string;
  readonly record: RunRecord;
}

const SOURCE = 'a'.repeat(64);
/** Long after the stored runs: only what the programs of this package did counts. */
const LATER = BEGIN + 1e9;

/** Stores a run of the suite `test`, green or with a torn line in its log, or in which `LOG-01` saw too little. */
async function store(
  name: string,
  {
    torn = false,
    unsure = false,
    plan = {},
    source = SOURCE,
  }: { torn?: boolean; unsure?: boolean; plan?: Partial<Plan>; source?: string | null } = {},
): Promise<Stored> {
  const { folder } = await storeGreenRun(
    runsDir(results.path),
    (evidence) => {
      if (torn) evidence.usage.bad = [{ line: 7, problem: 'torn' }];
    },
    plan,
  );
  const stored = await readStoredRun(folder.path);
  const provenance = source === null ? PROVENANCE : { ...PROVENANCE, source };
  const judged = recordOf({ ...stored, provenance }, CHECKS);
  const record = unsure ? { ...judged, checks: judged.checks.map(asUnsure) } : judged;
  await writeReports(folder, { record, stored });
  const named = path.join(runsDir(results.path), name);
  await rename(folder.path, named);
  return { folder: named, record };
}

const asUnsure = (check: RunRecord['checks'][number]): RunRecord['checks'][number] =>
  check.id === 'LOG-01' ? { ...check, outcome: 'inconclusive' } : check;

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** Root may list whatever it likes. */
async function asNobody(folders: readonly string[], work: () => Promise<void>): Promise<void> {
  if (!isRoot) return work();
  for (const folder of folders) await chown(folder, NOBODY, NOBODY);
  process.seteuid?.(NOBODY);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}

const FIRST = '20260101T000000Z-test';
const SECOND = '20260102T000000Z-test';

const flakesOf = ({ folder, record }: Stored, since = LATER) =>
  findFlakes(record, { folder, resultsDir: results.path, since });

describe('a check that changes its mind', () => {
  it('is found, from red to green as from green to red, with the other run and its seed', async () => {
    await store(FIRST, { torn: true, plan: { seed: 'first' } });
    const second = await store(SECOND);
    expect(await flakesOf(second)).toEqual([
      { check: 'LOG-01', outcome: 'pass', before: 'fail', folder: `../${FIRST}`, seed: 'first' },
    ]);
    const third = await store('20260103T000000Z-test', { torn: true });
    expect(await flakesOf(third)).toMatchObject([
      { outcome: 'fail', before: 'pass', folder: `../${SECOND}` },
    ]);
  });

  it('stays red however often it is repeated, until somebody removes the run that says otherwise', async () => {
    const { folder } = await store(FIRST, { torn: true });
    await store(SECOND);
    await store('20260103T000000Z-test');
    const fourth = await store('20260104T000000Z-test');
    expect(await flakesOf(fourth)).toMatchObject([{ check: 'LOG-01', folder: `../${FIRST}` }]);
    await rm(folder, { recursive: true });
    expect(await flakesOf(fourth)).toEqual([]);
  });

  it('is found in a run that lies elsewhere: beside it, or where the history says', async () => {
    const elsewhere = path.join(results.path, 'ci');
    await mkdir(path.join(elsewhere, 'deep'), { recursive: true });
    const { folder: first } = await store(FIRST, { torn: true });
    const { folder: second, record } = await store(SECOND);
    const [one, other] = [path.join(elsewhere, 'one'), path.join(elsewhere, 'other')];
    await rename(first, one);
    await rename(second, other);
    expect(await flakesOf({ folder: other, record })).toMatchObject([{ folder: '../one' }]);
    const deep = path.join(elsewhere, 'deep/one');
    await rename(one, deep);
    expect(await flakesOf({ folder: other, record })).toEqual([]);
    const told = { startedAt: '20260101', name: 'test', verdict: 'fail', counts: '', ms: 1, folder: deep };
    await addToHistory(results.path, told);
    expect(await flakesOf({ folder: other, record })).toMatchObject([{ folder: '../deep/one' }]);
  });

  it('is looked for as far as the folders beside a run may be listed', async () => {
    const { folder: stored, record } = await store(FIRST);
    const closed = path.join(results.path, 'closed');
    const folder = path.join(closed, 'run');
    await mkdir(closed);
    await rename(stored, folder);
    await chmod(results.path, 0o711);
    await chmod(closed, 0o311);
    await asNobody([closed, folder], async () => {
      expect(await flakesOf({ folder, record })).toEqual([]);
    });
    await chmod(closed, 0o700);
    await rm(closed, { recursive: true });
    expect(await flakesOf({ folder, record })).toEqual([]);
  });

  it.skipIf(!isRoot)('is none by what somebody else has laid beside it', async () => {
    const { folder: first } = await store(FIRST, { torn: true });
    const { folder: second, record } = await store(SECOND);
    const [one, other] = [path.join(results.path, 'one'), path.join(results.path, 'other')];
    await rename(first, one);
    await rename(second, other);
    expect(await flakesOf({ folder: other, record })).toHaveLength(1);
    await chown(one, NOBODY, NOBODY);
    expect(await flakesOf({ folder: other, record })).toEqual([]);
  });

  it('is found where it failed among all and passes as the only one', async () => {
    await store(FIRST, { torn: true });
    const alone = await store(SECOND, {
      plan: { checks: [{ id: 'LOG-01', title: '' }], asked: { client: 'curl' } },
    });
    expect((await flakesOf(alone)).map(({ check }) => check)).toEqual(['LOG-01']);
  });

  it('is none where one of the two saw too little to say', async () => {
    const first = await store(FIRST);
    const second = await store(SECOND, { unsure: true });
    expect(await flakesOf(second)).toEqual([]);
    expect(await flakesOf(first)).toEqual([]);
  });

  it.each<[string, Parameters<typeof store>[1]]>([
    ['by other programs', { source: 'b'.repeat(64) }],
    ['of another plan', { plan: { timeoutMs: 2000 } }],
    ['of programs nobody knows', { source: null }],
  ])('is none where the run before was %s', async (_what, other) => {
    await store(FIRST, { torn: true, ...other });
    expect(await flakesOf(await store(SECOND))).toEqual([]);
  });

  it('of another program is told from a mended one only among the runs of one command', async () => {
    const plan = { target: { kind: 'cmd', command: 'x {port}' } } as const;
    await store(FIRST, { torn: true, plan });
    const second = await store(SECOND, { plan });
    expect(await flakesOf(second)).toEqual([]);
    expect(await flakesOf(second, BEGIN)).toMatchObject([{ check: 'LOG-01' }]);
  });

  it('makes a run red that would be green, and says so wherever the run is told', async () => {
    await store(FIRST, { torn: true });
    const second = await store(SECOND);
    const stored = await readStoredRun(second.folder);
    const record = recordOf({ ...stored, flaky: await flakesOf(second) }, CHECKS);
    expect(record).toMatchObject({ outcome: 'fail', exitCode: 1 });
    const text = verdictText(record, { paint: (_style, words) => words, where: `results/runs/${SECOND}` });
    expect(text).toContain('FLAKY LOG-01: pass now and FAIL in a run before');
    expect(text).toContain(`\n  rm -r results/runs/${FIRST}\n`);
    expect(text).toContain(`before  results/runs/${FIRST}, seed 5eed`);
    expect(text).toMatch(/FAIL {2}test: .*, 1 flaky/);
    expect(summaryMarkdown(record)).toContain('## Flaky: LOG-01');
  });

  it('is kept in the account of the run, so that judging it again does not make it green', async () => {
    const { folder } = await storeGreenRun(results.path);
    const flake = { check: 'LOG-01', outcome: 'pass', before: 'fail', folder: '../x', seed: 's' } as const;
    folder.append({ type: 'flaky', at: BEGIN + 2000, ...flake });
    const again = recordOf(await readStoredRun(folder.path), CHECKS);
    expect(again).toMatchObject({ ending: 'complete', outcome: 'fail', flaky: [flake] });
  });
});

describe('what was red last', () => {
  const SUITE: Suite = {
    name: 'test',
    title: '',
    proves: [],
    probes: [],
    timeoutMs: 1,
    settings: {},
    checks: ['LOG-01', 'LOG-02'],
    artifacts: { name: 'test' },
  };
  const red = () => lastFailed(results.path, [SUITE]);

  it('is each check by the newest run that judged it', async () => {
    await store(FIRST, { torn: true });
    expect(await red()).toEqual([{ suite: 'test', checks: ['LOG-01'] }]);
    await store(SECOND, { plan: { checks: [{ id: 'LOG-02', title: '' }] } });
    expect(await red()).toEqual([{ suite: 'test', checks: ['LOG-01'] }]);
    await store('20260103T000000Z-test');
    expect(await red()).toEqual([]);
  });

  it('is the whole suite where its newest run died before it was judged', async () => {
    await store(FIRST);
    const { folder } = await storeGreenRun(runsDir(results.path));
    await rename(folder.path, path.join(runsDir(results.path), SECOND));
    expect(await red()).toEqual([{ suite: 'test', checks: [] }]);
  });
});
