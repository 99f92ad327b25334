import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CHECKS } from '../../analysis/checks/index.ts';
import type { Evidence } from '../../analysis/evidence.ts';
import type { Mutable } from '../../analysis/testing/green-run.ts';
import { recordOf } from '../judge.ts';
import type { NightPlan, RunRecord } from '../run-record.ts';
import { readStoredRun } from '../stored/stored-run.ts';
import { storeGreenRun, temporaryFolder } from '../testing/stored-green-run.ts';
import { ctrfJson } from './ctrf.ts';
import { annotations, jobSummary } from './github.ts';
import { junitXml } from './junit.ts';
import { reportHtml } from './page/report-page.ts';
import { summaryMarkdown } from './summary-markdown.ts';
import { verdictText, WIDTH } from './verdict-text.ts';

let parent: Awaited<ReturnType<typeof temporaryFolder>>;
let green: RunRecord;
let red: RunRecord;

const record = async (alter?: (evidence: Mutable<Evidence>) => unknown): Promise<RunRecord> => {
  const { folder } = await storeGreenRun(parent.path, alter);
  return recordOf(await readStoredRun(folder.path), CHECKS);
};

beforeAll(async () => {
  parent = await temporaryFolder();
  green = await record();
  red = await record((evidence) => {
    evidence.usage.bad = [{ line: 7, problem: 'not <valid> JSON & "torn" \u001b[31m | here' }];
  });
});
afterAll(() => parent[Symbol.asyncDispose]());

const shown = (of: RunRecord) => verdictText(of, { paint: (_style, text) => text, where: 'results/runs/x' });

describe('the verdict text', () => {
  it('fits 80 columns, green and red', () => {
    for (const line of [...shown(green).split('\n'), ...shown(red).split('\n')]) {
      expect(line.length, line).toBeLessThanOrEqual(WIDTH);
    }
  });

  it('ends with one line that says how it came out, and where the rest is', () => {
    expect(shown(green)).toMatch(
      /\nPASS {2}test: \d+ of \d+ checks passed, \d+ skipped, \d+ probes, 1\.0 s\n[^]*\n {2}results\/runs\/x\n$/,
    );
    expect(shown(red)).toMatch(/\nFAIL {2}test: \d+ of \d+ checks passed, 1 failed, \d+ skipped, /);
  });

  it('tells of a failure what was seen, where to look, and how to repeat it', () => {
    expect(shown(red)).toContain('FAIL LOG-01: Each line of the usage log is whole and valid');
    expect(shown(red)).toContain('usage.jsonl:7');
    expect(shown(red)).toContain('repeat: ccp-uat run test --only LOG-01 --seed 5eed');
  });

  it('says which probes were left out and why, also under a pass', () => {
    const skippedProbes = ['one', 'two'].map((id) => ({ id, reason: 'Claude Code was not found' }));
    const text = shown({ ...green, plan: { ...green.plan, skippedProbes } });
    expect(text).toContain('  not sent: one, two (Claude Code was not found)\n');
    expect(text).toContain('\nPASS');
  });

  it('says how to go on with a night that was interrupted', () => {
    const driver: NightPlan = {
      kind: 'overnight',
      maxMs: 1,
      pauseMs: 1,
      roundMs: 1,
      perRound: 1,
      width: 1,
      until: 'red',
      chaos: false,
      clients: 'raw',
      toggles: true,
      roundChecks: [],
    };
    const text = shown({ ...green, ending: 'interrupted', plan: { ...green.plan, driver } });
    expect(text).toMatch(/\n {2}results\/runs\/x\n {2}go on: ccp-uat overnight --resume results\/runs\/x\n$/);
  });

  it('says of a run that is unsure and may be that nothing is claimed, and why the exit code is 0', () => {
    const text = shown({ ...green, outcome: 'inconclusive', claims: [], exitCode: 0 });
    expect(text).toMatch(/\nINCONCLUSIVE {2}test: .*\n {2}Nothing is claimed\. .*--allow-inconclusive\.\n/);
    expect(shown({ ...green, outcome: 'inconclusive', claims: [], exitCode: 1 })).not.toContain('claimed');
  });

  it('lets no control character of the evidence through', () => {
    expect(shown(red)).not.toMatch(/[^\P{Cc}\n]/u);
  });

  it('has colours only where the painter gives them', () => {
    const painted = verdictText(red, { paint: (style, text) => `<${style}>${text}</>`, where: '' });
    expect(painted).toContain('<red>FAIL</>');
    expect(painted).toContain('<green>pass</>');
  });
});

