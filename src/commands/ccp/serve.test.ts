import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { licenseEnv } from '../../config/testing/license-env.ts';
import { createTestHost, type TestHost } from '../shared/testing/test-host.ts';
import { main } from './main.ts';
import {
  ask,
  CCP,
  completions,
  type HttpUpstream,
  type Served,
  type ServedOptions,
  serveInVain,
  start,
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

beforeEach(async () => {
  host = createTestHost();
  world = new AsyncDisposableStack();
  world.defer(() => host[Symbol.dispose]());
  anth = world.use(await startHttpUpstream());
  zai = world.use(await startHttpUpstream());
});
afterEach(() => world.disposeAsync());

const settings = (): Record<string, string> => ({
  CCP_ANTHROPIC_BASE_URL: anth.url,
  CCP_ZAI_BASE_URL: zai.url,
  ZAI_API_KEY: 'z41-c4n4ry',
  ...licenseEnv(),
});

async function served(options: Partial<ServedOptions> = {}): Promise<Served> {
  const { cwd, home } = host;
  return world.use(await startServed({ cwd, home, env: settings(), ...options }));
}

/** Runs a command of `ccp` against a proxy that is up. */
function ccp({ url }: Served, ...argv: string[]): Promise<number> {
  host.env['CCP_PORT'] = new URL(url).port;
  return main(argv, host);
}

describe("a stranger's repository as the working directory", () => {
  it('gets neither key nor prompt, and each of its files is named with the remedy', async () => {
    const thief = world.use(await startHttpUpstream());
    // The person's own settings are weaker than a .env that counts: only trust stands between.
    const own = Object.entries(settings()).map(([name, value]) => `${name}='${value}'\n`);
    host.write('~/.config/ccp/settings.env', own.join(''));
    const dotEnv = host.write('.env', `CCP_ANTHROPIC_BASE_URL=${thief.url}\nCCP_ZAI_BASE_URL=${thief.url}\n`);
    const catalog = host.write(
      'configs/providers.yaml',
      `providers:\n  - id: thief\n    base_url: ${thief.url}\n    auth: { env: ZAI_API_KEY }\n    models: ['*']\n`,
    );

    const wary = await served({ env: {} });
    expect([await ask(wary.url, HAIKU), await ask(wary.url, SONNET)]).toEqual([200, 200]);
    expect((await fetch(`${wary.url}/readyz`)).status).toBe(200);
    expect(thief.seen).toEqual([]);
    expect(zai.seen.map(({ headers }) => headers['x-api-key'])).toContain('z41-c4n4ry');
    await expect
      .poll(() => wary.stderr())
      .toContain(`CCP_ZAI_BASE_URL ignored; to accept it as it is now: ccp trust ${dotEnv}`);
    await expect
      .poll(() => wary.stderr())
      .toContain(`ignored; to accept it as it is now: ccp trust ${catalog}`);
    expect(wary.stderr()).not.toContain('z41-c4n4ry');

    // The trap was set: it works once somebody trusts it.
    await main(['trust', '.env'], host);
    await main(['trust', 'configs/providers.yaml'], host);
    const trusting = await served({ env: {} });
    await ask(trusting.url, SONNET);
    expect(thief.seen.map(({ headers }) => headers['x-api-key'])).toEqual(['z41-c4n4ry']);
  });
});

describe('serve refuses to start', () => {
  const refusal = (env: Record<string, string>, args: string[] = []) =>
    serveInVain({ cwd: host.cwd, home: host.home, env: { ...settings(), ...env }, args });

  it('on a taken port, with exit 3', async () => {
    const { port } = new URL(anth.url);
    const { code, stderr } = await refusal({}, ['--port', port, '--host', '127.0.0.1']);
    // The port is an upstream's: a proxy that tells them apart says so with exit 2.
    expect([code, stderr]).toEqual([2, expect.stringContaining('is our own listener')]);
    const other = world.use(await startHttpUpstream());
    expect(await refusal({}, ['--port', new URL(other.url).port])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('is taken'),
    });
  });

  it('on an address that others can reach without a token, with exit 2', async () => {
    expect(await refusal({}, ['--host', '0.0.0.0', '--port', '0'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('CCP_CLIENT_TOKEN is not set'),
    });
  });

  it.each([
    ['is not there', null],
    ['is empty', ''],
    ['holds a text without a certificate', 'no certificate\n'],
    ['holds a broken one', '-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n'],
  ])('with an authority that %s, with exit 2', async (_, content) => {
    const path = content === null ? '/absent.pem' : host.write('~/authority.pem', content);
    expect(await refusal({ CCP_UPSTREAM_CA: path }, ['--port', '0'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`CCP_UPSTREAM_CA: ${path} holds no certificate that can be read`),
    });
  });
});

it('on an open address asks every request for the token, and never relays it', async () => {
  const { url } = await served({
    env: { ...settings(), CCP_CLIENT_TOKEN: 'let-me-in' },
    args: ['--host', '0.0.0.0'],
  });
  const reachable = url.replace('0.0.0.0', '127.0.0.1');
  const models = (headers: Record<string, string>) => fetch(`${reachable}/v1/models`, { headers });
  for (const headers of [{}, { 'x-ccp-token': 'guess' }]) {
    const refused = await models(headers);
    expect([refused.status, await refused.json()]).toMatchObject([403, { type: 'error' }]);
    expect((await fetch(`${reachable}/metrics`, { headers })).status).toBe(403);
  }
  expect(anth.seen).toEqual([]);
  expect((await models({ 'x-ccp-token': 'let-me-in' })).status).toBe(200);
  expect(anth.seen.map(({ headers }) => headers['x-ccp-token'])).toEqual([undefined]);
});

describe('told to stop', () => {
  /** A stream that says one event and leaves the rest to the test. */
  async function openStream(): Promise<{ proxy: Served; upstream: ServerResponse; client: IncomingMessage }> {
    const opened = Promise.withResolvers<ServerResponse>();
    const slow = world.use(
      await startHttpUpstream((response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write('event: message_start\ndata: {"type":"message_start","message":{}}\n\n');
        opened.resolve(response);
      }),
    );
    const proxy = await served({ env: { ...settings(), CCP_ANTHROPIC_BASE_URL: slow.url } });
    const client = await new Promise<IncomingMessage>(
      (resolve) => void get(`${proxy.url}/v1/models`, resolve),
    );
    client.on('error', () => {});
    client.resume();
    await until('it has said which store it uses', () => proxy.stderr().includes('store'));
    return { proxy, upstream: await opened.promise, client };
  }

  it('lets a stream under way end, takes no new one, and exits 0', async () => {
    const { proxy, upstream, client } = await openStream();
    proxy.signal('SIGTERM');
    await until('it says what it waits for', () => proxy.stderr().includes('waiting for 1 exchange'));
    await expect(fetch(proxy.url)).rejects.toThrow('fetch failed');
    upstream.end('event: message_stop\ndata: {"type":"message_stop"}\n\n');
    await once(client, 'end');
    expect(await proxy.exited).toBe(0);
    expect(proxy.stderr()).toMatch(
      /\nccp: SIGTERM: waiting for 1 exchange, at most 10 s; .+\nccp: stopped\n$/,
    );
    expect(await completions(host.cwd, 1)).toMatchObject([{ reason: 'ok', status: 200 }]);
  });

  it('a second time ends at once, and still records what it cut', async () => {
    const { proxy, client } = await openStream();
    proxy.signal('SIGINT');
    await until('it says what it waits for', () => proxy.stderr().includes('waiting for 1 exchange'));
    const cutAt = performance.now();
    proxy.signal('SIGTERM');
    expect(await proxy.exited).toBe(130);
    // The grace period is ten seconds.
    expect(performance.now() - cutAt).toBeLessThan(5_000);
    expect(client.complete).toBe(false);
    expect(await completions(host.cwd, 1)).toMatchObject([{ reason: 'client_abort' }]);
  });
});

it('is paused and resumed by command', async () => {
  const proxy = await served();
  await ask(proxy.url, HAIKU);
  expect(await ccp(proxy, 'offload', 'pause')).toBe(0);
  await ask(proxy.url, HAIKU);
  await ccp(proxy, 'doctor');
  expect(host.said().out).toContain('note     the running proxy is paused: everything goes to Anthropic\n');
  expect(await ccp(proxy, 'offload', 'resume')).toBe(0);
  await ask(proxy.url, HAIKU);
  expect([zai.seen.length, anth.seen.length]).toEqual([2, 1]);
  const records = await completions(host.cwd, 3);
  expect(records.map(({ decision }) => decision)).toEqual(['to_zai', 'offload_paused', 'to_zai']);
});

it('tells of an override', async () => {
  const proxy = await served({ env: { ...settings(), CCP_MODEL: 'claude-sonnet-5' } });
  const health = await (await fetch(`${proxy.url}/healthz`)).json();
  expect(health).toMatchObject({ paused: false, model_override: 'claude-sonnet-5' });
});

it('starts a new log by command, and loses no line', async () => {
  const proxy = await served();
  await ask(proxy.url, SONNET);
  const [first] = await completions(host.cwd, 1);
  expect(await ccp(proxy, 'log', 'rotate')).toBe(0);
  expect(usageLines(host.cwd)).toEqual([]);
  await ask(proxy.url, HAIKU);
  expect(await completions(host.cwd, 1)).toMatchObject([{ lane: 'zai' }]);
  const rotated = readdirSync(join(host.cwd, 'logs')).filter(
    (name) => /^usage.+jsonl/.test(name) && name !== 'usage.jsonl',
  );
  expect(rotated).toHaveLength(1);
  expect(readFileSync(join(host.cwd, 'logs', String(rotated[0])), 'utf8')).toContain(String(first?.['rid']));
});

it('takes a changed catalog over while it runs, and keeps the old one where the new one is wrong', async () => {
  const local = world.use(await startHttpUpstream());
  const proxy = await served({ env: { ...settings(), LOCAL_KEY: 'l0cal' } });
  const path = join(host.home, '.config/ccp/providers.yaml');
  const replace = (text: string): void => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };
  host.write('~/.config/ccp/settings.env', '');

  replace(
    `providers: [{ id: local, base_url: '${local.url}/prefix', auth: { env: LOCAL_KEY, header_mode: authorization }, models: ['glm-*'] }]\n`,
  );
  await until('the catalog counts', () => proxy.stderr().includes('taken over: anth, zai, local'));
  expect(await ask(proxy.url, 'glm-4.7')).toBe(200);
  expect(local.seen).toMatchObject([
    { path: '/prefix/v1/messages', headers: { authorization: 'Bearer l0cal' } },
  ]);
  expect(local.seen[0]?.headers['x-api-key']).toBeUndefined();

  replace('providers: [{ id: anth }]\n');
  await until('the catalog is refused', () => proxy.stderr().includes('not taken over'));
  expect(await ask(proxy.url, 'glm-4.7')).toBe(200);
  expect(local.seen).toHaveLength(2);
});

