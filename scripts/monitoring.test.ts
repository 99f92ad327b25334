/** The dashboard and the alert rules in docs/ speak of what the proxy really exports. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { REASONS } from '../src/features/license/reasons.ts';
import { createMetrics } from '../src/features/metrics/metrics.ts';
import { completion } from '../src/features/usage/testing/events.ts';
import { TRIALS, trialsFile } from './alert-trials.ts';
import { askedIn, type Matcher } from './promql.ts';

const DOCS = fileURLToPath(new URL('../docs', import.meta.url));
const ALERTS = join(DOCS, 'alerts.yml');

const dashboard = z.object({
  panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })).min(1) })),
});
const rules = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })),
});

/** Name of the panel, and what it asks. */
const SHOWN = dashboard
  .parse(JSON.parse(readFileSync(join(DOCS, 'grafana-dashboard.json'), 'utf8')))
  .panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const));

/** Name of the panel or alert, and what it asks. */
const QUESTIONS: readonly (readonly [string, string])[] = [
  ...SHOWN,
  ...rules
    .parse(parse(readFileSync(ALERTS, 'utf8')))
    .groups.flatMap((group) => group.rules.map(({ alert, expr }) => [alert, expr] as const)),
];

/** Labels, and the values that they are seen with. */
type Labels = Map<string, Set<string>>;

/** What Prometheus itself adds to everything. */
const added = (): Labels =>
  new Map([
    ['job', new Set(['ccp'])],
    ['instance', new Set()],
  ]);

let body: string;
/** Series of a proxy in which everything happened once, and the labels of each. */
const exported = new Map<string, Labels>([['up', added()]]);

beforeAll(async () => {
  let reason = '';
  const metrics = createMetrics({
    license: () => ({ plan: 'trial', kid: 'k1', reason }),
    policy: () => ({ source: 'fetched', version: 1, reason: null }),
    store: () => ({ writes: 1, writeErrors: 0, dropped: 0, begunAnew: 0, pending: 0, bytes: 4096 }),
    quotas: () => [
      { lane: 'zai', model: '*haiku*', rolling_pct: 70, weekly_pct: 7, warns: true, blocks: false },
    ],
    quotaFileRefused: () => false,
  });
  for (const status of [200, 429, 502]) metrics.onCompletion?.(completion({ status }));
  metrics.lanesReady(new Map([['zai', true]]));
  metrics.rolledUp(0.1);
  for (reason of [...Object.keys(REASONS), '']) {
    ({ body } = await metrics.render());
    note(body);
  }
});

function note(text: string): void {
  for (const [, name = '', labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? /gm)) {
    const known = exported.get(name) ?? added();
    for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
      known.set(label, (known.get(label) ?? new Set<string>()).add(value));
    }
    exported.set(name, known);
  }
}

/** What an expression asks for that no proxy exports: a series, a label of that very series, or a value of it. */
function unknownIn(expr: string): string[] {
  return askedIn(expr).flatMap(({ series, matchers, by }) => {
    const labels = exported.get(series);
    if (labels === undefined) return [series];
    const names = [...by, ...matchers.map(({ label }) => label)].filter((label) => !labels.has(label));
    const values = matchers.filter((matcher) => !names.includes(matcher.label) && !isSeen(matcher, labels));
    return [...names, ...values.map(({ label, op, value }) => label + op + value)].map(
      (what) => `${series} ${what}`,
    );
  });
}

/** Whether a value is one that there is: also what is left out is left out in vain where it never comes. */
function isSeen({ label, op, value }: Matcher, labels: Labels): boolean {
  const fits = (seen: string): boolean =>
    op.endsWith('~') ? new RegExp(`^(?:${value})$`).test(seen) : seen === value;
  return value === '' || [...(labels.get(label) ?? [])].some(fits);
}

it.each(QUESTIONS)('%s asks only for what is exported: %s', (_, expr) => {
  expect(askedIn(expr)).not.toEqual([]);
  expect(unknownIn(expr)).toEqual([]);
});

it.each([
  ['ccp_store_pendign', ['ccp_store_pendign']],
  ['sum by (model) (rate(ccp_tokens_total{kind="ouput"}[5m]))', ['ccp_tokens_total kind=ouput']],
  ['ccp_requests_total{status=~"6.."}', ['ccp_requests_total status=~6..']],
  ['ccp_license_info{reason!="non"}', ['ccp_license_info reason!=non']],
  // A label of the other series is none of this one.
  ['ccp_lane_ready{kind="input"} and on() ccp_tokens_total{kind="input"}', ['ccp_lane_ready kind']],
  [
    'sum by (kind) (ccp_tokens_total) / sum by (kind) (rate(ccp_requests_total[5m]))',
    ['ccp_requests_total kind'],
  ],
])('would see what is wrong with %s', (expr, wrong) => {
  expect(unknownIn(expr)).toEqual(wrong);
});

/** Metrics of ours whose name begins so, and that nobody of these asks for. */
function notAskedFor(questions: typeof QUESTIONS, begin: string): string[] {
  const asked = new Set(questions.flatMap(([, expr]) => askedIn(expr).map(({ series }) => family(series))));
  const ours = [...exported.keys()].filter((name) => name.startsWith(begin)).map(family);
  return ours.filter((name) => !asked.has(name));
}

it('shows every metric of ours on the dashboard or in an alert', () => {
  expect(notAskedFor(QUESTIONS, 'ccp_')).toEqual([]);
});

it('shows all that the store counts on the dashboard', () => {
  expect([...exported.keys()]).toContain('ccp_store_begun_anew_total');
  expect(notAskedFor(SHOWN, 'ccp_store_')).toEqual([]);
});

const family = (series: string): string => series.replace(/_(?:bucket|sum|count)$/, '');

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

// CI has it (Debian's package prometheus) and sets PROMTOOL_TESTS; elsewhere it may be missing.
describe.skipIf(!hasPromtool && process.env['PROMTOOL_TESTS'] !== 'required')('promtool', () => {
  it('takes the alert rules', () => {
    expect(execFileSync('promtool', ['check', 'rules', ALERTS], { encoding: 'utf8' })).toContain('SUCCESS');
  });

  it('sees each alert fire where it should, and not where it should not', () => {
    const named = rules.parse(parse(readFileSync(ALERTS, 'utf8'))).groups.flatMap((group) => group.rules);
    expect(Object.keys(TRIALS)).toEqual(named.map(({ alert }) => alert));
    const folder = mkdtempSync(join(tmpdir(), 'ccp-alerts-'));
    try {
      const file = join(folder, 'trials.json');
      writeFileSync(file, JSON.stringify(trialsFile(ALERTS)));
      const { stdout, stderr, status } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
      expect({ said: `${stdout}${stderr}`, status }).toMatchObject({ status: 0 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('finds nothing to object to in what is exported', () => {
    const { stdout, stderr, status } = spawnSync('promtool', ['check', 'metrics'], {
      input: body,
      encoding: 'utf8',
    });
    expect({ said: `${stdout}${stderr}`, status }).toEqual({ said: '', status: 0 });
  });
});
