import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createTestIssuer } from '../../config/testing/license-env.ts';
import type { Host } from '../shared/host.ts';
import type { Terminal } from '../shared/terminal.ts';
import { main } from './main.ts';

const BIN = path.resolve(import.meta.dirname, '../../../bin/ccp-uat.js');

let parent: string;
let cwd: string;
beforeAll(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'ccp-uat-commands-'));
});
beforeEach(async () => {
  cwd = await mkdtemp(path.join(parent, 'cwd-'));
});
afterAll(() => rm(parent, { recursive: true, force: true }));

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command in this process, as from a pipe where nobody watches. */
async function uat(
  argv: readonly string[],
  {
    env = {},
    ask = null,
    interruptAt,
    width = Number.POSITIVE_INFINITY,
  }: { env?: Host['env']; ask?: Terminal['ask']; interruptAt?: string; width?: number } = {},
): Promise<Ran> {
  const said = { out: '', err: '' };
  const interruption = new AbortController();
  const screen = (channel: 'out' | 'err'): Host['out'] => ({
    write: (words) => {
      said[channel] += words;
      if (interruptAt !== undefined && words.includes(interruptAt)) interruption.abort();
    },
    isTerminal: false,
    width,
    paint: (_style, words) => words,
  });
  const input = { isTerminal: false, read: async () => Buffer.alloc(0) };
  const host: Host = { env, cwd, home: cwd, out: screen('out'), err: screen('err'), input };
  const terminal: Terminal = {
    live: null,
    ask,
    interruption: () => ({ signal: interruption.signal, [Symbol.dispose]: () => {} }),
  };
  const code = await main(argv, host, terminal);
  return { code, ...said };
}

