/** Quotas and cooldowns as a client of a real proxy meets them, over real sockets and a real store. */
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { licenseEnv } from '../../config/testing/license-env.ts';
import { createTestHost, type TestHost } from '../shared/testing/test-host.ts';
import { main } from './main.ts';
import {
  ask,
  completions,
  type HttpUpstream,
  type Served,
  serveInVain,
  startHttpUpstream,
  startServed,
  until,
  usageLines,
} from './testing/served.ts';

const HAIKU = 'claude-haiku-4-5';
const SONNET = 'claude-sonnet-5';

let host: TestHost;
let world: AsyncDisposableStack;
let anth: HttpUpstream;
let zai: HttpUpstream;
let answerOfZai: (response: ServerResponse) => void;

beforeEach(async () => {
  host = createTestHost();
  world = new AsyncDisposableStack();
  world.defer(() => host[Symbol.dispose]());
  answerOfZai = message;
  anth = world.use(await startHttpUpstream());
  zai = world.use(await startHttpUpstream((response) => answerOfZai(response)));
});
afterEach(() => world.disposeAsync());

const message = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end('{"type":"message","usage":{"input_tokens":100,"output_tokens":10}}');
};

/** Z.AI's refusal as it has been since 2026; the stamp is Beijing time and does not say so. */
const refusal =
  (resetsAt: number) =>
  (response: ServerResponse): void => {
    const stamp = new Date(resetsAt + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
    const text = `[1308][Usage limit reached for 5 hour. Your limit will reset at ${stamp}][x]`;
    response.writeHead(429, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ type: 'error', error: { type: 'rate_limit_error', code: '1308', message: text } }),
    );
  };

async function served(quotas: object, env: Readonly<Record<string, string>> = {}): Promise<Served> {
  const file = host.write('own-quotas.json', JSON.stringify(quotas));
  const { cwd, home } = host;
  const all = {
    CCP_ANTHROPIC_BASE_URL: anth.url,
    CCP_ZAI_BASE_URL: zai.url,
    ZAI_API_KEY: 'made-up',
    ...licenseEnv(),
    ...env,
  };
  return world.use(await startServed({ cwd, home, env: all, args: ['--quotas', file] }));
}

const onZai = (fields: object): object => ({ quotas: [{ model: '*haiku*', lane: 'zai', ...fields }] });

const decisions = (): unknown[] =>
  usageLines(host.cwd)
    .filter(({ event }) => event === 'decision')
    .map(({ decision, lane }) => `${String(decision)} ${String(lane)}`);

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

async function stop(proxy: Served): Promise<void> {
  proxy.signal('SIGTERM');
  expect(await proxy.exited).toBe(0);
}

describe('doctor beside a proxy', () => {
  const notes = async (): Promise<unknown[]> => {
    expect(await main(['doctor', '--json'], host)).toBe(0);
    const { findings } = JSON.parse(host.said().out);
    return findings.filter(({ what }: { what: string }) =>
      /proxy (is in another mode|has other quotas)/.test(what),
    );
  };

  it('notes another mode and other quotas than this shell has, and nothing where they are the same', async () => {
    const proxy = await served(onZai({ rolling: { requests: 10 } }), { CCP_REROUTE_MODE: 'off' });
    const file = join(host.cwd, 'own-quotas.json');
    const here = host.write('~/.config/ccp/quotas.json', readFileSync(file, 'utf8'));
    Object.assign(host.env, licenseEnv(), { CCP_PORT: new URL(proxy.url).port, CCP_ZAI_BASE_URL: zai.url });
    const level = 'note';
    const remedy = expect.stringContaining('Set CCP_REROUTE_MODE');
    const mode = 'the running proxy is in another mode than this shell: off there, block here';
    const other = `the running proxy has other quotas than this shell: ${file} there, ${here} here`;
    expect(await notes()).toEqual([
      { level, what: mode, remedy },
      { level, what: other, remedy },
    ]);
    Object.assign(host.env, { CCP_REROUTE_MODE: 'off', CCP_QUOTAS_FILE: 'own-quotas.json' });
    expect(await notes()).toEqual([]);
    expect(await main(['quotas', 'reload', here], host)).toBe(0);
    host.said();
    const sent = `those of "ccp quotas reload FILE" there, ${file} here`;
    expect(await notes()).toMatchObject([{ level, what: expect.stringContaining(sent) }]);
  });
});