const attribute = (text: string, name: string): number[] =>
  [...text.matchAll(new RegExp(` ${name}="([\\d.]+)"`, 'g'))].map(([, figure]) => Number(figure));

describe('junit.xml', () => {
  it('has a case for each check and each probe, and failures that are escaped', () => {
    const xml = junitXml(red);
    expect(xml.match(/<testcase /g)).toHaveLength(red.checks.length + red.probes.length);
    expect(xml).toContain(
      `<testsuite name="test.checks" tests="${red.checks.length}" failures="1" errors="0"`,
    );
    expect(xml).toContain('not &lt;valid&gt; JSON &amp; &quot;torn&quot; \ufffd[31m');
    expect(xml).not.toContain('\u001b');
    expect(xml).toContain('repeat: ccp-uat run test --only LOG-01 --seed 5eed</failure>');
    expect(xml).toMatch(
      /<properties>\s*<property name="run" value="test-run"\/>\s*<property name="seed" value="5eed"\/>/,
    );
  });

  it('has the time of each probe, and figures that add up', () => {
    const xml = junitXml(red);
    for (const { id, ms } of red.probes)
      expect(xml).toContain(`name="${id}" assertions="1" time="${(ms / 1000).toFixed(3)}"`);
    for (const name of ['tests', 'failures', 'errors', 'skipped']) {
      const [all, ...suites] = attribute(xml, name);
      expect(suites.reduce((sum, one) => sum + one, 0)).toBe(all);
    }
    expect(xml).toMatch(/ timestamp="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d">/);
  });

  it('calls a probe that did not end as planned a failure, one that was not sent skipped', () => {
    const [first, ...others] = green.probes;
    if (first === undefined) throw new Error('the green run has no probe');
    const skippedProbes = [{ id: 'claude-haiku', reason: 'Claude Code was not found' }];
    const xml = junitXml({
      ...green,
      plan: { ...green.plan, skippedProbes },
      probes: [{ ...first, ok: false, timedOut: true, text: 'no answer <yet>' }, ...others],
    });
    expect(xml).toContain('<failure type="probe" message="timed out, where an answer was to come">');
    expect(xml).toContain('client saw: no answer &lt;yet&gt;');
    expect(xml).toContain(
      'name="claude-haiku" assertions="0" time="0.000"><skipped message="Claude Code was not found"/>',
    );
  });
});

/** The parts of the published schema that are used (ctrf-io/ctrf, version 1), which allows nothing beside what it names. */
const ctrfSchema = z.strictObject({
  reportFormat: z.literal('CTRF'),
  specVersion: z.string().regex(/^[0-9]+\.[0-9]+\.[0-9]+$/),
  timestamp: z.iso.datetime(),
  generatedBy: z.string(),
  results: z.strictObject({
    tool: z.strictObject({ name: z.string().min(1), version: z.string() }),
    summary: z.strictObject({
      tests: z.int(),
      passed: z.int(),
      failed: z.int(),
      skipped: z.int(),
      pending: z.int(),
      other: z.int(),
      flaky: z.int(),
      suites: z.int(),
      start: z.int(),
      stop: z.int(),
      duration: z.int(),
    }),
    tests: z.array(
      z.strictObject({
        name: z.string().min(1),
        status: z.enum(['passed', 'failed', 'skipped', 'pending', 'other']),
        duration: z.int(),
        start: z.int().optional(),
        stop: z.int().optional(),
        suite: z.array(z.string()).min(1),
        rawStatus: z.string(),
        flaky: z.boolean().optional(),
        message: z.string().optional(),
        trace: z.string().optional(),
      }),
    ),
    environment: z.strictObject({
      reportName: z.string(),
      appName: z.string(),
      appVersion: z.string(),
      osPlatform: z.string(),
      testEnvironment: z.string(),
      healthy: z.boolean(),
      extra: z.looseObject({}),
    }),
  }),
});

