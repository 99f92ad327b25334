/** The meter of a real proxy, over real sockets: what passed through it is in every view, to the token. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { openStoreToRead } from '../../config/store-files.ts';
import { quotasAnswer, usageAnswer } from '../../config/usage-answers.ts';
import { createTestHost, type TestHost } from '../shared/testing/test-host.ts';
import { main } from './main.ts';
import {
  ask,
  CCP,
  completions,
  type HttpUpstream,
  type Served,
  startHttpUpstream,
  startServed,
  until,
} from './testing/served.ts';

let host: TestHost;
let upstream: HttpUpstream;
let proxy: Served;

beforeEach(async () => {
  host = createTestHost({ NO_COLOR: '1' });
  upstream = await startHttpUpstream((response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      '{"type":"message","model":"claude-sonnet-5","usage":{"input_tokens":1000000,"output_tokens":2,"cache_read_input_tokens":30}}',
    );
  });
});
afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  host[Symbol.dispose]();
});

async function start(env: Record<string, string> = {}): Promise<void> {
  proxy = await startServed({
    cwd: host.cwd,
    home: host.home,
    env: { CCP_ANTHROPIC_BASE_URL: upstream.url, ...env },
  });
  host.env['CCP_PORT'] = new URL(proxy.url).port;
}

/** As long as a busy machine may need. */
const SOON = { timeout: 15_000, interval: 50 };

const metrics = async (): Promise<string> => (await fetch(`${proxy.url}/metrics`)).text();

const get = async (path: string): Promise<unknown> => (await fetch(`${proxy.url}${path}`)).json();

