import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHECKS } from '../../analysis/checks/index.ts';
import type { Evidence } from '../../analysis/evidence.ts';
import type { Mutable } from '../../analysis/testing/green-run.ts';
import { recordOf } from '../judge.ts';
import type { RunRecord } from '../run-record.ts';
import { readStoredRun } from '../stored-run.ts';
import { storeGreenRun, temporaryFolder } from '../testing/stored-green-run.ts';
import { junitXml } from './junit.ts';
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

  it('lets no control character of the evidence through', () => {
    expect(shown(red)).not.toMatch(/[^\P{Cc}\n]/u);
  });

  it('has colours only where the painter gives them', () => {
    const painted = verdictText(red, { paint: (style, text) => `<${style}>${text}</>`, where: '' });
    expect(painted).toContain('<red>FAIL</>');
    expect(painted).toContain('<green>pass</>');
  });
});

describe('junit.xml', () => {
  it('has a case for each check, and failures that are escaped', () => {
    const xml = junitXml(red);
    expect(xml.match(/<testcase /g)).toHaveLength(red.checks.length);
    expect(xml).toContain(`tests="${red.checks.length}" failures="1" errors="0"`);
    expect(xml).toContain('not &lt;valid&gt; JSON &amp; &quot;torn&quot; \ufffd[31m');
    expect(xml).not.toContain('\u001b');
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
});
