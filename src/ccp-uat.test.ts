import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GATES } from '../suites/gates.ts';
import { SUITES } from '../suites/index.ts';
import { CHECKS } from './analysis/checks/index.ts';
import { SHORT_LIMIT } from './analysis/checks/timeout.ts';
import { createUat } from './ccp-uat.ts';
import { createCa } from './harness/certs.ts';
import { SABOTEURS } from './harness/saboteurs/saboteurs.ts';
import type { Saboteur } from './harness/types/saboteur.ts';
import { loadScenarios } from './harness/upstream/scenarios.ts';
import { startUpstream } from './harness/upstream/upstream.ts';
import { LANES } from './runs/plan.ts';
import { brief, sabotaged, touches } from './runs/selftest/sabotage.ts';
import type { Suite } from './runs/suite.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'ccp-uat-root-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const uatIn = (cwd: string) =>
  createUat({ cwd, resultsDir: path.join(cwd, 'results'), logsDir: path.join(cwd, 'logs') });

const OPTIONS = {
  client: 'curl',
  target: { kind: 'builtin' },
  license: 'trial',
  login: false,
  lanes: LANES,
  timeoutMs: 10_000,
  only: [],
  failFast: false,
  allowInconclusive: false,
} as const;

const KEYS = { anthropicKey: 'the-caller-s-anthropic-key', zaiKey: 'the-caller-s-zai-key' };

async function everyFile(root: string): Promise<string> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return (
    await Promise.all(files.map((entry) => readFile(path.join(entry.parentPath, entry.name), 'utf8')))
  ).join('\n');
}

describe('a run against real upstreams (stand-ins on the loopback)', { timeout: 60_000 }, () => {
  it("sends the suite's plain probes with the caller's keys, each once, and stores no key", async () => {
    const ca = createCa();
    const scenarios = await loadScenarios();
    await using anth = await startUpstream({ provider: 'anth', ca, scenarios, seed: 'x', h2: true });
    await using zai = await startUpstream({ provider: 'zai', ca, scenarios, seed: 'x', h2: true });
    const caFile = path.join(folder, 'ca.pem');
    await writeFile(caFile, ca.certPem);

    const uat = uatIn(folder);
    const plan = await uat.plan('repro-go-quick', { ...OPTIONS, upstream: 'real' });
    const { record, folder: run } = await uat.run({
      plan: {
        ...plan,
        settings: { CCP_ANTHROPIC_BASE_URL: anth.url, CCP_ZAI_BASE_URL: zai.url, CCP_UPSTREAM_CA: caFile },
      },
      credentials: KEYS,
      onEvent: () => {},
      signal: new AbortController().signal,
    });

    const asked = [...anth.transcripts(), ...zai.transcripts()].filter(({ request }) =>
      request.headers.some(([name]) => name === 'x-api-key'),
    );
    expect(asked).toHaveLength(plan.waves.flat().length);
    expect(
      asked.map(({ request }) => Buffer.from(request.body.base64 ?? '', 'base64').toString()),
    ).not.toContainEqual(expect.stringContaining('scenario='));
    const keys = new Set(
      asked
        .flatMap(({ request }) => request.headers.filter(([name]) => name === 'x-api-key'))
        .map(([, key]) => key),
    );
    expect(keys).toEqual(new Set([KEYS.anthropicKey, KEYS.zaiKey]));

    expect(record.checks.filter(({ outcome }) => outcome !== 'pass' && outcome !== 'skipped')).toEqual([]);
    expect(record.checks.find(({ id }) => id === 'BYTES-01')).toMatchObject({ outcome: 'skipped' });
    const stored = await everyFile(run);
    expect(stored).toContain('{{anthropic-key}}');
    for (const key of Object.values(KEYS)) expect(stored).not.toContain(key);
  });
});

