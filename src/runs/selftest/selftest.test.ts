import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { CHECKS } from '../../analysis/checks/index.ts';
import { findClaude } from '../../harness/clients/claude-binary.ts';
import { SABOTEURS } from '../../harness/saboteurs/saboteurs.ts';
import type { ClaudeLookup } from '../../harness/types/client.ts';
import type { Saboteur } from '../../harness/types/saboteur.ts';
import { createWorld } from '../../harness/world.ts';
import { systemClock } from '../../platform/clock.ts';
import { recordOf } from '../judge.ts';
import { firstStage } from '../plan.ts';
import { readStoredRun } from '../stored/stored-run.ts';
import { isUnderWay, UNDER_WAY } from '../stored/under-way.ts';
import type { Suite } from '../suite.ts';
import { PROVENANCE, temporaryFolder } from '../testing/stored-green-run.ts';
import { selftest } from './selftest.ts';
import { type SabotageResult, selftestSchema } from './selftest-record.ts';

const SUITE: Suite = {
  name: 'sample',
  title: 'A sample',
  proves: [],
  probes: [{ client: 'curl', id: 'haiku', model: 'claude-haiku-4-5', lane: 'zai', op: 'nonstream' }],
  timeoutMs: 10_000,
  settings: {},
  checks: ['ROUTE-01', 'ROUTE-02', 'LOG-01'],
  artifacts: { name: 'sample' },
};

const STAGED: Suite = {
  ...SUITE,
  name: 'staged',
  stages: [
    { name: 'none', license: 'none' },
    { name: 'expired', license: 'expired' },
  ],
  checks: ['LICENSE-01', 'RESTART-01'],
};

const WORSE: Saboteur = {
  name: 'paused',
  breaks: 'everything goes to Anthropic',
  faults: [{ layer: 'settings', settings: () => ({ OFFLOAD_PAUSED: '1' }) }],
  caughtBy: ['ROUTE-02'],
};
const HARMLESS: Saboteur = {
  name: 'harmless',
  breaks: 'nothing at all',
  faults: [{ layer: 'records', alter: (records) => records }],
  caughtBy: ['LOG-01'],
};

const named = (name: string): Saboteur[] => SABOTEURS.filter((one) => one.name === name);

async function run({
  saboteurs,
  suite = SUITE,
  claude = { found: false, reason: 'not looked for' },
  full = false,
  keep,
  interruptAfter,
  onBegin = async () => undefined,
  onEnd = async () => undefined,
}: {
  readonly saboteurs: readonly Saboteur[];
  readonly suite?: Suite;
  readonly claude?: ClaudeLookup;
  readonly full?: boolean;
  readonly keep?: string;
  /** How many saboteurs are tried before somebody wants an end; 0: none, in the middle of the control run. */
  readonly interruptAfter?: number;
  /** Given its folder: when there is one, and when all is written or was given up. */
  readonly onBegin?: (folder: string) => Promise<unknown>;
  readonly onEnd?: (folder: string) => Promise<void>;
}) {
  await using folder = await temporaryFolder();
  await using _ = { [Symbol.asyncDispose]: () => onEnd(folder.path) };
  const told: SabotageResult[] = [];
  const opened: (string | undefined)[] = [];
  const goesOn: boolean[] = [];
  const interruption = new AbortController();
  const interrupt = (): void => {
    if (told.length === interruptAfter) interruption.abort(new Error('interrupted by SIGINT'));
  };
  const { result, record } = await selftest({
    suite,
    others: [STAGED],
    claude,
    saboteurs,
    known: ['paused', 'harmless', 'another'],
    asked: { saboteurs: saboteurs.map(({ name }) => name), full },
    ...(keep !== undefined && { keep }),
    folder: folder.path,
    checks: CHECKS,
    seed: '5eed',
    provenance: PROVENANCE,
    clock: systemClock,
    openWorld: async ({ seed, target, settings, ...plan }, runDir, given) => {
      if (opened.length === 0) await onBegin(folder.path);
      opened.push(given.saboteur?.name);
      goesOn.push(await isUnderWay(folder.path));
      interrupt();
      return createWorld({
        runDir,
        seed,
        target,
        settings,
        stage: firstStage(plan),
        ...given,
      });
    },
    onResult: (one) => {
      told.push(one);
      interrupt();
    },
    signal: interruption.signal,
  });
  const text = async (name: string): Promise<string> => readFile(path.join(folder.path, name), 'utf8');
  const files = await readdir(folder.path);
  const [summary, json] = [await text('SUMMARY.md'), await text('selftest.json')];
  const machines = ['run.json', 'junit.xml', 'ctrf-report.json', 'report.html'];
  const texts = Object.fromEntries(await Promise.all(machines.map(async (name) => [name, await text(name)])));
  // What is judged from the folder is what it came to.
  expect(recordOf(await readStoredRun(folder.path), CHECKS)).toEqual(record);
  return { ...result, told, opened, goesOn, files, summary, json, texts, record };
}

