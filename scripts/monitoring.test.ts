/** The dashboard and the alert rules in docs/ speak of what the proxy really exports. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { createMetrics } from '../src/features/metrics/metrics.ts';
import { completion } from '../src/features/usage/testing/events.ts';
import { TRIALS, trialsFile } from './alert-trials.ts';

const DOCS = fileURLToPath(new URL('../docs', import.meta.url));
const ALERTS = join(DOCS, 'alerts.yml');

const dashboard = z.object({
  panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })).min(1) })),
});
const rules = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })),
});

/** Name of the panel or alert, and what it asks. */
const QUESTIONS: readonly (readonly [string, string])[] = [
  ...dashboard
    .parse(JSON.parse(readFileSync(join(DOCS, 'grafana-dashboard.json'), 'utf8')))
    .panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
  ...rules
    .parse(parse(readFileSync(ALERTS, 'utf8')))
    .groups.flatMap((group) => group.rules.map(({ alert, expr }) => [alert, expr] as const)),
];

/** What Prometheus itself adds to everything. */
const ADDED = ['job', 'instance'];

let body: string;
/** Series of a proxy in which everything happened once, and the labels of each. */
const exported = new Map<string, Set<string>>();

beforeAll(async () => {
  const metrics = createMetrics({
    license: () => ({ plan: 'trial', kid: 'k1', reason: '' }),
    policy: () => ({ source: 'fetched', version: 1, reason: null }),
    store: () => ({ writes: 1, writeErrors: 0, dropped: 0, pending: 0, bytes: 4096 }),
    quotas: () => [{ lane: 'zai', model: '*haiku*', rolling_pct: 70, weekly_pct: 7 }],
  });
  metrics.onCompletion?.(completion());
  metrics.laneReady('zai', true);
  metrics.rolledUp(0.1);
  ({ body } = await metrics.render());
  for (const [, name = '', labels = ''] of body.matchAll(/^(\w+)(?:\{(.*)\})? /gm)) {
    const known = exported.get(name) ?? new Set(ADDED);
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label);
    exported.set(name, known);
  }
  exported.set('up', new Set(ADDED));
});

/** The series that an expression names; labels and functions are no series. */
const seriesIn = (expr: string): string[] =>
  [...expr.matchAll(/\b(?:(?:ccp|nodejs|process)_\w+|up\b)/g)].map(([name]) => name);

/** Labels that it selects by, and those that it sums by. */
const labelsIn = (expr: string): string[] => [
  ...[...expr.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, label = '']) => label),
  ...[...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/)),
];

it.each(QUESTIONS)('%s asks only for what is exported: %s', (_, expr) => {
  const series = seriesIn(expr);
  expect(series).not.toEqual([]);
  expect(series.filter((name) => !exported.has(name))).toEqual([]);
  const labels = new Set(series.flatMap((name) => [...(exported.get(name) ?? [])]));
  expect(labelsIn(expr).filter((label) => !labels.has(label))).toEqual([]);
});

it('shows every metric of ours on the dashboard or in an alert', () => {
  const asked = new Set(QUESTIONS.flatMap(([, expr]) => seriesIn(expr)).map(family));
  const ours = [...exported.keys()].filter((name) => name.startsWith('ccp_')).map(family);
  expect(ours.filter((name) => !asked.has(name))).toEqual([]);
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

  it('finds nothing to object to in what is exported, but for a name that is older than this proxy', () => {
    const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' });
    expect(`${stdout}${stderr}`.trim().split('\n')).toEqual([
      'ccp_wasted_retry_ms_total metric names should not contain abbreviated units',
    ]);
  });
});