describe('the suites', () => {
  it('name checks and scenarios that there are, and no probe twice', async () => {
    const scenarios = await loadScenarios();
    const checks = new Set(CHECKS.map(({ id }) => id));
    for (const { name, checks: ids, probes } of await uatIn(folder).suites()) {
      expect(
        ids.filter((id) => !checks.has(id)),
        name,
      ).toEqual([]);
      expect(new Set(ids).size, name).toBe(ids.length);
      expect(new Set(probes.map(({ id }) => id)).size, name).toBe(probes.length);
      const played = probes.flatMap(({ scenario }) =>
        typeof scenario === 'object' ? scenario.name : (scenario ?? []),
      );
      expect(
        played.filter((one) => !scenarios.has(one)),
        name,
      ).toEqual([]);
    }
  });

  it('give the proxy the limits that TIMEOUT-01 goes by, and the harness more patience', () => {
    const { settings, timeoutMs } = suite(SHORT_LIMIT.suite);
    const limit = `${SHORT_LIMIT.ms / 1000}s`;
    expect(settings).toMatchObject({ CCP_HEADER_TIMEOUT: limit, CCP_SSE_IDLE_TIMEOUT: limit });
    expect(timeoutMs).toBeGreaterThan(2 * SHORT_LIMIT.ms);
  });

  it('have no gate that no saboteur must be caught by', () => {
    const catching = new Set(SABOTEURS.flatMap(({ caughtBy }) => caughtBy));
    expect(GATES.filter((id) => !catching.has(id))).toEqual([]);
  });

  it('judge by every check there is, between them', async () => {
    const judged = new Set((await uatIn(folder).suites()).flatMap(({ checks }) => checks));
    expect(CHECKS.map(({ id }) => id).filter((id) => !judged.has(id))).toEqual([]);
  });
});

const suite = (name: string): Suite => {
  const found = SUITES.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no suite ${name}`);
  return brief(found);
};
const saboteur = (name: string): Saboteur => {
  const found = SABOTEURS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no saboteur ${name}`);
  return found;
};
const touching = (name: string): string[] =>
  SUITES.filter((one) => touches(saboteur(name), brief(one))).map((one) => one.name);

describe('a saboteur touches', () => {
  it.each(SABOTEURS)('$name: some suite, so that none is left out where all is asked for', (one) => {
    expect(SUITES.some((where) => touches(one, brief(where)))).toBe(true);
  });

  it('suites that send to the lane that it sits on', () => {
    expect(touching('beta-dropped')).toContain('verify-sse');
    expect(touching('beta-dropped')).not.toContain('haiku-zai');
    expect(touching('haiku-stays')).toContain('haiku-zai');
    expect(touching('haiku-stays')).not.toContain('sonnet-anth');
  });

  it('no suite to which the probe that it needs cannot be added', () => {
    expect(touching('status-changed')).toEqual(expect.arrayContaining(['crowd', 'haiku-zai']));
    for (const name of ['quota', 'smoke-license', 'timeouts', 'soak-persist', 'probe-limits'])
      expect(touching('status-changed')).not.toContain(name);
  });

  it('no suite that is but another so many times', () => {
    expect(touching('usage-doubled')).toContain('crowd');
    expect(touching('usage-doubled')).not.toContain('crowd-waves');
  });

  it('only the suite that it names', () => {
    expect(touching('cooldown-forgotten')).toEqual(['quota']);
  });

  it('no suite of Claude Code alone where it is raw probes that it loses', () => {
    expect(touching('probe-lost')).not.toContain('haiku-zai');
  });
});

describe('what a saboteur is tried in', () => {
  it('is short: no crowd, no stream of ten seconds, one stage that opens both lanes', () => {
    expect(suite('crowd').probes.every(({ times = 1 }) => times <= 4)).toBe(true);
    expect(JSON.stringify(suite('verify-sse'))).not.toContain('long-paced');
    expect(sabotaged(saboteur('haiku-stays'), suite('smoke-license')).stages).toEqual([
      { name: 'trial', license: 'trial' },
    ]);
  });

  it('has the probe that shows the fault, falling back where that is the point', () => {
    expect(
      sabotaged(saboteur('zai-key-in-fallback-to-anthropic'), suite('verify-sse')).probes.at(-1),
    ).toMatchObject({
      id: 'for-zai-key-in-fallback-to-anthropic',
      lane: 'anthropic',
      scenario: { provider: 'zai', name: 'zai-1308-2026' },
    });
  });
});