describe('ctrf-report.json', () => {
  it('has the published form, with figures that add up', () => {
    for (const one of [green, red]) {
      const { results } = ctrfSchema.parse(JSON.parse(ctrfJson(one)));
      const { tests, passed, failed, skipped, pending, other } = results.summary;
      expect(tests).toBe(results.tests.length);
      expect(passed + failed + skipped + pending + other).toBe(tests);
      expect(results.environment.healthy).toBe(one === green);
    }
  });

  it('tells of a failure what was seen and how to repeat it, and calls what saw too little no pass', () => {
    const checks = red.checks.map((verdict) =>
      verdict.outcome === 'pass' ? { ...verdict, outcome: 'inconclusive' as const } : verdict,
    );
    const { results } = ctrfSchema.parse(JSON.parse(ctrfJson({ ...red, checks })));
    const failed = results.tests.find(({ status }) => status === 'failed');
    expect(failed?.trace).toContain('repeat: ccp-uat run test --only LOG-01 --seed 5eed');
    expect(results.tests.filter(({ suite, status }) => suite[1] === 'checks' && status === 'passed')).toEqual(
      [],
    );
  });
});

describe('what GitHub Actions is told', () => {
  const where = 'results/runs/x';

  it('is an error for each check that failed, in one line that the runner reads back as it was', () => {
    const [only = '', ...others] = annotations(red, where);
    expect(others).toEqual([]);
    expect(only).toMatch(/^::error title=test%3A LOG-01 [^:,\n]*::/);
    expect(only).not.toContain('\n');
    expect(decodeURIComponent(only.slice(only.indexOf('::', 2) + 2))).toContain(
      '\nrepeat: ccp-uat run test --only LOG-01 --seed 5eed\nreport: results/runs/x/report.html',
    );
    expect(annotations(green, where)).toEqual([]);
  });

  it('is at most ten of a kind, the last of which says how many there are', () => {
    const checks = Array.from({ length: 30 }, (_, index) => ({
      id: `ODD-${index}`,
      title: 'x',
      outcome: index < 25 ? ('fail' as const) : ('invalid' as const),
      observed: 1,
      violations: [],
    }));
    const lines = annotations({ ...red, checks }, where);
    expect(lines.filter((line) => line.startsWith('::error '))).toHaveLength(10);
    expect(lines[9]).toContain('16 more checks failed');
    expect(lines.filter((line) => line.startsWith('::warning '))).toHaveLength(5);
  });

  it('has no text of the wire that could command the runner or break the line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const violations = [{ what: text, expected: text, pointers: [] }];
        const checks = [{ id: 'ODD-01', title: text, outcome: 'fail' as const, observed: 1, violations }];
        const lines = annotations({ ...red, suite: text, checks }, where);
        expect(lines).toHaveLength(1);
        expect(lines[0]).not.toMatch(/[\r\n]/);
        expect(lines[0]).toMatch(/^::error title=[^:,]*::/);
      }),
    );
  });

  it('is a summary that says first how it came out, with nothing in it that Markdown acts on', () => {
    expect(jobSummary(green, where)).toMatch(/^### ✅ test: pass\n[^]*- It works\.\n/);
    const hostile = '<img src=x> | `code` **bold** [link](https://example.org) @team\n# heading';
    const checks = [
      {
        id: 'ODD-01',
        title: hostile,
        outcome: 'fail' as const,
        observed: 1,
        violations: [{ what: hostile, pointers: [] }],
      },
    ];
    const text = jobSummary({ ...red, suite: hostile, checks }, where);
    expect(text).not.toMatch(/<img|\*\*|`|\[link|https:\/\/|@team|\n# heading/);
    expect(text.split('\n').filter((line) => line.startsWith('| ODD-01 |'))).toEqual([
      expect.stringMatching(/^(?:\|[^|]*){4}\|$/),
    ]);
  });

  it('is short where the run is long, as a page that is too big is dropped whole', () => {
    const violations = Array.from({ length: 5 }, () => ({ what: 'x'.repeat(400), pointers: [] }));
    const checks = Array.from({ length: 200 }, (_, index) => ({
      id: `ODD-${index}`,
      title: 'x',
      outcome: 'fail' as const,
      observed: 1,
      violations,
    }));
    const text = jobSummary({ ...red, checks }, where);
    expect(text.length).toBeLessThan(1_000);
    expect(text).toContain('results/runs/x/report.html');
  });
});

describe('a check that changed its mind', () => {
  const check = 'ROUTE-01';
  const flake = { check, outcome: 'pass', before: 'fail', folder: '../<before>', seed: '0dd' } as const;
  const flaky = (): RunRecord => ({ ...green, outcome: 'fail', flaky: [flake] });
  const sentence = 'ROUTE-01: pass now and FAIL in a run before, of the same plan and the same programs';

  it('fails in junit.xml, and has a property that says why', () => {
    const xml = junitXml(flaky());
    expect(xml).toMatch(
      new RegExp(
        `name="ROUTE-01 [^>]*><properties><property name="flaky" value="true"/></properties><failure type="flaky" message="${sentence}">`,
      ),
    );
    expect(attribute(xml, 'failures')).toEqual([1, 1, 0]);
    expect(junitXml(green)).not.toContain('flaky');
  });

  it('is flaky and failed in ctrf-report.json, with what it says now beside it', () => {
    const { results } = ctrfSchema.parse(JSON.parse(ctrfJson(flaky())));
    expect(results.tests.filter((test) => test.flaky)).toEqual([
      expect.objectContaining({ status: 'failed', rawStatus: 'pass', message: sentence }),
    ]);
    expect(results.summary).toMatchObject({ flaky: 1, failed: 1 });
  });

  it('is a warning to GitHub, and a line of the summary', () => {
    const lines = annotations(flaky(), 'x');
    expect(lines).toEqual([expect.stringMatching(/^::warning title=test%3A ROUTE-01 is flaky::/)]);
    expect(lines[0]).toContain('--repeat-each 10');
    expect(jobSummary(flaky(), 'x')).toContain(`\n⚠️ Flaky: ${sentence}. The run is red for it.\n`);
  });

  it('stands in report.html under what is wrong, with the run before', async () => {
    const { folder } = await storeGreenRun(parent.path);
    const page = reportHtml({ record: flaky(), stored: await readStoredRun(folder.path) });
    expect(page).toMatch(/What is wrong.*~ flaky<\/span> <span class="id">ROUTE-01<\/span>/s);
    expect(page).toContain('<code>../&lt;before&gt;</code>');
  });
});

describe('SUMMARY.md', () => {
  it('says first how it came out, and keeps its tables whole', () => {
    const text = summaryMarkdown(red);
    expect(text).toMatch(/^# test: fail\n/);
    const rows = text.split('\n').filter((line) => line.startsWith('| LOG-01'));
    expect(rows).toEqual([expect.stringMatching(/^\| LOG-01 \| FAIL \| .* \| \d+ \|$/)]);
    expect(summaryMarkdown(green)).toContain('- It works.');
  });

  it('lists the probes, and has no table of them for a night, which counts them', () => {
    expect(summaryMarkdown(green)).toContain('\n\n| probe | client |');
    expect(summaryMarkdown({ ...green, probes: [] })).not.toContain('| probe |');
  });
});
