import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHECKS } from '../../../analysis/checks/index.ts';
import type { Evidence } from '../../../analysis/evidence.ts';
import { greenNight } from '../../../analysis/testing/green-night.ts';
import { greenRun, type Mutable } from '../../../analysis/testing/green-run.ts';
import { recordOf } from '../../judge.ts';
import { readStoredRun } from '../../stored/stored-run.ts';
import { storeGreenRun, temporaryFolder } from '../../testing/stored-green-run.ts';
import { MOST_IN_FULL } from './choose-cases.ts';
import { type ReportedRun, reportHtml, selftestHtml } from './report-page.ts';
import type { Matrix } from './saboteur-matrix.ts';

let parent: Awaited<ReturnType<typeof temporaryFolder>>;
let green: ReportedRun;
let red: ReportedRun;

const storedRun = async (alter?: (evidence: Mutable<Evidence>) => unknown): Promise<ReportedRun> => {
  const { folder } = await storeGreenRun(parent.path, alter);
  const stored = await readStoredRun(folder.path);
  return { stored, record: recordOf(stored, CHECKS) };
};

beforeAll(async () => {
  parent = await temporaryFolder();
  green = await storedRun();
  red = await storedRun((evidence) => {
    const [first] = evidence.client;
    if (first?.response !== undefined) first.response.status = 201;
  });
});
afterAll(() => parent[Symbol.asyncDispose]());

const all = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, found = '']) => found);
const tagsOf = (text: string): string[] => text.match(/<[a-z/!][^\s>]*/g) ?? [];

describe('the page of a run', () => {
  it('begins with the verdict and what it shows', () => {
    expect(reportHtml(green)).toMatch(
      /<body>\s*<a class="skip"[^]*?<h1>Pass[^]*?What this run shows[^]*?It works\.[^]*?<h2 id="checks">/,
    );
  });

  it('begins, where a check failed, with what was expected, what each witness saw, where to look, and how to repeat it', () => {
    const [beforeChecks = ''] = reportHtml(red).split('<h2 id="checks">');
    expect(beforeChecks).toContain('<h1>Fail');
    expect(beforeChecks).toContain('the status arrived changed');
    expect(beforeChecks).toMatch(/<dt>expected<\/dt><dd>200<\/dd>[^]*<dt>client saw<\/dt><dd>201<\/dd>/);
    expect(beforeChecks).toMatch(/<a href="#x1">1&nbsp;/);
    expect(beforeChecks).toContain('ccp-uat run test --only STATUS-01 --seed 5eed');
  });

  it('says once of a trial of the self-test that what is unsure may be so because it was cut short', () => {
    const cutShort = (
      { stored, record }: ReportedRun,
      outcome: 'pass' | 'inconclusive',
      isTrial: boolean,
    ) => {
      const asked = isTrial ? { selftest: { saboteurs: ['one'], full: false } } : {};
      const checks = record.checks.map((one) => ({ ...one, outcome }));
      return reportHtml({ stored, record: { ...record, plan: { ...record.plan, asked }, checks } });
    };
    expect(all(cutShort(green, 'inconclusive', true), /(cut short)/g)).toHaveLength(1);
    expect(cutShort(green, 'inconclusive', false)).not.toContain('cut short');
    expect(cutShort(green, 'pass', true)).not.toContain('cut short');
  });

  it('tells of a night round by round, and of no night where there was none', () => {
    const { stored, record } = green;
    const night = { ...stored, evidence: { ...stored.evidence, night: greenNight() } };
    const text = reportHtml({ stored: night, record });
    expect(text).toContain('<li><a href="#night">The night</a></li>');
    expect(text).toContain('<h2 id="night">');
    expect(reportHtml(green)).not.toContain('id="night"');
  });

  it('leads nowhere but to places of its own, each of which is there once', () => {
    for (const text of [reportHtml(green), reportHtml(red)]) {
      const ids = all(text, /\sid="([^"]*)"/g);
      expect(new Set(ids).size).toBe(ids.length);
      const places = all(text, /\shref="([^"]*)"/g);
      expect(places.length).toBeGreaterThan(10);
      expect(places.filter((place) => !ids.includes(place.replace('#', '')))).toEqual([]);
    }
  });

  it('has no script, no picture, no style but its own', () => {
    const text = reportHtml(red);
    expect(text).not.toMatch(
      /<(?:script|img|link|iframe|object|form|a href="[^#])|\sstyle="|\son\w+="|javascript:/i,
    );
    expect(all(text, /(<style>)/g)).toHaveLength(1);
  });

  it('is the same for the same run', () => {
    expect(reportHtml(red)).toBe(reportHtml(red));
  });

  it('keeps its structure whatever the wire, the plan or a check says', () => {
    const odd = fc.oneof(
      fc.constantFrom(
        '</script><script>alert(1)</script>',
        '"><img src=x onerror=alert(1)>',
        "' onfocus='alert(1)",
        '--><svg onload=x>',
        '</style><p>',
        '&lt;b&gt;',
        ']]>',
      ),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter((text) => !text.includes('{')),
    );
    const tags = (text: string): string[] => tagsOf(reportHtml(altered(text)));
    const plain = tags('x');
    fc.assert(
      fc.property(odd, (text) => {
        expect(tags(text)).toEqual(plain);
      }),
      { numRuns: 60, examples: [['toString'], ['__proto__'], ['constructor']] },
    );
  });

  it('holds no credential, whatever place it turns up in', () => {
    const key = `sk-ant-api03-${'Zz9'.repeat(31)}AA`;
    const text = reportHtml(altered(key));
    // That, and those of the clients, which nobody has taken out here.
    expect(text).not.toMatch(/Zz9Zz9|k3yk3y|l0gl0g|Abcdefgh12345678/);
    expect(text).toContain('[anthropic-credential]');
  });

  it('tells what a self-test did beside it, survivors first', () => {
    const saboteur: Matrix['saboteurs'][number] = {
      name: 'one',
      breaks: 'it all',
      suite: 'repro-go-quick',
      expected: { 'LOG-01': 'fail' },
      killedBy: [],
      killed: false,
      outcomes: { 'LOG-01': 'pass', 'LOG-02': 'fail' },
    };
    const matrix: Matrix = {
      seed: '5eed',
      full: true,
      ok: false,
      known: ['one', 'untouched'],
      control: [],
      saboteurs: [saboteur],
    };
    const text = selftestHtml(matrix);
    expect(text).toMatch(
      /tried 1 of 2 saboteurs, 0 killed[^]*1 not tried<[^]*untouched[^]*LOG-01 was to fail, and came out as pass\.[^]*ccp-uat selftest one --seed 5eed --full/,
    );
    expect(text).toContain('LOG-01: pass, must be fail');
    expect(reportHtml({ ...green, matrix })).toContain('<h2 id="saboteurs">');
  });
});