async function post(path: string, body: string): Promise<{ status: number; body: unknown }> {
  const token = readFileSync(join(host.home, '.local/state/ccp/default/control.token'), 'utf8');
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${proxy.url}${path}`, { method: 'POST', headers, body });
  return { status: answer.status, body: await answer.json() };
}

const printed = (...argv: string[]): Promise<string> => printedWith(0, ...argv);

async function printedWith(code: number, ...argv: string[]): Promise<string> {
  expect([argv, await main(argv, host)]).toEqual([argv, code]);
  return host.said().out;
}

it('tells in usage, samples, rollups and metrics of the same exchanges, as soon as they are over', async () => {
  await start();
  for (const model of ['claude-sonnet-5', 'claude-sonnet-5', 'nobody-knows']) await ask(proxy.url, model);
  await completions(host.cwd, 3);

  const usage = usageAnswer.parse(await get('/v1/usage'));
  expect(usage.total).toMatchObject({ requests: 3, errors: 0, tokens: { input: 3_000_000, cache_read: 90 } });
  // Two dollars a million, ten for output, 20 cents for what was cached.
  expect(usage.models['claude-sonnet-5']).toMatchObject({
    requests: 2,
    cost_usd: 4.000052,
    unpriced_tokens: 0,
  });
  // What answered is what is billed, by whatever name it was asked for: the answer names its model.
  expect(usage.models['nobody-knows']).toMatchObject({ cost_usd: 2.000026, unpriced_tokens: 0 });
  expect(usage.lanes['anthropic']).toMatchObject({ requests: 3, cost_usd: 6.000078 });

  const first = page.parse(await get('/v1/usage/samples?limit=2'));
  const rest = page.parse(await get(`/v1/usage/samples?limit=2&cursor=${first.next_cursor}`));
  expect([first.samples.length, rest.samples.length, rest.next_cursor]).toEqual([2, 1, null]);
  const logged = (await completions(host.cwd, 3)).map(({ rid }) => rid);
  expect(new Set([...first.samples, ...rest.samples].map(({ rid }) => rid))).toEqual(new Set(logged));

  expect(await get('/v1/usage/rollups?granularity=day&model=claude-sonnet-5')).toMatchObject({
    granularity: 'day',
    rollups: [{ lane: 'anthropic', count: 2, tokens: { output: 4 } }],
  });
  expect(await metrics()).toMatch(
    /^ccp_tokens_total\{lane="anthropic",model="claude-sonnet-5",kind="input"\} 2000000$/m,
  );

  expect(await printed('usage')).toMatch(/^claude-sonnet-5 +2 +– +2\.0M +4 +60\/0 +\$4\.00 +–$/m);
  expect(await printed('status')).toMatch(/^anthropic +3 /m);
  expect(await printed('statusline')).toMatch(/anthropic 3\.0M in 6 out\/24h/);
});

it('never calls free what an upstream answered and did not count', async () => {
  const silent = await startHttpUpstream((response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"type":"message","model":"claude-sonnet-5"}');
  });
  await using _ = silent;
  await start({ CCP_ANTHROPIC_BASE_URL: silent.url });
  await ask(proxy.url, 'claude-sonnet-5');
  const [logged] = await completions(host.cwd, 1);

  const usage = usageAnswer.parse(await get('/v1/usage'));
  expect(usage.total).toMatchObject({ requests: 1, uncounted: 1, cost_usd: null, unpriced_tokens: 0 });
  expect(await get('/v1/usage/rollups?granularity=hour')).toMatchObject({
    rollups: [{ count: 1, uncounted: 1 }],
  });
  expect(await printed('usage')).toMatch(/^claude-sonnet-5 +1 +– +0 +0 +0\/0 +\? +–$/m);
  const exposed = await metrics();
  expect(exposed).toMatch(/^ccp_uncounted_total\{lane="anthropic"\} 1$/m);
  expect(exposed).toMatch(/^ccp_anomalies_total\{kind="uncounted"\} 1$/m);
  const anomalies = readFileSync(join(host.cwd, 'logs', 'anomalies.jsonl'), 'utf8');
  expect(
    anomalies
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  ).toMatchObject([{ rid: logged?.rid, lane: 'anthropic', kind: 'uncounted' }]);
});

it.each([
  [
    'switched off',
    0,
    { CCP_PERSIST: '0' },
    /^store: switched off \(CCP_PERSIST=0\)\. Nothing is counted here\. Start ccp with CCP_PERSIST=1 /m,
  ],
  [
    'in trouble',
    3,
    { CCP_DB_PATH: '.' },
    /^store: .+ is a folder, .+\. Waiting .+: 2 exchanges\. Name another file with CCP_DB_PATH/m,
  ],
])('never calls unused what a store that is %s cannot count', async (_, ends, env, line) => {
  await start(env);
  for (const model of ['claude-sonnet-5', 'nobody-knows']) await ask(proxy.url, model);
  await completions(host.cwd, 2);
  for (const [code, command] of [
    [ends, 'usage'],
    [0, 'status'],
  ] as const) {
    const page = await printedWith(code, command);
    expect(page.replaceAll('\n  ', ' ')).toMatch(line);
    expect(page).not.toContain('No requests');
    expect(page).toContain('Nothing counted');
  }
  const answer = usageAnswer.parse(JSON.parse(await printedWith(ends, 'usage', '--json')));
  expect(answer.store.remedy).toMatch(/CCP_(PERSIST|DB_PATH)/);
  expect(await printedWith(ends, 'usage', '--banner')).toMatch(
    /^ccp 24h: nothing counted · store (switched off|in trouble)/,
  );
  expect(await printed('statusline')).toMatch(/^anthropic not counted( · store in trouble)?$/m);
});

const page = z.object({
  samples: z.array(z.object({ rid: z.string() })),
  next_cursor: z.string().nullable(),
});

it('answers a cursor that it never gave with what is allowed', async () => {
  await start();
  const answer = await fetch(`${proxy.url}/v1/usage/samples?cursor=made-up`);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ error: { message: expect.stringContaining('ccp: cursor') } });
});

it('shows records live, and does not hold a stop up', async () => {
  await start();
  const live = await fetch(`${proxy.url}/v1/usage/live`);
  expect(live.headers.get('content-type')).toBe('text/event-stream');
  let seen = '';
  const reading = (async () => {
    for await (const piece of live.body ?? []) seen += Buffer.from(piece).toString('utf8');
  })();
  await ask(proxy.url, 'claude-sonnet-5');
  await until('the completion is shown', () => seen.includes('event: completion\n'));
  const events = [...seen.matchAll(/^event: (\w+)\ndata: (.+)$/gm)].map(([, type, data]) => [
    type,
    z.object({ event: z.string() }).parse(JSON.parse(data ?? '')).event,
  ]);
  expect(events).toEqual([
    ['decision', 'decision'],
    ['completion', 'completion'],
  ]);
  proxy.signal('SIGTERM');
  await reading;
  expect(await proxy.exited).toBe(0);
});

it('makes exchanges up where that is enabled; they count against quotas as real ones do', async () => {
  const text = JSON.stringify({
    quotas: [{ model: '*opus*', lane: 'anthropic', rolling: { tokens: 1000 } }],
  });
  await start({ CCP_DEV_ENABLE: '1' });
  host.write('quotas.json', text);
  expect(await printed('quotas', 'reload', 'quotas.json')).toMatch(
    /^\*opus\* +anthropic +1\.0k tokens in 5h/m,
  );
  const made = await post('/v1/dev/sim-usage', '{"model":"claude-opus-4-8","in":200,"out":300,"repeat":2}');
  expect(made.status).toBe(200);
  const { quotas } = quotasAnswer.parse(await get('/v1/quotas'));
  expect(quotas[0]).toMatchObject({ block: true, rolling: { tokens: { used: 1000, cap: 1000, pct: 100 } } });
  const usage = usageAnswer.parse(await get('/v1/usage'));
  expect(usage.models['claude-opus-4-8']).toMatchObject({ requests: 2, rolling_pct: 100, block: true });
  expect(await printed('quota')).toMatch(/^\*opus\* \(anthropic\) .*100% .*full/m);
  // One more is turned away, made up or not.
  await post('/v1/dev/sim-usage', '{"model":"claude-opus-4-8","in":200,"out":300}');
  const blocked = (await completions(host.cwd, 3)).filter(({ reason }) => reason === 'blocked');
  expect(blocked).toMatchObject([{ client: 'sim-usage', decision: 'quota_block', status: 429 }]);
  expect(await printed('usage')).toContain(
    '\n  1 claude-opus-4-8 on anthropic: quota_block, refused, quota used up (',
  );
  expect(upstream.seen).toEqual([]);
});

it('counts what is imported beside it towards the quotas, nobody asking for it', async () => {
  host.write(
    '~/.config/ccp/quotas.json',
    '{"quotas": [{"model": "*", "lane": "anthropic", "rolling": {"requests": 3}}]}',
  );
  await start();
  const used = async (): Promise<unknown> =>
    quotasAnswer.parse(await get('/v1/quotas')).quotas[0]?.rolling.requests.used;
  await ask(proxy.url, 'claude-sonnet-5');
  const [seen] = await completions(host.cwd, 1);
  expect(await used()).toBe(1);
  const before = ['a', 'b'].map((rid) => `${JSON.stringify({ ...seen, rid })}\n`);
  host.write('before.jsonl', before.join(''));
  expect(await printed('db', 'import', '--jsonl', 'before.jsonl')).toContain('2 exchanges put in');
  await vi.waitFor(async () => expect(await used()).toBe(3), SOON);
});

it('counts what an import put in before it was killed', async () => {
  host.write(
    '~/.config/ccp/quotas.json',
    '{"quotas": [{"model": "*", "lane": "anthropic", "rolling": {"requests": 3000}}]}',
  );
  await start();
  const used = async (): Promise<unknown> =>
    quotasAnswer.parse(await get('/v1/quotas')).quotas[0]?.rolling.requests.used;
  await ask(proxy.url, 'claude-sonnet-5');
  const [seen] = await completions(host.cwd, 1);
  await vi.waitFor(async () => expect(await metrics()).toMatch(/^ccp_store_writes_total 1$/m), SOON);
  // A log that never ends: the import has put in a thousand of it, and waits for more.
  const log = join(host.cwd, 'endless.jsonl');
  execFileSync('mkfifo', [log]);
  const importing = spawn(process.execPath, [CCP, 'db', 'import', '--jsonl', log], {
    cwd: host.cwd,
    env: { HOME: host.home },
    stdio: 'ignore',
  });
  const ended = once(importing, 'exit');
  const pipe = createWriteStream(log).on('error', () => {});
  for (let index = 0; index < 1500; index++) pipe.write(`${JSON.stringify({ ...seen, rid: `${index}` })}\n`);
  using store = openStoreToRead(join(host.cwd, 'logs/ccp.sqlite3'));
  await until('a part is in', () => store.samples.extent().samples > 1);
  importing.kill('SIGKILL');
  expect(await ended).toEqual([null, 'SIGKILL']);
  pipe.destroy();
  expect(store.samples.extent().samples).toBe(1001);
  await vi.waitFor(async () => expect(await used()).toBe(1001), SOON);
});

it('names quotas and prices of lanes that are not there as it starts, and quotas that are sent', async () => {
  const price = {
    lane: 'zia',
    models: ['*'],
    valid_from: '2026-01-01',
    usd_per_mtok: { input: 1, output: 1 },
  };
  const file = host.write(
    '~/.config/ccp/quotas.json',
    '{"quotas": [{"model": "*", "lane": "zia", "weekly": {"requests": 9}}]}',
  );
  const prices = host.write('~/.config/ccp/prices.json', JSON.stringify({ v: 1, prices: [price] }));
  await start();
  const none = 'there is no lane zia (there are anthropic, zai): did you mean "zai"?';
  const idle = `the quota for "*" on lane zia in ${file} counts nothing: ${none}`;
  await until('it warns', () => proxy.stderr().includes(`prices for lane zia in ${prices} count nothing`));
  expect(proxy.stderr()).toContain(idle);
  expect(quotasAnswer.parse(await get('/v1/quotas'))).toMatchObject({
    warnings: [idle],
    quotas: [{ idle: 'no_lane' }],
  });
  host.write('sent.json', '{"quotas": [{"model": "claude-opus-4-8", "lane": "zai"}]}');
  const reloaded = await printed('quotas', 'reload', 'sent.json');
  expect(reloaded.replaceAll(/\s+/g, ' ')).toContain(
    'no route leads such a model there (its routes: "*haiku*")',
  );
});

it('says what a restart forgets, and that its quota file as it is now is not in force', async () => {
  const file = host.write(
    '~/.config/ccp/quotas.json',
    '{"quotas": [{"model": "*", "lane": "anthropic", "weekly": {"requests": 9}}]}',
  );
  await start({ CCP_PERSIST: '0' });
  const forgotten = `the quotas in ${file} begin at zero with each start: nothing is kept (CCP_PERSIST=0)`;
  await until('it warns', () => proxy.stderr().includes(forgotten));
  const warnings = async () => quotasAnswer.parse(await get('/v1/quotas')).warnings;
  const gauge = async () => /^ccp_quota_file_refused (\d)$/m.exec(await metrics())?.[1];
  expect([await warnings(), await gauge()]).toEqual([[forgotten], '0']);

  const good = readFileSync(file);
  host.write('~/.config/ccp/quotas.json', '{"quotas": [{"model": "*"}]}');
  const refused = `${file}:1:13: quotas[0].lane: must be the name of a lane`;
  const earlier = forgotten.replace(file, `the earlier ${file}`);
  await vi.waitFor(async () => expect(await warnings()).toEqual([earlier]), SOON);
  expect(await gauge()).toBe('1');
  expect(quotasAnswer.parse(await get('/v1/quotas'))).toMatchObject({
    file,
    refused: { why: expect.stringContaining(refused) },
  });
  for (const argv of [['quota'], ['quotas'], ['status']]) {
    const text = (await printed(...argv)).replaceAll(/\s+/g, '');
    expect(text).toContain(refused.replaceAll(' ', ''));
    expect(text).toContain(`theearlierquotashold(${file}asof`);
  }
  expect(await printed('statusline')).toContain('quota file refused');
  expect(await main(['doctor'], host)).toBe(1);
  expect(host.said().out).toContain(
    'the running proxy does not count by its quota file: the earlier quotas hold',
  );
  host.write('~/.config/ccp/quotas.json', good.toString());
  await vi.waitFor(async () => expect([await warnings(), await gauge()]).toEqual([[forgotten], '0']), SOON);
});

it('refuses to make anything up unless it is enabled, and quotas that are none', async () => {
  await start();
  expect(await post('/v1/dev/sim-usage', '{"model":"m","in":1,"out":1}')).toMatchObject({ status: 404 });
  expect(await post('/v1/quotas/reload', '{"quotas":[{}]}')).toMatchObject({
    status: 400,
    body: {
      error: {
        type: 'invalid_request_error',
        message: expect.stringMatching(/^ccp: not taken over, the quotas before stay: .*model/),
      },
    },
  });
});