it('kills what a named check notices, and fails where one survives', { timeout: 120_000 }, async () => {
  const { ok, control, saboteurs, told } = await run({ saboteurs: [WORSE, HARMLESS] });
  expect(control).toEqual([]);
  expect(saboteurs.map(({ name, killedBy }) => [name, killedBy])).toEqual([
    ['paused', ['ROUTE-02']],
    ['harmless', []],
  ]);
  expect(ok).toBe(false);
  expect(told).toHaveLength(2);
});

it('is red where a saboteur survives for whoever reads a report of the control run and nothing else', {
  timeout: 120_000,
}, async () => {
  const { record, texts } = await run({ saboteurs: [WORSE, HARMLESS] });
  expect(record).toMatchObject({ outcome: 'fail', exitCode: 1, claims: [] });
  expect(record.checks.filter(({ outcome }) => outcome === 'fail')).toMatchObject([
    {
      id: 'SELFTEST-01',
      observed: 2,
      violations: [
        {
          what: 'harmless, in sample, survived: nothing at all. LOG-01 was to fail, and came out as pass',
          pointers: ['selftest.json', 'ccp-uat selftest harmless --seed 5eed'],
        },
      ],
    },
  ]);
  expect(JSON.parse(texts['run.json'] ?? '')).toMatchObject({ outcome: 'fail', exitCode: 1 });
  expect(texts['junit.xml']).toMatch(/ failures="1" [^]*<failure type="SELFTEST-01" message="harmless, /);
  expect(texts['ctrf-report.json']).toMatch(/"failed": 1,/);
  expect(texts['report.html']).toMatch(/<title>fail: selftest<\/title>[^]*SELFTEST-01/);
  const { record: green } = await run({ saboteurs: [WORSE] });
  expect(green).toMatchObject({ outcome: 'pass', exitCode: 0 });
  expect(green.checks.at(-1)).toMatchObject({ id: 'SELFTEST-01', outcome: 'pass', observed: 1 });
});

it('keeps the control run, the matrix beside it, and says both in the summary', {
  timeout: 120_000,
}, async () => {
  const { files, json, summary, saboteurs, goesOn } = await run({ saboteurs: [WORSE, HARMLESS] });
  // Until the matrix is there it is no run that one could hand on.
  expect(goesOn).toEqual([true, true]);
  expect(files).not.toContain(UNDER_WAY);
  expect(files).toEqual(expect.arrayContaining(['events.jsonl', 'run.json', 'selftest.json', 'witness']));
  const stored = selftestSchema.parse(JSON.parse(json));
  expect(stored).toMatchObject({ ok: false, controls: ['sample'], control: [], saboteurs });
  expect(summary).toMatch(
    /^# selftest: fail\n\ntried 2 of 3 saboteurs, 1 killed, controls green[^]*Not tried: another\./,
  );
  expect(summary).toContain('Repeat: `ccp-uat selftest harmless --seed 5eed`');
  expect(summary).toContain('| paused | everything goes to Anthropic | sample | killed | ROUTE-02 |');
  expect(summary).toContain('# selftest: fail');
  expect(summary).toContain('## SELFTEST-01: ');
});

it('keeps what it had come to where it is interrupted, and is no proof then', {
  timeout: 120_000,
}, async () => {
  const { ok, interrupted, saboteurs, json, summary, record } = await run({
    saboteurs: [WORSE, HARMLESS, { ...WORSE, name: 'another' }],
    interruptAfter: 1,
  });
  expect({ ok, interrupted }).toEqual({ ok: false, interrupted: 'interrupted by SIGINT' });
  expect(saboteurs.length).toBeGreaterThan(0);
  expect(saboteurs.every(({ untried, broke }) => untried === undefined && broke === undefined)).toBe(true);
  expect(selftestSchema.parse(JSON.parse(json))).toMatchObject({ interrupted, saboteurs });
  expect(summary).toMatch(/^# selftest: interrupted\n\ntried \d of 3 saboteurs, .*, interrupted by SIGINT/);
  expect(record).toMatchObject({ outcome: 'fail', ending: 'interrupted', exitCode: 130, claims: [] });
});

it('leaves no page of a matrix that could not be written: one without the other is damage', {
  timeout: 120_000,
}, async () => {
  let left: string[] = [];
  const failing = run({
    saboteurs: [WORSE],
    onBegin: (folder) => mkdir(path.join(folder, 'selftest.json.part')),
    onEnd: async (folder) => {
      left = await readdir(folder);
    },
  });
  await expect(failing).rejects.toThrow('selftest.json');
  expect(left).toContain('run.json');
  expect(left).not.toContain('selftest.html');
});

it('keeps the run that nobody broke where it is interrupted in that', { timeout: 120_000 }, async () => {
  const { saboteurs, control, record } = await run({ saboteurs: [WORSE], interruptAfter: 0 });
  expect(saboteurs).toEqual([]);
  expect(control).toContainEqual(expect.objectContaining({ suite: 'sample', id: 'RUN-01' }));
  expect(record).toMatchObject({ outcome: 'fail', ending: 'interrupted' });
});

it('gives the same faults for the same seed, and tells of them in the same order', {
  timeout: 120_000,
}, async () => {
  const saboteurs = [
    WORSE,
    ...SABOTEURS.filter(({ name }) => /^(line-torn|query-lost|event-lost)$/.test(name)),
  ];
  const [first, second] = [await run({ saboteurs }), await run({ saboteurs })];
  // Several go on at once: which of them begins next is for the machine to say.
  expect(second.opened).toHaveLength(first.opened.length);
  expect(new Set(second.opened)).toEqual(new Set(first.opened));
  // How checks that measure time come out beside it is for the machine to say.
  const fates = (all: typeof first.saboteurs) =>
    all.map(({ name, suite, killed, killedBy }) => ({ name, suite, killed, killedBy }));
  expect(fates(second.saboteurs)).toEqual(fates(first.saboteurs));
  expect(first.saboteurs.map(({ name }) => name)).toEqual(saboteurs.map(({ name }) => name));
});

it('tries each in every suite that it touches where all of it is asked for', {
  timeout: 120_000,
}, async () => {
  const torn = SABOTEURS.filter(({ name }) => name === 'line-torn');
  const { ok, saboteurs, summary } = await run({ saboteurs: [WORSE, HARMLESS, ...torn], full: true });
  // The stages of the other suite keep haiku from Z.AI, and its checks have no evidence of a torn line.
  expect(saboteurs.map(({ name, suite, expected, killed }) => [name, suite, expected, killed])).toEqual([
    ['paused', 'sample', { 'ROUTE-02': 'fail' }, true],
    ['harmless', 'sample', { 'LOG-01': 'fail' }, false],
    ['line-torn', 'sample', { 'LOG-01': 'fail' }, true],
  ]);
  // What no suite can show is said, and proves nothing.
  expect(saboteurs[1]).toMatchObject({ untried: expect.stringContaining('no suite has evidence') });
  expect(summary).toMatch(
    /tried 2 of 4 saboteurs, 2 killed, 2 of 3 trials, not tried: harmless, controls green/,
  );
  expect(ok).toBe(false);
});

it('tells the run that nobody broke again, where a saboteur alters records and nothing else', {
  timeout: 120_000,
}, async () => {
  const torn = SABOTEURS.filter(({ name }) => name === 'line-torn');
  const { ok, control, saboteurs, opened } = await run({ saboteurs: [...torn, HARMLESS, WORSE] });
  expect(new Set(opened)).toEqual(new Set([undefined, 'paused']));
  expect(opened).toHaveLength(2);
  expect(control).toEqual([]);
  expect(saboteurs.map(({ name, killedBy }) => [name, killedBy])).toEqual([
    ['line-torn', ['LOG-01']],
    ['harmless', []],
    ['paused', ['ROUTE-02']],
  ]);
  expect(ok).toBe(false);
});

it('lets a saboteur survive where one of the checks that must catch it does not', {
  timeout: 120_000,
}, async () => {
  const { ok, saboteurs } = await run({ saboteurs: [{ ...WORSE, caughtBy: ['ROUTE-02', 'LOG-01'] }] });
  expect(saboteurs).toMatchObject([{ killed: false, killedBy: ['ROUTE-02'] }]);
  expect(ok).toBe(false);
});

/** Nobody can be asked any more what was counted. */
const MUTE: Saboteur = {
  name: 'mute',
  breaks: '/metrics does not answer',
  faults: [
    {
      layer: 'records',
      alter: (told) => ({
        ...told,
        lives: told.lives.map((life) => ({ ...life, answers: { ...life.answers, metrics: null } })),
      }),
    },
  ],
  caughtBy: [],
  blinds: ['METRICS-01'],
};

it('takes a check that lost its evidence for what it is: no kill, unless that is what the saboteur is about', {
  timeout: 120_000,
}, async () => {
  const suite = { ...SUITE, checks: ['METRICS-01', 'LOG-01'] };
  const { ok, saboteurs, summary } = await run({
    suite,
    saboteurs: [
      MUTE,
      { ...MUTE, name: 'unnoticed', caughtBy: ['METRICS-01'], blinds: [] },
      ...named('line-torn').map((one) => ({
        ...one,
        name: 'no-blindness',
        caughtBy: [],
        blinds: ['LOG-01'],
      })),
    ],
  });
  expect(saboteurs.map(({ name, killed }) => [name, killed])).toEqual([
    ['mute', true],
    ['unnoticed', false],
    ['no-blindness', false],
  ]);
  expect(summary).toContain('METRICS-01 was to fail, and came out as inconclusive');
  expect(summary).toContain('LOG-01 was to be inconclusive, and came out as fail');
  expect(summary).toMatch(/^tried 3 of \d saboteurs, 1 killed/m);
  expect(ok).toBe(false);
});

it('keeps what each saboteur did where it is told to: a run that can be judged again, and says how it is repeated', {
  timeout: 120_000,
}, async () => {
  await using kept = await temporaryFolder();
  const torn = named('line-torn');
  const { saboteurs } = await run({ saboteurs: [WORSE, ...torn], keep: kept.path });
  expect(saboteurs.map((one) => path.basename(one.kept ?? ''))).toEqual(['paused', 'line-torn']);
  for (const [name, check] of [
    ['paused', 'ROUTE-02'],
    ['line-torn', 'LOG-01'],
  ] as const) {
    const folder = path.join(kept.path, 'sample', name);
    const record = recordOf(await readStoredRun(folder), CHECKS);
    expect(record.checks.find(({ id }) => id === check)?.outcome).toBe('fail');
    const page = await readFile(path.join(folder, 'report.html'), 'utf8');
    expect(page).toContain(`ccp-uat selftest ${name} --seed 5eed`);
    // Nothing else than what it broke is wrong.
    expect(record.checks.find(({ id }) => id === 'RUN-01')?.outcome).toBe('pass');
  }
});

it('fails where the run that nobody broke is not green', { timeout: 120_000 }, async () => {
  // A haiku that the suite wrongly expects on the other lane.
  const wrong = { ...SUITE, probes: SUITE.probes.map((probe) => ({ ...probe, lane: 'anthropic' as const })) };
  const { ok, control } = await run({ saboteurs: [], suite: wrong });
  expect(control.map(({ id }) => id)).toContain('ROUTE-02');
  expect(ok).toBe(false);
});

it('goes on where the surroundings of one broke of themselves, and calls it not killed', {
  timeout: 120_000,
}, async () => {
  const name = 'broken';
  const broken: Saboteur = {
    ...WORSE,
    name,
    faults: [{ layer: 'settings', settings: () => ({ CCP_REROUTE_MODE: 'nonsense' }) }],
  };
  await using kept = await temporaryFolder();
  const { ok, saboteurs, summary } = await run({ saboteurs: [broken, WORSE], keep: kept.path });
  // Who looks for what went wrong finds the run, with its page.
  expect(path.basename(saboteurs[0]?.kept ?? '')).toBe(name);
  expect(await readFile(path.join(kept.path, 'sample', name, 'report.html'), 'utf8')).toContain(
    'before it was ready',
  );
  expect(saboteurs).toMatchObject([
    { name, killed: false, broke: expect.stringContaining('before it was ready') },
    { killed: true },
  ]);
  expect(ok).toBe(false);
  expect(summary).toContain('## Broke: broken, in sample');
});

const ACCEPTED: Saboteur = {
  name: 'expired-accepted',
  breaks: 'an expired licence counts',
  faults: [
    {
      layer: 'settings',
      settings: ({ licenses }, { license }) => licenses.settings(license === 'expired' ? 'trial' : license),
    },
  ],
  caughtBy: ['LICENSE-01'],
};

it('runs the stages of another suite for a saboteur that names it, and its control', {
  timeout: 120_000,
}, async () => {
  const during = (...stages: string[]) => ({ ...ACCEPTED, during: { suite: 'staged', stages } });
  const { control, saboteurs } = await run({ saboteurs: [during('expired'), during('none')] });
  expect(control).toEqual([]);
  expect(saboteurs.map(({ killed, outcomes }) => [killed, outcomes])).toEqual([
    [true, { 'RUN-01': 'pass', 'LICENSE-01': 'fail', 'RESTART-01': 'skipped' }],
    [false, { 'RUN-01': 'pass', 'LICENSE-01': 'pass', 'RESTART-01': 'skipped' }],
  ]);
});

it('leaves no check without a saboteur, that of the run itself included', () => {
  const caught = new Set(SABOTEURS.flatMap(({ caughtBy, blinds = [] }) => [...caughtBy, ...blinds]));
  expect(['RUN-01', ...CHECKS.map(({ id }) => id)].filter((id) => !caught.has(id))).toEqual([]);
});

it('kills a lost probe by the check of the run itself', { timeout: 120_000 }, async () => {
  const { saboteurs } = await run({ saboteurs: named('probe-lost') });
  expect(saboteurs).toMatchObject([{ killedBy: ['RUN-01'], outcomes: { 'RUN-01': 'fail' } }]);
});

it('kills a secret in a bundle, and makes one of the run that nobody broke', {
  timeout: 60_000,
}, async () => {
  const { ok, control, saboteurs } = await run({
    saboteurs: [...named('secret-in-bundle'), ...named('secret-hidden-in-bundle')],
  });
  expect({ ok, control }).toEqual({ ok: true, control: [] });
  expect(saboteurs.map(({ killedBy }) => killedBy)).toEqual([['BUNDLE-01'], ['BUNDLE-01']]);
});

it('does not count a saboteur of Claude Code where that is not found', { timeout: 120_000 }, async () => {
  const { ok, saboteurs } = await run({ saboteurs: [WORSE, ...named('client-usage-zeroed')] });
  expect(saboteurs).toMatchObject([
    { killedBy: ['ROUTE-02'] },
    { killedBy: [], skipped: 'Claude Code was not found: not looked for' },
  ]);
  expect(ok).toBe(true);
});

const claude = findClaude();
it.skipIf(!claude.found)(
  'shows what only Claude Code shows: counts of its own, and whom else it turns to',
  { timeout: 120_000 },
  async () => {
    const { ok, control, saboteurs } = await run({
      suite: { ...SUITE, checks: ['TOKENS-02', 'HYGIENE-03'] },
      saboteurs: ['client-usage-zeroed', 'client-past-the-proxy'].flatMap(named),
      claude,
    });
    expect({ ok, control }).toEqual({ ok: true, control: [] });
    expect(saboteurs.map(({ killedBy, outcomes }) => [killedBy, outcomes['HYGIENE-03']])).toEqual([
      [['TOKENS-02'], 'skipped'],
      [['HYGIENE-03'], 'fail'],
    ]);
  },
);