/** The green run with `text` wherever somebody else has the say. */
function altered(text: string): ReportedRun {
  const { stored, record } = green;
  const evidence = greenRun();
  for (const transcript of [...evidence.client, ...evidence.upstream]) {
    transcript.request.headers.push(['x-odd', text], ['authorization', text]);
    transcript.request.target += text;
    transcript.response?.headers.push(['x-odd', text]);
    if (transcript.side === 'upstream') transcript.scenario = text;
  }
  for (const event of evidence.usage.events) event.model = text;
  for (const probe of evidence.probes) probe.reproduce = text;
  for (const life of evidence.lives) life.stage = text;
  const violation = {
    what: text,
    expected: text,
    saw: { [text]: text, client: text },
    pointers: ['client:c-haiku-stream', text],
  };
  const checks = record.checks.map((verdict) => ({
    ...verdict,
    outcome: 'fail' as const,
    violations: [violation],
    note: text,
  }));
  return {
    stored: {
      ...stored,
      evidence,
      endingNote: text,
      events: [...stored.events, { type: 'broken', at: stored.startedAt, note: text }],
    },
    record: {
      ...record,
      outcome: 'fail',
      ending: 'broken',
      endingNote: text,
      suite: text,
      title: text,
      checks,
      plan: {
        ...record.plan,
        proves: [text],
        seed: text,
        settings: { CCP_ODD: text },
        skippedProbes: [{ id: text, reason: text }],
      },
    },
  };
}

describe('the page of a run with 5,000 exchanges', () => {
  let big: ReportedRun;
  beforeAll(() => {
    const { stored, record } = green;
    const { evidence } = stored;
    const many = <T>(items: readonly T[], vary: (item: T, n: string) => T): T[] =>
      Array.from({ length: 720 }, (_, n) => items.map((item) => vary(item, `-${n}`))).flat();
    const renamed = <T extends { readonly id: string; readonly requestId?: string }>(
      one: T,
      n: string,
    ): T => ({
      ...one,
      id: one.id + n,
      ...(one.requestId !== undefined && { requestId: one.requestId + n }),
    });
    const client = many(evidence.client, renamed);
    const events = many(evidence.usage.events, (event, n) => ({
      ...event,
      rid: event.rid + n,
      ...('upstream_request_id' in event &&
        event.upstream_request_id !== undefined && { upstream_request_id: event.upstream_request_id + n }),
    }));
    const violations = client
      .slice(0, 600)
      .map(({ id }) => ({ what: `${id}: is odd`, pointers: [`client:${id}`] }));
    const verdict = {
      id: 'ODD-01',
      title: 'Nothing is odd',
      outcome: 'fail' as const,
      observed: 5_000,
      violations,
    };
    big = {
      stored: {
        ...stored,
        evidence: {
          ...evidence,
          client,
          upstream: many(evidence.upstream, renamed),
          usage: { ...evidence.usage, events },
        },
      },
      record: { ...record, outcome: 'fail', checks: [verdict] },
    };
  }, 60_000);

  it('stays a file that opens, has all that something is wrong with, and says what it leaves out', () => {
    const text = reportHtml(big);
    expect(text.length).toBeLessThan(6_000_000);
    const inFull = all(text, /(<div class="one)/g).length;
    expect(inFull).toBe(MOST_IN_FULL);
    expect(all(text, /<(?:div|tr) id="x(\d+)"/g).length).toBeGreaterThanOrEqual(600);
    expect(text).toMatch(/<strong>[\d,]+ with nothing found are not shown<\/strong>/);
    const ids = new Set(all(text, /\sid="([^"]*)"/g));
    expect(all(text, /\shref="#([^"]*)"/g).filter((place) => !ids.has(place))).toEqual([]);
  }, 120_000);
});
