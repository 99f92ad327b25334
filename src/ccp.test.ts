import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCcp } from './ccp.ts';
import { loadCcpSettings } from './config/ccp-settings.ts';
import { storePack } from './features/license/store.ts';
import { createTestIssuer, type TestIssuer } from './features/license/testing/test-issuer.ts';
import { type Clock, systemClock } from './platform/clock.ts';
import { createRandomIds } from './platform/ids.ts';
import { isRecord } from './protocol/json.ts';
import { readStoreFile } from './store/store-file.ts';

const HOUR = 3_600_000;

let root: string;
let world: AsyncDisposableStack;
let issuer: TestIssuer;
let said: string;
let skipped: number;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ccp-root-'));
  world = new AsyncDisposableStack();
  world.defer(() => rmSync(root, { recursive: true, force: true }));
  issuer = createTestIssuer('k1');
  said = '';
  skipped = 0;
});
afterEach(() => world.disposeAsync());

/** The wall clock, which a test can put forward and back; timers and the monotonic clock stay as they are. */
const clock: Clock = { ...systemClock, now: () => Date.now() + skipped };

async function upstream(name: string): Promise<string> {
  const server: Server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' }).end(`{"type":"message","by":"${name}"}`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  world.defer(() => void server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

/** The proxy in this process, on a port of its own, with two upstreams. */
async function start(env: Readonly<Record<string, string>> = {}) {
  const loaded = loadCcpSettings({
    env: {
      CCP_ANTHROPIC_BASE_URL: await upstream('anth'),
      CCP_ZAI_BASE_URL: await upstream('zai'),
      ZAI_API_KEY: 'made-up',
      CCP_LICENSE_PUBKEY_B64: issuer.line,
      ...env,
    },
    flags: { port: '0' },
    cwd: root,
    home: root,
  });
  const write = (line: string): void => {
    said += line;
  };
  const log = { info: write, warn: write, error: write };
  const ccp = createCcp(loaded, { clock, ids: createRandomIds(), log, version: '0.0.0' });
  const url = await ccp.listen();
  world.defer(() => ccp.close(0));
  const ask = async (model: string) => {
    const answer = await fetch(`${url}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify({ model, max_tokens: 1, messages: [] }),
    });
    return memberOf(await answer.json(), 'by');
  };
  const ready = async () => {
    const answer = await fetch(`${url}/readyz`);
    return { status: answer.status, license: memberOf(await answer.json(), 'license') };
  };
  const store = async () => memberOf(await (await fetch(`${url}/readyz`)).json(), 'store');
  const storeMetrics = async () =>
    (await (await fetch(`${url}/metrics`)).text())
      .split('\n')
      .filter((line) => line.startsWith('ccp_store_'));
  const metric = async (): Promise<string | undefined> => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return text.split('\n').find((line) => line.startsWith('ccp_license_info{'));
  };
  return { loaded, ask, ready, metric, store, storeMetrics };
}

const memberOf = (value: unknown, name: string): unknown => (isRecord(value) ? value[name] : undefined);

const HAIKU = 'claude-haiku-4-5';
const SONNET = 'claude-sonnet-5';
const hour = (from = Date.now()) => ({
  issued_at: new Date(from).toISOString(),
  expires_at: new Date(from + HOUR).toISOString(),
});

function decisions(): string[] {
  const lines = readFileSync(join(root, 'logs/usage.jsonl'), 'utf8').trim().split('\n');
  return lines
    .map((line) => JSON.parse(line))
    .flatMap(({ event, decision, lane }) => (event === 'decision' ? [`${decision} ${lane}`] : []));
}

describe('a proxy whose licence expires', () => {
  it('gates the next request, says so everywhere, and stays ready', async () => {
    const { ask, ready, metric } = await start({ CC_LICENSE_PACK: JSON.stringify(issuer.mint(hour())) });
    expect([await ask(HAIKU), await ask(SONNET)]).toEqual(['zai', 'anth']);
    expect(await ready()).toEqual({
      status: 200,
      license: { ok: true, plan: 'trial', features: ['zai_offload'], reason: null },
    });
    expect(await metric()).toBe('ccp_license_info{plan="trial",kid="k1",reason=""} 1');

    skipped = HOUR;
    expect([await ask(HAIKU), await ask(SONNET)]).toEqual(['anth', 'anth']);
    expect(await ready()).toEqual({
      status: 200,
      license: { ok: false, plan: 'community', features: [], reason: 'expired' },
    });
    expect(await metric()).toBe('ccp_license_info{plan="community",kid="k1",reason="expired"} 1');

    skipped = 0;
    expect(await ask(HAIKU)).toBe('anth');
    await vi.waitFor(() =>
      expect(decisions()).toEqual([
        'to_zai zai',
        'to_anthropic anthropic',
        'license_block anthropic',
        'to_anthropic anthropic',
        'license_block anthropic',
      ]),
    );
    expect(said).toMatch(/\[license\] plan=trial .*\[license\] plan=community features=\[\] reason=expired/s);
  });
});

describe('a proxy without a licence', () => {
  it('serves everything but what needs one, and takes one over that is stored meanwhile', async () => {
    const { loaded, ask, ready } = await start();
    expect([await ask(HAIKU), await ask(SONNET)]).toEqual(['anth', 'anth']);
    expect(await ready()).toMatchObject({ status: 200, license: { ok: false, reason: 'none' } });
    storePack(loaded.paths.licensePack, issuer.mint(hour()));
    await vi.waitFor(async () => expect(await ask(HAIKU)).toBe('zai'), { timeout: 8_000, interval: 50 });
  });

  it('does not mind whatever stands in its place', async () => {
    for (const [CC_LICENSE_PACK, reason] of [
      ['{', 'not_json'],
      ['/dev/zero', 'unreadable'],
      [root, 'unreadable'],
      [`{"a":"${'x'.repeat(100_000)}"}`, 'too_large'],
    ]) {
      const { ask, ready } = await start({ CC_LICENSE_PACK: CC_LICENSE_PACK ?? '' });
      expect(await ask(HAIKU)).toBe('anth');
      expect(await ready()).toMatchObject({ status: 200, license: { ok: false, reason } });
    }
  });
});

/** As long as a busy machine may need. */
const SOON = { timeout: 15_000, interval: 50 };

describe('a proxy with a store', () => {
  it('keeps each exchange, and says so where it is asked', async () => {
    const { ask, store, storeMetrics } = await start();
    for (let count = 0; count < 3; count++) await ask(SONNET);
    await vi.waitFor(async () => expect(await storeMetrics()).toContain('ccp_store_writes_total 3'), SOON);
    expect(await storeMetrics()).toEqual(
      expect.arrayContaining(['ccp_store_write_errors_total 0', 'ccp_store_pending 0']),
    );
    const path = join(root, 'logs/ccp.sqlite3');
    expect(await store()).toEqual({ ok: true, reason: null, remedy: null, path, pending: 0 });
    using file = readStoreFile(path);
    expect([...file.samples.each({})].map(([, , lane]) => lane)).toEqual([
      'anthropic',
      'anthropic',
      'anthropic',
    ]);
  });

  it('serves as well without one: switched off, or where there can be none', async () => {
    const off = await start({ CCP_PERSIST: '0' });
    expect(await off.ask(SONNET)).toBe('anth');
    expect(await off.store()).toMatchObject({ ok: true, reason: 'switched off (CCP_PERSIST=0)' });
    expect(existsSync(join(root, 'logs/ccp.sqlite3'))).toBe(false);

    const broken = await start({ CCP_DB_PATH: root });
    expect(await broken.ask(SONNET)).toBe('anth');
    await vi.waitFor(
      async () =>
        expect(await broken.store()).toMatchObject({
          ok: false,
          reason: expect.stringContaining('is a folder'),
        }),
      SOON,
    );
    expect(await broken.ready()).toMatchObject({ status: 200 });
  });

  it('answers a scrape where the file can be neither opened nor looked at', async () => {
    const path = join(root, 'loop');
    symlinkSync('loop', path);
    const { store, storeMetrics } = await start({ CCP_DB_PATH: path });
    await vi.waitFor(async () => expect(await store()).toMatchObject({ ok: false }), SOON);
    expect(await storeMetrics()).toContain('ccp_store_size_bytes 0');
  });

  it('never loads SQLite into the thread that relays', () => {
    const script = `import { createRequire } from 'node:module';
      await import(${JSON.stringify(new URL('./ccp.ts', import.meta.url).href)});
      const loaded = Object.keys(createRequire('/').cache);
      console.log(loaded.length > 0, loaded.filter((name) => name.includes('better-sqlite3')).length)`;
    const argv = ['--input-type=module', '--eval', script];
    expect(execFileSync(process.execPath, argv, { encoding: 'utf8' })).toBe('true 0\n');
  });
});