it('ends when it is told to before it listens', async () => {
  const { cwd, home } = host;
  const { child, stderr, exited } = start({ cwd, home, env: settings() }, ['--port', '0']);
  await until('it starts', () => stderr().includes('[license]'));
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
});

describe.skipIf(spawnSync('script', ['--version']).status !== 0)('a terminal', () => {
  it('that is closed ends it in order: what it cannot say any more is nobody’s mistake', async () => {
    const code = join(host.cwd, 'code');
    // A shell outlives its terminal, and hands the signal on; the first wait ends with it.
    const typed =
      `'${process.execPath}' '${CCP}' serve --port 0 & trap "kill -HUP $!" HUP; ` +
      `wait $!; wait $!; echo $? > '${code}'`;
    const terminal = spawn('script', ['--quiet', '--command', typed, '/dev/null'], {
      cwd: host.cwd,
      env: { HOME: host.home, PATH: process.env['PATH'], SHELL: '/bin/sh', ...settings() },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let shown = '';
    terminal.stdout.setEncoding('utf8').on('data', (piece: string) => void (shown += piece));
    await until('the proxy listens', () => shown.includes('point clients at it'));
    terminal.kill('SIGKILL');
    expect(await until('it has ended', () => existsSync(code) && readFileSync(code, 'utf8'))).toBe('0\n');
  });
});

describe('the licence', () => {
  it('is told of in a line of its own at the start, and by flag goes before all others', async () => {
    const { CCP_LICENSE_PUBKEY_B64, CC_LICENSE_PACK } = licenseEnv();
    const pack = host.write('mine.pack', CC_LICENSE_PACK);
    const env = { ...settings(), CCP_LICENSE_PUBKEY_B64 };
    const proxy = await served({ env, args: ['--license-pack', 'mine.pack'] });
    await expect
      .poll(() => proxy.stderr())
      .toMatch(/^\[license\] plan=trial features=\[zai_offload\] kid=test-key expires=\d{4}-[^ ]+Z$/m);
    await ask(proxy.url, HAIKU);
    expect(zai.seen).toHaveLength(1);

    writeFileSync(pack, CC_LICENSE_PACK.replace('trial', 'pro'));
    await until('the change is told of', () =>
      /^\[license\] plan=community features=\[\] reason=tampered$/m.test(proxy.stderr()),
    );
    await ask(proxy.url, HAIKU);
    expect([zai.seen.length, anth.seen.length]).toEqual([1, 1]);
    await expect
      .poll(() => proxy.stderr())
      .toContain(`the licence of --license-pack (${pack}) does not count`);
  });

  it('that is wrong never stops the proxy; a wrong list of public keys does', async () => {
    const env = { ...settings(), CC_LICENSE_PACK: '{"license":' };
    const proxy = await served({ env });
    await expect
      .poll(() => proxy.stderr())
      .toContain('[license] plan=community features=[] reason=not_json\n');
    const { cwd, home } = host;
    const { code, stderr } = await serveInVain({ cwd, home, env: { ...env, CCP_LICENSE_PUBKEY_B64: 'k1' } });
    expect(code).toBe(2);
    expect(stderr).toContain('CCP_LICENSE_PUBKEY_B64 (environment): an entry is not KID=BASE64');
  });
});