describe('a budget that is used up', () => {
  it('sends what is beyond it to the fallback, and no more than it holds to the lane', async () => {
    const { url } = await served(onZai({ rolling: { requests: 10 } }));
    const statuses = await Promise.all(Array.from({ length: 100 }, () => ask(url, HAIKU)));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect([zai.seen.length, anth.seen.length]).toEqual([10, 90]);
    await completions(host.cwd, 100);
    expect(decisions().filter((one) => one === 'to_zai zai')).toHaveLength(10);
    expect(decisions().filter((one) => one === 'quota_block anthropic')).toHaveLength(90);
  });

  it('is told to the client where there is no fallback, as a budget and with the time to wait', async () => {
    const { url } = await served({
      quotas: [{ model: '*', lane: 'anthropic', rolling: { span: '2h', requests: 1 } }],
    });
    expect(await ask(url, SONNET)).toBe(200);
    const answer = await fetch(`${url}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify({ model: SONNET, max_tokens: 1, messages: [] }),
    });
    expect(answer.status).toBe(429);
    expect(await answer.json()).toEqual({
      type: 'error',
      error: {
        type: 'billing_error',
        message: expect.stringMatching(
          /^ccp: the rolling quota of requests for "\*" on lane anthropic is used up; there is room again in about 2 h \((?:\S+ )?\d\d:\d\d UTC\)$/,
        ),
      },
    });
    expect(answer.headers.get('x-should-retry')).toBe('false');
    expect(answer.headers.get('retry-after')).toMatch(/^7(200|19\d)$/);
    expect(anth.seen).toHaveLength(1);
    const [, blocked] = await completions(host.cwd, 2);
    expect(blocked).toMatchObject({
      decision: 'quota_block',
      lane: 'anthropic',
      reason: 'blocked',
      err_type: 'limit',
      status: 429,
      attempts: [],
    });
  });

  it('shuts the fallback, too: then the error of the first lane is the answer', async () => {
    answerOfZai = (response) => response.writeHead(503).end('{}');
    const { url } = await served({ quotas: [{ model: '*', lane: 'anthropic', rolling: { requests: 1 } }] });
    expect([await ask(url, HAIKU), await ask(url, HAIKU)]).toEqual([200, 503]);
    expect(anth.seen).toHaveLength(1);
  });

  it('is still used up after a restart', async () => {
    const quotas = onZai({ rolling: { tokens: 200 } });
    const first = await served(quotas);
    expect([await ask(first.url, HAIKU), await ask(first.url, HAIKU)]).toEqual([200, 200]);
    await completions(host.cwd, 2);
    await stop(first);
    const second = await served(quotas);
    await until('the windows are rebuilt', () => second.stderr().includes('quota windows rebuilt: 2'));
    await ask(second.url, HAIKU);
    expect([zai.seen.length, anth.seen.length]).toEqual([2, 1]);
  });

  it('stops nothing in mode off', async () => {
    const { url } = await served(onZai({ rolling: { requests: 1 } }), { CCP_REROUTE_MODE: 'off' });
    await ask(url, HAIKU);
    await ask(url, HAIKU);
    expect(zai.seen).toHaveLength(2);
  });
});

describe('mode hybrid', () => {
  const hybrid = { CCP_REROUTE_MODE: 'hybrid' };

  it('runs past the warning into the real limit, and stays away, over a restart', async () => {
    const quotas = onZai({ rolling: { requests: 10 }, warn_pct: 20 });
    const first = await served(quotas, hybrid);
    for (let index = 0; index < 3; index += 1) expect(await ask(first.url, HAIKU)).toBe(200);
    const resetsAt = Math.ceil(Date.now() / 1000 + 3600) * 1000;
    answerOfZai = refusal(resetsAt);
    expect([await ask(first.url, HAIKU), await ask(first.url, HAIKU)]).toEqual([200, 200]);
    expect([zai.seen.length, anth.seen.length]).toEqual([4, 2]);
    const done = await completions(host.cwd, 5);
    expect(done.map(({ decision, lane }) => `${String(decision)} ${String(lane)}`)).toEqual([
      'to_zai zai',
      'to_zai zai',
      'quota_warn_attempt zai',
      'fallback_limit anthropic',
      'cooldown anthropic',
    ]);
    expect(decisions()[3]).toBe('quota_warn_attempt zai');
    await expect
      .poll(() => first.stderr())
      .toContain(
        `lane zai is left alone for "*haiku*" until ${new Date(resetsAt).toISOString()} (its upstream stated the reset)`,
      );
    expect(await metric(first.url, 'ccp_preferred_attempt_total')).toBe(2);
    expect(await metric(first.url, 'ccp_rerouted_on_limit_total')).toBe(1);
    expect(await metric(first.url, 'ccp_wasted_retry_seconds_total')).toBeGreaterThan(0);
    await stop(first);

    const second = await served(quotas, hybrid);
    // A start waits a second for its store; on a machine that is busy that may take longer.
    await expect
      .poll(async () => (await fetch(`${second.url}/v1/quotas`)).json())
      .toMatchObject({ cooldowns: [{ lane: 'zai' }] });
    expect(await ask(second.url, HAIKU)).toBe(200);
    expect(zai.seen).toHaveLength(4);

    const end = (authorization: string) =>
      fetch(`${second.url}/v1/quotas/end-cooldown`, { method: 'POST', headers: { authorization } });
    expect((await end('Bearer guessed')).status).toBe(401);
    expect(await ask(second.url, HAIKU)).toBe(200);
    expect(zai.seen).toHaveLength(4);
    const token = readFileSync(join(host.home, '.local/state/ccp/default/control.token'), 'utf8').trim();
    expect(await (await end(`Bearer ${token}`)).json()).toMatchObject({
      ended: [{ lane: 'zai', key: '*haiku*' }],
    });
    expect(await ask(second.url, HAIKU)).toBe(200);
    expect(zai.seen).toHaveLength(5);
  });

  it('passes the refusal on where nobody may take over, and does not stay away', async () => {
    answerOfZai = refusal(Date.now() + 3_600_000);
    const { url } = await served({ quotas: [] }, { ...hybrid, CCP_FALLBACK: 'none' });
    expect([await ask(url, HAIKU), await ask(url, HAIKU)]).toEqual([429, 429]);
    expect(zai.seen).toHaveLength(2);
    expect(await metric(url, 'ccp_rerouted_on_limit_total')).toBe(0);
  });
});

describe('a quota file', () => {
  it('that is wrong stops the start with its line and place', async () => {
    const file = host.write(
      'q.json',
      '{"quotas": [\n  {"model": "*", "lane": "zai", "rolling": {"requests": "many"}}\n]}',
    );
    const { code, stderr } = await serveInVain({ cwd: host.cwd, home: host.home, args: ['--quotas', file] });
    expect(code).toBe(2);
    expect(stderr).toContain(`${file}:2:45: quotas[0].rolling.requests: must be a whole number`);
  });

  it('in the working directory counts only when it is trusted', async () => {
    const local = host.write(
      'configs/quotas.json',
      '{"quotas": [{"model": "*", "lane": "zai", "rolling": {"requests": 1}}]}',
    );
    const env = {
      CCP_ANTHROPIC_BASE_URL: anth.url,
      CCP_ZAI_BASE_URL: zai.url,
      ZAI_API_KEY: 'x',
      ...licenseEnv(),
    };
    const proxy = world.use(await startServed({ cwd: host.cwd, home: host.home, env }));
    await expect
      .poll(() => proxy.stderr())
      .toContain(`${local} is not trusted: ignored; to accept it as it is now: ccp trust ${local}`);
    await ask(proxy.url, HAIKU);
    await ask(proxy.url, HAIKU);
    expect(zai.seen).toHaveLength(2);
  });
});
