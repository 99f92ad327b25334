import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createUat } from '../../ccp-uat.ts';
import { createTestHost } from '../shared/testing/test-host.ts';
import { main } from './main.ts';

let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'ccp-uat-crowds-'));
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

it('says what crowds it would send, alike ones once', async () => {
  using host = createTestHost();
  expect(await main(['run', 'crowd-waves', '--dry-run'], host)).toBe(0);
  const { out } = host.said();
  expect(out).toMatch(/^1–11 {2}whole-anthropic × 83 {2,}raw {2,}anthropic {2,}paced$/m);
  expect(out.match(/× 83/g)).toHaveLength(6);
});

it('is no part of "run" without names', async () => {
  using host = createTestHost();
  await main(['run', '--dry-run'], host);
  expect(host.said().out).toContain('\ncrowd: ');
  expect(host.said().out).not.toContain('crowd-waves');
});

it('adds up exactly over several crowds through one proxy', async () => {
  const uat = createUat({ cwd, resultsDir: path.join(cwd, 'results'), logsDir: path.join(cwd, 'logs') });
  const planned = await uat.plan('crowd-waves', {
    upstream: 'mock',
    client: 'curl',
    target: { kind: 'builtin' },
    license: undefined,
    login: false,
    lanes: ['anthropic', 'zai'],
    only: [],
    timeoutMs: null,
    failFast: false,
    allowInconclusive: false,
  });
  expect(planned.waves.map((wave) => wave.length)).toEqual(Array.from({ length: 11 }, () => 498));
  // Two crowds of twelve.
  const few = planned.waves.slice(0, 2).map((wave) => wave.filter((_, at) => at % 83 < 2));
  const { record } = await uat.run({
    plan: { ...planned, waves: few },
    signal: new AbortController().signal,
    onEvent: () => undefined,
  });
  expect(record.checks.filter(({ outcome }) => outcome !== 'pass')).toEqual([]);
  const seen = new Map(record.checks.map(({ id, observed }) => [id, observed]));
  for (const id of ['RUN-01', 'RECONCILE-01', 'RECONCILE-02', 'METRICS-01', 'STORE-01'])
    expect([id, seen.get(id)]).toEqual([id, 24]);
}, 60_000);