/** Starts the program itself, for what only a process can show. */
function start(argv: readonly string[], nodeOptions: readonly string[] = []) {
  const child = spawn(process.execPath, [...nodeOptions, BIN, ...argv], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: cwd, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  return { child, ended: ended.then(([[code, signal], out, err]) => ({ code, signal, out, err })) };
}

const runs = () => readdir(path.join(cwd, 'results/runs'));
const inRun = async (name: string): Promise<string> =>
  path.join(cwd, 'results/runs', (await runs())[0] ?? '', name);

const recordSchema = z.object({
  outcome: z.string(),
  ending: z.string(),
  exitCode: z.number(),
  checks: z.array(z.object({ id: z.string(), outcome: z.string() })),
});

const smokeSchema = z.object({
  ms: z.number(),
  plan: z.object({ stages: z.array(z.object({ license: z.string(), by: z.string() })) }),
  checks: z.array(z.object({ id: z.string(), outcome: z.string(), observed: z.number() })),
});

describe('a run', { timeout: 60_000 }, () => {
  it('of raw probes is green, prints one document, and leaves every artifact', async () => {
    const { code, out } = await uat(['repro-go-quick', '--client', 'curl', '--json', '--seed', '5eed']);
    const record = recordSchema.parse(JSON.parse(out));
    expect(record.checks.filter(({ outcome }) => outcome !== 'pass').map(({ id }) => id)).toEqual([
      'TOKENS-02',
    ]);
    expect({ code, ...record }).toMatchObject({ code: 0, outcome: 'pass', ending: 'complete', exitCode: 0 });
    expect(await readdir(await inRun(''))).toEqual([
      'METRICS.json',
      'SUMMARY.md',
      'ctrf-report.json',
      'events.jsonl',
      'junit.xml',
      'proxy.log',
      'report.html',
      'run.json',
      'usage.jsonl',
      'witness',
    ]);
    expect(JSON.parse(await readFile(await inRun('run.json'), 'utf8'))).toEqual(JSON.parse(out));
    const copies = [
      'results/METRICS_go_repro_quick.json',
      'logs/usage_go_repro_quick.jsonl',
      'results/TESTS.md',
    ];
    const texts = await Promise.all(copies.map((name) => readFile(path.join(cwd, name), 'utf8')));
    expect(texts[2]).toMatch(/\| go_repro_quick \| pass \| 32 of 33 checks passed, 1 skipped \|/);

    const again = await uat(['report', '--json']);
    expect(recordSchema.parse(JSON.parse(again.out)).checks).toEqual(record.checks);
    expect((await uat(['productize-check', 'logs/usage_go_repro_quick.jsonl'])).code).toBe(0);
    expect((await uat(['verify-routing', 'logs/usage_go_repro_quick.jsonl'])).out).toMatch(
      /^\[verify-routing\] decisions: 9\/9 to_zai \(100\.0%\)\nCompletions by lane: anthropic=10 zai=9 unknown=0\n/,
    );
  });

  it('without a licence shows that the gate is shut, and no more', async () => {
    const { code, out } = await uat(['repro-go-quick', '--client', 'curl', '--license', 'none']);
    expect(code).toBe(0);
    expect(out).toContain('Without a licence each haiku call went to Anthropic as license_block');
    expect(out).not.toContain('Haiku goes to Z.AI');
    const log = await readFile(path.join(cwd, 'logs/usage_go_repro_quick.jsonl'), 'utf8');
    expect(log).toContain('"decision":"license_block"');
    expect(log).not.toContain('"lane":"zai"');
  });

  it('of smoke-license restarts the proxy under one licence after the other, and all agree on each', async () => {
    const { code, out } = await uat(['smoke-license', '--client', 'curl', '--json']);
    const record = smokeSchema.parse(JSON.parse(out));
    expect(code).toBe(0);
    expect(record.plan.stages.map(({ license, by }) => [license, by])).toEqual([
      ['none', 'environment'],
      ['trial', 'command'],
      ['none', 'command'],
      ...['tampered', 'expired', 'wrong-kid', 'unsigned'].map((license) => [license, 'environment']),
    ]);
    expect(record.checks).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ id: 'LICENSE-02', outcome: 'pass', observed: 4 * 7 }),
        expect.objectContaining({ id: 'RESTART-01', outcome: 'pass', observed: 6 }),
      ]),
    );
    expect(await readdir(path.join(cwd, 'results'))).toContain('METRICS_smoke_license.json');
    const log = await readFile(path.join(cwd, 'logs/usage_smoke_license.jsonl'), 'utf8');
    expect(log.match(/"decision":"to_zai"/g)).toHaveLength(2);
    const again = await uat(['report', '--json']);
    expect(smokeSchema.parse(JSON.parse(again.out)).checks).toEqual(record.checks);
  });

  it('of smoke-license gets its trial from an issuer where it is to log in', async () => {
    const { code, out } = await uat(['smoke-license', '--client', 'curl'], {
      env: { USE_LICENSE_LOGIN: '1' },
    });
    expect(out).toContain('PASS  smoke-license');
    expect(code).toBe(0);
    // The licence that was in use, and the key of the issuer's audit log, were searched for.
    const canaries = await readFile(await inRun('witness/canaries.jsonl'), 'utf8');
    for (const name of ['license.pack', 'fingerprint-key:hex'])
      expect(canaries).toContain(`"name":"${name}"`);
    const artifacts = await readFile(await inRun('witness/artifacts.jsonl'), 'utf8');
    expect(artifacts).toContain('"place":"issuer/issuer-audit.jsonl"');
    expect(artifacts).not.toContain('"place":"issuer/fingerprint.key"');
  });

  it("with the caller's licence stores nothing of its signature, also where the target prints it", async () => {
    const issuer = createTestIssuer();
    const pack = issuer.mint();
    const env = { CC_LICENSE_PACK: JSON.stringify(pack), CCP_LICENSE_PUBKEY_B64: issuer.line };
    const command = `env >&2; ${process.execPath} ${path.join(path.dirname(BIN), 'ccp.js')} serve --port {port}`;
    const argv = ['repro-go-quick', '--client', 'curl', '--license', 'env', '--target', command];
    const { code, out } = await uat(argv, { env });
    expect(code).toBe(1);
    expect(out).toContain('canary:signature:CC_LICENSE_PACK (plain) found 1 time in proxy.log');
    const entries = await readdir(await inRun(''), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const texts = await Promise.all(
      files.map(({ parentPath, name }) => readFile(path.join(parentPath, name), 'utf8')),
    );
    expect(texts.join('')).toContain('{{signature:CC_LICENSE_PACK}}');
    expect(texts.join('')).not.toContain(pack.signature);
  });

  it('of smoke-license takes another program, and skips what only our own commands can show', async () => {
    const command = `${process.execPath} ${path.join(path.dirname(BIN), 'ccp.js')} serve --port {port}`;
    const { code, out } = await uat(['smoke-license', '--client', 'curl', '--target', command]);
    expect(code).toBe(0);
    for (const id of ['LOG-02', 'LANES-01'])
      expect(out).toMatch(new RegExp(`skipped +${id} +another program has no commands of ccp`));
    expect(out).toMatch(/pass +RESTART-01/);
  });

  it('of a proxy that knows one upstream only is red, says why, and exits 1', async () => {
    await writeFile(path.join(cwd, 'pipe.mjs'), BARE_PIPE);
    const command = `${process.execPath} ${path.join(cwd, 'pipe.mjs')} {port}`;
    const asked = ['--client', 'curl', '--timeout-secs', '20', '--target', command];
    const { code, out } = await uat(['repro-go-quick', ...asked]);
    expect(code).toBe(1);
    expect(out).toContain('FAIL ROUTE-02: Each probe reached exactly the lane where the contract sends it');
    expect(out).toMatch(
      /repeat: ccp-uat run repro-go-quick --only ROUTE-02 --seed [0-9a-f]+ --client curl --timeout-secs 20 --target '/,
    );
  });

  it('where nothing answers is not ready, with the account of it stored', async () => {
    const argv = ['repro-go-quick', '--client', 'curl', '--target', 'http://127.0.0.1:9', '--json'];
    const { code, out, err } = await uat(argv);
    expect(code).toBe(3);
    expect(err).toContain('nothing answers at http://127.0.0.1:9');
    expect(recordSchema.parse(JSON.parse(out))).toMatchObject({ ending: 'broken', exitCode: 3 });
    expect(await readFile(await inRun('run.json'), 'utf8')).toContain('"ending": "broken"');
  });

  it('of a running proxy that answers nothing but errors is red', async () => {
    const server = createServer((request, response) => {
      request.resume().once('end', () => response.writeHead(500).end('{}'));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = z.object({ port: z.number() }).parse(server.address());
    const target = `http://127.0.0.1:${port}`;
    const { code, out } = await uat(['repro-go-quick', '--client', 'curl', '--target', target]);
    server.close();
    expect(code).toBe(1);
    expect(out).toContain('FAIL RUN-01');
  });

  it('that an interruption kept from starting makes the row end as interrupted', async () => {
    const row = ['run', 'repro-go-quick', 'verify-sse', '--client', 'curl'];
    const { code, out } = await uat(row, { interruptAt: 'PASS  repro-go-quick' });
    expect(code).toBe(130);
    expect(out).not.toContain('verify-sse');
    expect(out).toMatch(/\nFAIL {2}1 of 2 runs passed; not begun: 1\n$/);
  });

  it('that is interrupted wraps up in order, writes its artifacts and exits 130', async () => {
    const { child, ended } = start(['verify-sse', '--json']);
    await vi.waitFor(
      async () => expect(await readFile(await inRun('events.jsonl'), 'utf8')).toContain('probe_started'),
      WAIT,
    );
    child.kill('SIGINT');
    const { code, out } = await ended;
    expect(code).toBe(130);
    expect(recordSchema.parse(JSON.parse(out))).toMatchObject({ ending: 'interrupted', exitCode: 130 });
    expect(await readdir(await inRun(''))).toEqual(
      expect.arrayContaining(['SUMMARY.md', 'junit.xml', 'usage.jsonl']),
    );
    expect(await readdir(await inRun(''))).not.toContain('world');
  });

  it('that was killed can still be judged, by what had been stored', async () => {
    const { child, ended } = start(['repro-go-quick', '--client', 'curl']);
    await vi.waitFor(
      async () => expect(await readFile(await inRun('events.jsonl'), 'utf8')).toContain('probe_ended'),
      WAIT,
    );
    child.kill('SIGKILL');
    await ended;
    const { code, out } = await uat(['report', '--json']);
    const record = recordSchema.parse(JSON.parse(out));
    expect({ code, ...record }).toMatchObject({ code: 1, ending: 'died', outcome: 'fail' });
    expect(record.checks.find(({ id }) => id === 'HEADER-02')?.outcome).toBe('pass');
    expect(await readFile(await inRun('report.html'), 'utf8')).toContain('The run ended as “died”');
    expect(await readdir(await inRun(''))).toEqual(expect.arrayContaining(['SUMMARY.md', 'junit.xml']));
  });

  it('that was killed between two stages keeps what those before had told', async () => {
    const { child, ended } = start(['smoke-license', '--client', 'curl']);
    await vi.waitFor(
      async () =>
        expect(await readFile(await inRun('events.jsonl'), 'utf8')).toMatch(
          /"stage_started".*"community-again"/,
        ),
      WAIT,
    );
    child.kill('SIGKILL');
    await ended;
    const { out } = await uat(['report', '--json']);
    const { checks } = smokeSchema.parse(JSON.parse(out));
    const found = Object.fromEntries(
      checks.map(({ id, outcome, observed }) => [id, `${outcome} ${observed}`]),
    );
    expect(found).toMatchObject({ 'LICENSE-02': 'pass 8', 'LICENSE-01': 'inconclusive 0' });
    expect(found['METRICS-01']).toBe('inconclusive 0');
  });

  it('is repeated and goes on beside others, each told in one piece and judged by itself', async () => {
    const argv = ['run', 'repro-go-quick', '--client', 'curl', '--only', 'ROUTE-01', 'LOG-01', 'stream-zai'];
    const { code, out, err } = await uat([...argv, '--repeat-each', '3', '--workers', '3', '--seed', '5eed']);
    expect(code).toBe(0);
    expect(out.match(/PASS {2}repro-go-quick: 3 of 3 checks passed, 1 probe/g)).toHaveLength(3);
    expect(out).toMatch(/\nPASS {2}3 of 3 runs passed\n$/);
    const names = await runs();
    expect(names.map((name) => name.replace(/^\w+Z-/, ''))).toEqual([
      'repro-go-quick',
      'repro-go-quick-2',
      'repro-go-quick-3',
    ]);
    expect(err).toMatch(/-3: 1 probe, seed 5eed\nccp-uat: ready after .*\nccp-uat: stream-zai: answered/);
    expect((await readFile(path.join(cwd, 'results/TESTS.md'), 'utf8')).match(/^# /gm)).toHaveLength(1);
  });

  it('whose check changes its mind is red and says so, and is chosen until it has made it up', async () => {
    // Every other process of it answers nothing of itself.
    const flip = path.join(cwd, 'flip');
    const ccp = path.join(path.dirname(BIN), 'ccp.js');
    const target = `if mkdir ${flip}; then export OFFLOAD_PAUSED=1; fi; ${process.execPath} ${ccp} serve --port {port}`;
    const argv = ['run', 'repro-go-quick', '--client', 'curl', '--target', target];
    const only = ['--only', 'ROUTE-02', 'nonstream-zai'];
    const { code, out } = await uat([...argv, ...only, '--repeat-each', '2', '--json']);
    expect(code).toBe(1);
    const documents = z.object({ runs: z.array(recordSchema.loose()) }).parse(JSON.parse(out)).runs;
    expect(documents.map(({ outcome, checks }) => [outcome, checks.at(-1)?.outcome])).toEqual([
      ['fail', 'fail'],
      ['fail', 'pass'],
    ]);
    expect(documents[1]).toMatchObject({
      exitCode: 1,
      flaky: [{ check: 'ROUTE-02', outcome: 'pass', before: 'fail' }],
    });
    const again = await uat([...argv, '--last-failed', '--json']);
    expect({ code: again.code, ...recordSchema.parse(JSON.parse(again.out)) }).toMatchObject({
      code: 0,
      checks: [{ id: 'RUN-01' }, { id: 'ROUTE-02', outcome: 'pass' }],
    });
    expect((await uat([...argv, '--last-failed'])).err).toContain('nothing was red');

    // A night that was red is run by nobody who does not name it.
    const folder = path.join(cwd, 'results/runs');
    const [run = ''] = await readdir(folder);
    const night = path.join(folder, '20300101T000000Z-parallel');
    await cp(path.join(folder, run), night, { recursive: true });
    const record = JSON.parse(await readFile(path.join(night, 'run.json'), 'utf8'));
    const red = {
      ...record,
      suite: 'parallel',
      flaky: undefined,
      checks: [{ ...record.checks[0], outcome: 'fail' }],
    };
    await writeFile(path.join(night, 'run.json'), JSON.stringify(red));
    const beside = await uat(['run', '--client', 'curl', '--last-failed']);
    expect(beside).toMatchObject({
      code: 2,
      err: expect.stringContaining('Also red, and run only where named: parallel.'),
    });
  });

  it('tells the job of GitHub Actions that it is part of, and lets nobody else command the runner', async () => {
    const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: path.join(cwd, 'summary.md') };
    const { out } = await uat(['repro-go-quick', '--client', 'curl', '--only', 'TOKENS-02'], { env });
    const [, token = ''] = /^::stop-commands::(\S+)\n/.exec(out) ?? [];
    const [shown = '', commands] = out.split(`\n::${token}::\n`);
    expect(shown).toContain('FAIL  repro-go-quick');
    expect(commands).toMatch(/^::error title=repro-go-quick::1 of 2 checks passed.*\n$/);
    const again = await uat(['report', '--json'], { env: { ...env, GITHUB_STEP_SUMMARY: cwd } });
    expect(JSON.parse(again.out)).toMatchObject({ outcome: 'fail' });
    expect(again.err).toMatch(
      /^::error [^\n]*\nccp-uat: warning: the summary of the job could not be written: EISDIR/,
    );
    const summary = await readFile(env.GITHUB_STEP_SUMMARY, 'utf8');
    expect(summary).toMatch(/^### ❌ repro-go-quick: fail\n/);
  });

  it('is only printed with --dry-run', async () => {
    const { code, out } = await uat(['repro-go', '--dry-run', '--client', 'curl']);
    expect(code).toBe(0);
    expect(out).toContain('zai-1308-2026 at zai');
    expect(out).toContain('\nlicence trial\n');
    const rest = await uat(['run', '--dry-run', '--license', 'none']);
    expect(rest.out).toMatch(/claude-haiku +Claude Code +anthropic, license_block/);
    expect(rest.out).not.toContain('smoke-license');
    const smoke = await uat(['smoke-license', '--dry-run', '--login', '--lanes', 'zai']);
    expect(smoke.out).toContain('trial (trial by ccp license login), community-again (none by ccp license),');
    expect(smoke.out).toContain('not sent: community-sonnet (only what is for zai is asked for)');
    await expect(runs()).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

const WAIT = { timeout: 30_000, interval: 20 };

const BARE_PIPE = `
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
const { hostname, port } = new URL(process.env.CCP_ANTHROPIC_BASE_URL);
const ca = readFileSync(process.env.CCP_UPSTREAM_CA);
http.createServer((request, response) => {
  const { url: path, method, headers } = request;
  const upstream = https.request({ hostname, port, path, method, headers, ca }, (answer) => {
    response.writeHead(answer.statusCode, answer.rawHeaders);
    answer.pipe(response);
  });
  upstream.on('error', () => response.destroy());
  response.on('close', () => upstream.destroy());
  request.pipe(upstream);
}).listen(Number(process.argv[2]), '127.0.0.1');
`;

describe('the self-test', { timeout: 120_000 }, () => {
  it('leaves the matrix in a folder of its own, which is no run of the suite', async () => {
    const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: path.join(cwd, 'summary.md') };
    const { code, out } = await uat(['selftest', 'line-torn', '--json', '--seed', '5eed'], { env });
    expect(code).toBe(0);
    expect(await readFile(env.GITHUB_STEP_SUMMARY, 'utf8')).toMatch(
      /^### ✅ selftest: pass\n[^]*SELFTEST-01/,
    );
    const matrix = z.object({
      ok: z.boolean(),
      control: z.array(z.unknown()),
      saboteurs: z.array(z.unknown()),
    });
    expect(matrix.parse(JSON.parse(out))).toMatchObject({
      ok: true,
      control: [],
      saboteurs: [{ name: 'line-torn', expected: { 'LOG-01': 'fail' }, killed: true, killedBy: ['LOG-01'] }],
    });
    expect((await runs())[0]).toMatch(/^\w+Z-selftest$/);
    expect(JSON.parse(await readFile(await inRun('selftest.json'), 'utf8'))).toEqual(JSON.parse(out));
    const history = await readFile(path.join(cwd, 'results/TESTS.md'), 'utf8');
    expect(history).toMatch(/\| selftest \| pass \| tried 1 of \d+ saboteurs, 1 killed, controls green \|/);
    const control = z.object({ checks: z.array(z.object({ outcome: z.string() })) });
    const { checks } = control.parse(JSON.parse(await readFile(await inRun('run.json'), 'utf8')));
    // It is not judged by what is for nights, kills and budgets alone.
    expect(checks.filter(({ outcome }) => outcome === 'skipped').length).toBeLessThan(4);
    expect((await uat(['run', 'repro-go-quick', '--last-failed'])).err).toContain('nothing was red');
  });
});

describe('a self-test that is interrupted', { timeout: 120_000 }, () => {
  it('tells what it had come to, and passes nowhere for one that was completed', async () => {
    // What only alters records is tried first, and told of at once.
    const names = ['line-torn', 'query-lost', 'ping-swallowed', 'event-lost', 'usage-doubled'];
    const { code, out } = await uat(['selftest', ...names], { interruptAt: ', in repro-go-quick: killed' });
    expect(code).toBe(130);
    expect(out).toMatch(/^INTERRUPTED {2}selftest: tried [1-4] of \d+ saboteurs, [1-4] killed, /m);
    expect(out).toMatch(/^ {2}results\/runs\/\w+-selftest$/m);
    const judged = await uat(['report']);
    expect(judged.code).toBe(1);
    expect(judged.out).toMatch(/^FAIL {2}selftest: .*, interrupted$/m);
    expect(judged.out).toMatch(/The self-test tried [1-4] of \d+ saboteurs/);
    const bundled = await uat(['bundle', '--out', 'out']);
    expect(bundled.out).toMatch(
      /^fail {5}selftest .* tried [1-4] of \d+ saboteurs, [1-4] killed +interrupted/m,
    );
    expect(bundled.out).toMatch(/^missing: \d+ of \d+ saboteurs in \w+-selftest/m);
    const file = (await readdir(path.join(cwd, 'out'))).find((name) => name.endsWith('.tgz')) ?? '';
    const verified = await uat(['bundle', 'verify', path.join('out', file)]);
    expect(verified.out).toMatch(/fail {2}selftest, interrupted, tried [1-4] of \d+ saboteurs/);
  });
});

describe('--upstream real', () => {
  const REAL = ['repro-go-quick', '--upstream', 'real'];
  const KEYS = { ANTHROPIC_API_KEY: 'made-up-anthropic-key', ZAI_API_KEY: 'made-up-zai-key' };

  it('is off until it is allowed, and says nothing of keys before', async () => {
    const { code, err } = await uat(REAL, { env: KEYS });
    expect(code).toBe(2);
    expect(err).toContain('ALLOW_REAL_API=1');
    expect(err).not.toContain('ANTHROPIC_API_KEY');
  });

  it('says what it will send and with whose keys, and sends nothing where nobody can be asked', async () => {
    const { code, err } = await uat(REAL, { env: { ...KEYS, ALLOW_REAL_API: '1' } });
    expect(code).toBe(2);
    expect(err).toMatch(/your own ANTHROPIC_API_KEY and ZAI_API_KEY, billed to their accounts/);
    expect(err).toMatch(/repro-go-quick, anthropic: \d+ requests, at most about \d+ tokens in and \d+ out/);
    expect(err).toContain('--yes');
    await expect(runs()).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('sends nothing where the answer is no', async () => {
    const asked: string[] = [];
    const ask = async (question: string): Promise<boolean> => asked.push(question) === 0;
    const { code } = await uat(REAL, { env: { ...KEYS, ALLOW_REAL_API: '1' }, ask });
    expect({ code, asked }).toEqual({ code: 2, asked: ['Send it?'] });
    await expect(runs()).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('names the key that is missing, once it is confirmed', async () => {
    const { code, err } = await uat([...REAL, '--yes'], { env: { ALLOW_REAL_API: '1', ZAI_API_KEY: 'x' } });
    expect(code).toBe(2);
    expect(err).toContain('ANTHROPIC_API_KEY is not set');
  });

  it.each(['http://proxy.example:8080', 'http://10.0.0.1', 'http://127.0.0.1.example', 'http://'])(
    'sends no key in clear to %s',
    async (target) => {
      const { code, err } = await uat([...REAL, '--yes', '--target', target], {
        env: { ...KEYS, ALLOW_REAL_API: '1' },
      });
      expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(`in clear to ${target}`) });
      await expect(runs()).rejects.toMatchObject({ code: 'ENOENT' });
    },
  );

  it.each(['https://proxy.example', 'http://127.0.0.1:9', 'http://localhost:9', 'http://[::1]:9'])(
    'asks as ever where the way to %s is private',
    async (target) => {
      const { err } = await uat([...REAL, '--target', target], { env: { ...KEYS, ALLOW_REAL_API: '1' } });
      expect(err).toContain('nothing was sent: not confirmed');
    },
  );

  it('plans no faults and skips what only mocks can show', async () => {
    const { out } = await uat([...REAL, '--dry-run']);
    expect(out).toContain('not sent: refused-anthropic (a real upstream plays no scenarios)');
    expect(out).toContain('not judged: BYTES-01 (a real upstream gives no transcript)');
  });
});

describe('wrong usage', () => {
  it.each([
    [['repro-go-quik'], 'repro-go-quick'],
    [['run', 'nothing'], 'there is no suite nothing\nThere are '],
    [['run', 'timout'], 'there is no suite timout\nDid you mean timeouts? There are '],
    [['list', 'timout'], 'Did you mean timeouts?'],
    [['bundle', 'foo'], 'Its commands: verify, diff.'],
    [['overnight', '--resume'], 'Runs are kept by "ccp-uat overnight"'],
    [['repro-go-quick', '--only', 'NOPE-01'], 'has no check NOPE-01'],
    [['repro-go-quick', '--target', 'my-proxy'], '{port}'],
    [['repro-go-quick', '--timeout-secs', 'soon'], 'whole number of seconds'],
    [['run', '--run-dir', 'x'], '--run-dir is for one suite'],
    [['verify-sse', '--repeat-each', '2', '--run-dir', 'x'], 'for one suite, run once'],
    [['verify-sse', '--repeat-each', '0'], '--repeat-each <n>'],
    [['verify-sse', '--shard', '1/2/3'], '--shard <i/n>'],
    [['verify-sse', '--shard', '0/2'], '--shard <i/n>'],
    [['verify-sse', '--shard', '2/2'], 'has nothing to run: there is 1 run'],
    [['verify-sse', '--workers', '1000'], '--workers <n>'],
    [['verify-sse', '--workers', '2', '--target', 'http://127.0.0.1:9'], 'needs a proxy for each run'],
    [['verify-sse', '--last-failed'], 'nothing was red in the newest runs'],
    [['verify-sse', '--last-failed', '--only', 'LOG-01'], 'chooses the checks itself'],
    [['smoke-license', '--license', 'none'], 'chooses the licence of each stage itself'],
    [['smoke-license', '--target', 'http://127.0.0.1:9'], 'is not ours to restart'],
    [['smoke-license', '--lanes', 'glm'], 'anthropic, zai'],
    [['repro-go-quick', '--license', 'none', '--target', 'http://127.0.0.1:9'], 'Leave --license out'],
    [['repro-go-quick', '--license', 'env'], 'No licence is set'],
    [['selftest', 'nobody'], 'there is no saboteur nobody'],
    [['selftest', 'ping-swalowed'], 'Did you mean ping-swallowed?'],
    [['report'], 'no run is stored'],
    [['verify-sse', '--seed', ''], '--seed <text>'],
    [['selftest', '--seed', ''], '--seed <text>'],
    [['verify-routing'], 'there is no log'],
  ])('%j is exit 2 and says %s', async (argv, words) => {
    const { code, out, err } = await uat(argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(words);
  });

  it.each([
    [['verify-sse', '--run-dir', 'file/run'], {}],
    [['verify-sse'], { CCP_RESULTS_DIR: 'file' }],
    [['verify-sse'], { CCP_LOGS_DIR: 'file' }],
    [['report'], { CCP_RESULTS_DIR: 'file' }],
  ])('%j with a file where a folder must be is exit 3 and one sentence', async (argv, env) => {
    await writeFile(path.join(cwd, 'file'), '');
    const { code, err } = await uat(argv, { env });
    expect(code).toBe(3);
    expect(err).toMatch(
      /^ccp-uat: error: \S+file(\/runs?)? cannot be used: (not a directory|file already exists)\n(Make it writable, or set CCP_\w+_DIR to .*\n)?$/,
    );
    await expect(runs()).rejects.toThrow(/ENOENT|ENOTDIR/);
  });

  it('keeps out of a folder that holds something', async () => {
    await mkdir(path.join(cwd, 'full'));
    await writeFile(path.join(cwd, 'full/thing'), '');
    const { code, err } = await uat(['verify-sse', '--run-dir', 'full']);
    expect(code).toBe(2);
    expect(err).toContain('is not empty');
  });

  it('keeps broken runs in no folder that holds something else', async () => {
    await writeFile(path.join(cwd, 'notes.txt'), 'mine');
    const { code, err } = await uat(['selftest', 'line-torn', '--keep', '.']);
    expect(code).toBe(2);
    expect(err).toContain('is not empty (it holds notes.txt)');
  });
});

/** Names each file that a process loads. */
const TELL_LOADS = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  import { writeSync } from 'node:fs';
  registerHooks({ load: (url, context, next) => (writeSync(2, url + '\\n'), next(url, context)) });
`)}`;

describe('the analyzers', () => {
  it('load no more of the harness than they use, which is memory', async () => {
    await writeFile(path.join(cwd, 'one.jsonl'), '{"v":1}\n');
    const { code, err } = await start(['summarize', 'one.jsonl'], ['--import', TELL_LOADS]).ended;
    expect(code).toBe(0);
    expect(err).toContain('src/analysis/summarize.ts');
    expect(err).not.toMatch(
      /src\/harness\/|src\/runs\/(?!analyze-log|log-source)|\/suites\/|analysis\/(hygiene|verify-routing)/,
    );
  });

  it('write METRICS.json where summarize is bare', async () => {
    await mkdir(path.join(cwd, 'logs'));
    await writeFile(
      path.join(cwd, 'logs/usage.jsonl'),
      '{"lane":"zai","model":"claude-haiku-4.5","decision":"to_zai"}\n',
    );
    expect((await uat(['summarize'])).code).toBe(0);
    expect(JSON.parse(await readFile(path.join(cwd, 'results/METRICS.json'), 'utf8'))).toMatchObject({
      lines: 1,
    });
  });

  it('read the rotated copies too where they are told to, and name the one that holds what they find', async () => {
    const leak = '{"note":"sk-ant-api03-abcdefghijklmnop"}\n';
    await writeFile(path.join(cwd, 'usage.jsonl'), '{"v":1}\n');
    await writeFile(path.join(cwd, 'usage.jsonl.1'), leak);
    expect((await uat(['hygiene', 'usage.jsonl'])).code).toBe(0);
    const { code, out } = await uat(['hygiene', 'usage.jsonl', '--rotated']);
    expect(code).toBe(1);
    expect(out).toMatch(/usage\.jsonl\.1:1: anthropic-credential, 1 time$/m);
    expect((await uat(['hygiene', '-', '--rotated'])).code).toBe(2);
    expect((await uat(['hygiene', 'absent.jsonl', '--rotated'])).code).toBe(2);
  });

  it.each(['verify-routing', 'hygiene', 'productize-check'])(
    'prove nothing by a log without a line: %s',
    async (name) => {
      await writeFile(path.join(cwd, 'empty.jsonl'), '\n');
      const { code, err } = await uat([name, 'empty.jsonl']);
      expect(code).toBe(1);
      expect(err).toContain('nothing is proven');
    },
  );

  it('find a credential in a log', async () => {
    await writeFile(path.join(cwd, 'leaky.jsonl'), '{"note":"sk-ant-api03-abcdefghijklmnop"}\n');
    const { code, out } = await uat(['hygiene', 'leaky.jsonl']);
    expect(code).toBe(1);
    expect(out).toMatch(/leaky\.jsonl:1: anthropic-credential, 1 time$/m);
  });
});

describe('the list', () => {
  it('shows every suite, also as one document', async () => {
    const names = z.object({ suites: z.array(z.object({ name: z.string() })) });
    const { out } = await uat(['list', '--json']);
    for (const { name } of names.parse(JSON.parse(out)).suites)
      expect((await uat(['list'])).out).toContain(name);
  });

  it('says of a suite that is named what it proves, and by which checks', async () => {
    const { out } = await uat(['list', 'quota']);
    expect(out).toContain('In mode hybrid the lane was tried until it stated its own limit');
    expect(out).toMatch(/within × 3, beyond × 2.*\n.*QUOTA-01 QUOTA-02/);
    expect(await uat(['list', 'quoat'])).toMatchObject({ code: 2, out: '' });
  });

  it('counts the checks of a suite as its plan and its run do', async () => {
    const listed = /^repro-go-quick .* (\d+)$/m.exec((await uat(['list'])).out)?.[1];
    const planned = (await uat(['repro-go-quick', '--dry-run'])).out;
    expect(planned).toContain(`\n${listed} checks: RUN-01 `);
    expect(/^\d+ checks: (.*)$/m.exec(planned)?.[1]?.split(' ')).toHaveLength(Number(listed));
    expect(listed).toBe('33');
  });

  it('fits a terminal of 80 columns', async () => {
    for (const line of (await uat(['list'], { width: 80 })).out.split('\n'))
      expect(line.length).toBeLessThanOrEqual(80);
  });
});
