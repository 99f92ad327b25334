import { chmodSync, lstatSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestHost, type TestHost } from '../../shared/testing/test-host.ts';
import { main } from '../main.ts';
import { makePolicyKeys, type PolicyServer, packText, startPolicyServer } from '../testing/policy-server.ts';
import {
  ask,
  type HttpUpstream,
  type Served,
  serveInVain,
  startHttpUpstream,
  startServed,
  until,
} from '../testing/served.ts';

const OPUS = 'claude-opus-5';

let host: TestHost;
let world: AsyncDisposableStack;

beforeEach(() => {
  host = createTestHost();
  world = new AsyncDisposableStack();
  world.defer(() => host[Symbol.dispose]());
});
afterEach(() => world.disposeAsync());

async function ccp(...argv: string[]) {
  const code = await main(argv, host);
  return { code, ...host.said() };
}

async function json(...argv: string[]) {
  const { out, ...rest } = await ccp(...argv, '--json');
  return { ...rest, data: JSON.parse(out) };
}

describe('ccp serve with a policy', () => {
  let anth: HttpUpstream;
  let local: HttpUpstream;
  let ops: PolicyServer;

  beforeEach(async () => {
    anth = world.use(await startHttpUpstream());
    local = world.use(await startHttpUpstream());
    ops = world.use(await startPolicyServer());
    // A provider that needs no licence.
    host.write(
      '~/.config/ccp/providers.yaml',
      `providers:\n  - id: local\n    base_url: ${local.url}\n    auth: { env: LOCAL_KEY }\n`,
    );
    host.write('policy.pub', `ops=${ops.keys.publicKey}\n`);
    Object.assign(host.env, settings());
  });

  const settings = (): Record<string, string> => ({
    CCP_ANTHROPIC_BASE_URL: anth.url,
    CCP_ZAI_BASE_URL: 'http://127.0.0.1:1',
    CCP_POLICY_REFRESH: '50ms',
    CCP_POLICY_URL: ops.policyUrl,
    CCP_POLICY_PUBKEY: 'policy.pub',
    LOCAL_KEY: 'l0c4l-c4n4ry',
  });

  async function served(args: readonly string[] = []): Promise<Served> {
    const { cwd, home } = host;
    const proxy = world.use(await startServed({ cwd, home, env: settings(), args }));
    host.env['CCP_PORT'] = new URL(proxy.url).port;
    return proxy;
  }

  /** Paths of the messages that came there; readiness probes have no body. */
  const messages = ({ seen }: HttpUpstream): string[] =>
    seen.filter(({ body }) => body.includes(OPUS)).map(({ path }) => path);

  type State = Readonly<Record<'source' | 'version' | 'age_s' | 'reason', string | number | null>>;

  /** Waits until `/readyz` says of the policy what is wanted. */
  async function state({ url }: Served, part: Partial<State>): Promise<State> {
    const look = async (): Promise<State> => {
      const { policy }: { policy: State } = JSON.parse(await (await fetch(`${url}/readyz`)).text());
      return policy;
    };
    await expect.poll(look, { timeout: 10_000, interval: 20 }).toMatchObject(part);
    return look();
  }

  it('routes by each new version without a restart, and says what is in effect and where keys go', async () => {
    ops.publish({ version: 1 });
    const elsewhere = world.use(await startHttpUpstream());
    const proxy = await served();
    await state(proxy, { source: 'fetched', version: 1, reason: null });
    expect([await ask(proxy.url, OPUS), messages(local)]).toEqual([200, []]);

    ops.publish({ version: 2, routes: { '*opus*': 'local' } });
    await state(proxy, { version: 2 });
    await ask(proxy.url, OPUS);
    expect(local.seen.map(({ headers }) => headers['x-api-key'])).toContain('l0c4l-c4n4ry');

    ops.publish({
      version: 3,
      routes: { '*opus*': 'local' },
      upstreams: { local: `${elsewhere.url}/moved` },
    });
    await state(proxy, { version: 3 });
    await ask(proxy.url, OPUS);
    expect(messages(elsewhere)).toEqual(['/moved/v1/messages']);
    await expect
      .poll(() => proxy.stderr())
      .toContain(
        `warning: the policy moves provider local from ${local.url} to ${elsewhere.url}/moved: LOCAL_KEY is sent there`,
      );
    await expect
      .poll(() => proxy.stderr())
      .toMatch(/\[policy\] source=fetched version=3 age=0s routes=1 upstreams=\[local\] expires=/);
    expect(await (await fetch(`${proxy.url}/metrics`)).text()).toContain(
      'ccp_policy_info{source="fetched",version="3",reason=""} 1',
    );

    // The commands tell the same, from the cache.
    const rows: { id: string }[] = (await json('providers')).data.providers;
    expect(rows.find(({ id }) => id === 'local')).toMatchObject({
      base_url: `${elsewhere.url}/moved`,
      moved_from: local.url,
      policy_routes: ['*opus*'],
    });
    const { out } = await ccp('providers');
    expect(out).toContain(`${elsewhere.url}/moved (by the policy, instead of ${local.url})`);
    expect(out).toContain('The policy is version 3, from the cache');
    expect((await json('policy', 'show')).data).toMatchObject({
      url: ops.policyUrl,
      cache: { usable: true, version: 3, routes: { '*opus*': 'local' } },
      proxy: { source: 'fetched', version: 3, reason: null },
    });
    // Nobody who was asked for a pack was sent anything of anybody.
    expect(ops.seen.flatMap(({ headers }) => Object.keys(headers))).not.toContain('x-api-key');
    expect(JSON.stringify(ops.seen)).not.toContain('c4n4ry');
    expect(ops.seen.some(({ headers }) => headers['if-none-match'] !== undefined)).toBe(true);
  });

  it('keeps what it has through every kind of trouble, and names each', async () => {
    ops.publish({ version: 5, routes: { '*opus*': 'local' } });
    const proxy = await served();
    await state(proxy, { version: 5, reason: null });
    const troubles: [string, () => void][] = [
      ['http_status', () => ops.misbehave((response) => void response.writeHead(500).end('oh'))],
      [
        'redirect',
        () => ops.misbehave((response) => void response.writeHead(302, { location: local.url }).end()),
      ],
      ['too_large', () => ops.misbehave((response) => void response.end(Buffer.alloc(2 ** 20 + 1, ' ')))],
      ['unreachable', () => ops.misbehave((response) => void response.destroy())],
      ['unsigned', () => ops.misbehave(withoutSignature)],
      ['bad_signature', () => ops.publish({ version: 6 }, makePolicyKeys())],
      ['rolled_back', () => ops.publish({ version: 4 })],
      ['version_reused', () => ops.publish({ version: 5, routes: {} })],
      ['malformed', () => ops.publish({ version: 6, upstreams: { anth: local.url } })],
      ['own_listener', () => ops.publish({ version: 6, upstreams: { local: proxy.url } })],
      ['expired', () => ops.publish({ version: 6, expires_at: new Date(Date.now() - 500).toISOString() })],
    ];
    for (const [reason, begin] of troubles) {
      ops.misbehave(null);
      begin();
      expect(await state(proxy, { reason })).toMatchObject({ source: 'fetched', version: 5 });
      await expect.poll(() => proxy.stderr()).toContain(` (${reason}). `);
    }
    await ask(proxy.url, OPUS);
    expect(messages(local)).toEqual(['/v1/messages']);
    expect((await fetch(`${proxy.url}/healthz`)).status).toBe(200);
  });

  it('has a doctor who tells of the last look that failed, and of a proxy that follows none', async () => {
    const proxy = await served();
    await state(proxy, { source: 'embedded', reason: 'bad_signature_text' });
    const ofProxy = async () =>
      (await json('doctor')).data.findings.filter(({ what }: { what: string }) =>
        what.startsWith('the running proxy'),
      );
    expect(await ofProxy()).toEqual([
      { level: 'problem', what: expect.stringContaining('(bad_signature_text)'), remedy: expect.any(String) },
    ]);
    ops.publish({ version: 1 });
    await state(proxy, { version: 1, reason: null });
    expect(await ofProxy()).toEqual([]);
    const { cwd, home } = host;
    const { CCP_POLICY_URL: _url, CCP_POLICY_PUBKEY: _key, ...without } = settings();
    const other = world.use(await startServed({ cwd, home, env: without }));
    host.env['CCP_PORT'] = new URL(other.url).port;
    expect(await ofProxy()).toMatchObject([
      { level: 'problem', what: 'the running proxy follows no policy' },
    ]);
    // What is in effect is said first.
    for (const name of ['CCP_POLICY_URL', 'CCP_POLICY_PUBKEY']) delete host.env[name];
    expect((await ccp('policy', 'show')).out).toMatch(/^The proxy at [^]*CCP_POLICY_URL is not set here/);
  });

  it('starts from the cache where the server is silent, and without waiting for it', async () => {
    ops.publish({ version: 5, routes: { '*opus*': 'local' } });
    const first = await served();
    await state(first, { version: 5 });
    first.signal('SIGTERM');
    expect(await first.exited).toBe(0);

    ops.misbehave(() => {});
    const second = await served();
    await ask(second.url, OPUS);
    expect(messages(local)).toEqual(['/v1/messages']);
    expect(await state(second, {})).toMatchObject({ source: 'cache', version: 5 });
    second.signal('SIGTERM');
    // A fetch under way does not hold the end up.
    expect(await second.exited).toBe(0);

    const cache = join(host.cwd, 'logs/policy-cache.json');
    writeFileSync(cache, readFileSync(cache, 'utf8').replace('opus', 'sonnet'));
    const third = await served();
    expect(await state(third, {})).toMatchObject({
      source: 'embedded',
      version: null,
      reason: 'bad_signature',
    });
    await expect.poll(() => third.stderr()).toContain('[policy] source=embedded reason=bad_signature');
    await ask(third.url, OPUS);
    expect(messages(anth)).toEqual(['/v1/messages']);
  });

  it('takes URL and key as flags, and the key itself in place of its file', async () => {
    ops.publish({ version: 1 });
    const { cwd, home } = host;
    const { CCP_POLICY_URL: url = '', CCP_POLICY_PUBKEY: _, ...env } = settings();
    const args = ['--policy-url', url, '--policy-pubkey', ops.keys.publicKey];
    const proxy = world.use(await startServed({ cwd, home, env: { ...env, CCP_POLICY_URL: '' }, args }));
    await state(proxy, { source: 'fetched', version: 1 });
  });

  it('ends a pack when it expires, and says so', async () => {
    ops.publish({
      version: 1,
      routes: { '*opus*': 'local' },
      expires_at: new Date(Date.now() + 5000).toISOString(),
    });
    const proxy = await served();
    await state(proxy, { source: 'fetched', version: 1 });
    await state(proxy, { source: 'embedded', version: null, reason: 'expired' });
    await until('it says so', () => proxy.stderr().includes('[policy] source=embedded reason=expired'));
    await ask(proxy.url, OPUS);
    expect([messages(local), messages(anth)]).toEqual([[], ['/v1/messages']]);
  });

  it('refuses to start without a key that it can read, with exit 2', async () => {
    const { cwd, home } = host;
    const refusal = (env: Record<string, string>) =>
      serveInVain({ cwd, home, env: { ...settings(), ...env }, args: ['--port', '0'] });
    host.write('no.pub', 'none\n');
    for (const [env, sentence] of [
      [{ CCP_POLICY_PUBKEY: '' }, 'CCP_POLICY_PUBKEY is not set'],
      [{ CCP_POLICY_PUBKEY: 'absent.pub' }, `absent.pub: there is no such file`],
      [{ CCP_POLICY_PUBKEY: 'no.pub' }, 'the file holds no public key'],
      [{ CCP_POLICY_URL: 'http://ops.example/policy.json' }, 'CCP_POLICY_URL (environment) is'],
      [{ CCP_POLICY_URL: 'https://ops.example/' }, 'and name a file'],
      [{ CCP_POLICY_URL: 'https://me:word@ops.example/policy.json' }, 'https://…@ops.example'],
    ] as const) {
      expect(await refusal(env)).toMatchObject({ code: 2, stderr: expect.stringContaining(sentence) });
    }
  });

  it('lets a .env in a foreign folder set none of it', async () => {
    for (const name of ['CCP_POLICY_URL', 'CCP_POLICY_PUBKEY', 'CCP_POLICY_REFRESH']) delete host.env[name];
    host.write('.env', `CCP_POLICY_URL=${ops.policyUrl}\nCCP_POLICY_PUBKEY=${ops.keys.publicKey}\n`);
    const { data, err } = await json('policy', 'show');
    expect(data).toMatchObject({ url: null, cache: { usable: false } });
    expect(err).toContain('CCP_POLICY_URL, CCP_POLICY_PUBKEY ignored');
  });
});

function withoutSignature(response: ServerResponse, { path }: { readonly path: string }): void {
  if (path.endsWith('.sig')) response.writeHead(404).end();
  else response.end(packText({ version: 6 }));
}

describe('ccp policy sign and verify', () => {
  const keys = makePolicyKeys();
  const seedFile = (text: string, mode = 0o600): string => {
    const path = host.write('~/policy.seed', text);
    chmodSync(path, mode);
    return path;
  };

  it('sign what verify takes, with a seed from a file or the environment', async () => {
    const pack = host.write('policy.json', packText({ version: 7, routes: { '*haiku*': 'zai' } }));
    host.write('policy.pub', `${keys.publicKey}\n`);
    const signed = await json('policy', 'sign', 'policy.json', '--seed-file', seedFile(`ops=${keys.seed}\n`));
    expect(signed.data).toMatchObject({
      file: pack,
      signature_file: `${pack}.sig`,
      public_key: keys.publicKey,
      version: 7,
      routes: { '*haiku*': 'zai' },
    });
    expect((await json('policy', 'verify', 'policy.json', '--pubkey', 'policy.pub')).data).toMatchObject({
      ok: true,
      reason: null,
      version: 7,
    });

    const first = readFileSync(`${pack}.sig`, 'utf8');
    host.env['CCP_POLICY_SEED'] = keys.seed;
    const { code, out } = await ccp('policy', 'sign', 'policy.json');
    expect([code, readFileSync(`${pack}.sig`, 'utf8')]).toEqual([0, first]);
    expect(out.split('\n')).toContain(`CCP_POLICY_PUBKEY=${keys.publicKey}`);
    host.env['CCP_POLICY_PUBKEY'] = keys.publicKey;
    expect(await ccp('policy', 'verify', 'policy.json')).toMatchObject({
      code: 0,
      out: expect.stringContaining('*haiku* → zai'),
    });
  });

  it('verify says with exit 1 why a proxy would refuse it', async () => {
    host.env['CCP_POLICY_SEED'] = keys.seed;
    host.env['CCP_POLICY_PUBKEY'] = keys.publicKey;
    const pack = host.write('policy.json', packText({ version: 7 }));
    await ccp('policy', 'sign', 'policy.json');
    writeFileSync(pack, `${readFileSync(pack, 'utf8')}\n`);
    const { code, data } = await json('policy', 'verify', 'policy.json');
    expect([code, data]).toEqual([
      1,
      { ok: false, reason: 'bad_signature', detail: expect.any(String), remedy: expect.any(String) },
    ]);
    expect(await ccp('policy', 'verify', 'policy.json')).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^bad_signature: the signature is not that of this pack/),
    });
    const other = host.write('other.sig', 'none');
    expect((await json('policy', 'verify', 'policy.json', '--sig', other)).data).toMatchObject({
      reason: 'bad_signature_text',
    });
  });

  it('verify notices a seed in place of the public key, and does not show it', async () => {
    host.write('policy.json', packText({ version: 7 }));
    const seed = seedFile(keys.seed);
    await ccp('policy', 'sign', 'policy.json', '--seed-file', seed);
    const { code, data } = await json('policy', 'verify', 'policy.json', '--pubkey', seed);
    expect([code, data]).toMatchObject([
      1,
      { reason: 'bad_signature', remedy: expect.stringContaining('is the secret seed') },
    ]);
    const other = makePolicyKeys();
    host.env['CCP_POLICY_PUBKEY'] = other.publicKey;
    expect((await json('policy', 'verify', 'policy.json')).data.remedy).toContain('compare the public key');
  });

  it('verify says what the proxy whose cache lies here took over before', async () => {
    Object.assign(host.env, {
      CCP_POLICY_SEED: keys.seed,
      CCP_POLICY_PUBKEY: keys.publicKey,
      CCP_POLICY_URL: 'https://ops.example/policy.json',
    });
    const signed = async (version: number, issued_at: string) => {
      const policy = packText({ version, issued_at });
      const path = host.write('policy.json', policy);
      await ccp('policy', 'sign', 'policy.json');
      return { policy, signature: readFileSync(`${path}.sig`, 'utf8').trim() };
    };
    const verdict = async () => {
      const { code, data } = await json('policy', 'verify', 'policy.json');
      return [code, data.reason];
    };
    const cached = await signed(7, '2026-01-02T00:00:00Z');
    const cache = { v: 1, url: host.env['CCP_POLICY_URL'], fetched_at: '2026-01-02T00:00:00Z', ...cached };
    host.write('logs/policy-cache.json', JSON.stringify(cache));
    expect(await verdict()).toEqual([0, null]);
    await signed(7, '2026-01-03T00:00:00Z');
    expect(await verdict()).toEqual([1, 'version_reused']);
    await signed(6, '2026-01-03T00:00:00Z');
    expect(await verdict()).toEqual([1, 'rolled_back']);
    await signed(8, '2026-01-01T00:00:00Z');
    expect(await verdict()).toEqual([1, 'rolled_back']);
    await signed(8, '2026-01-03T00:00:00Z');
    expect(await verdict()).toEqual([0, null]);
    // Of another address, it says nothing.
    await signed(6, '2026-01-03T00:00:00Z');
    host.env['CCP_POLICY_URL'] = 'https://other.example/policy.json';
    expect(await verdict()).toEqual([0, null]);
  });

  it('verify reads the signature as a proxy does, byte for byte and up to 1 KiB', async () => {
    host.env['CCP_POLICY_SEED'] = keys.seed;
    host.env['CCP_POLICY_PUBKEY'] = keys.publicKey;
    const pack = host.write('policy.json', packText({ version: 7 }));
    await ccp('policy', 'sign', 'policy.json');
    const text = readFileSync(`${pack}.sig`, 'utf8');
    for (const [content, reason] of [
      [`\r\n ${text}`, null],
      [`\u{feff}${text}`, 'bad_signature_text'],
      [text + ' '.repeat(1024), 'too_large'],
    ] as const) {
      writeFileSync(`${pack}.sig`, content);
      expect((await json('policy', 'verify', 'policy.json')).data).toMatchObject({ reason });
    }
  });

  it('sign writes through no link that somebody laid, and leaves nothing else behind', async () => {
    host.env['CCP_POLICY_SEED'] = keys.seed;
    const pack = host.write('policy.json', packText({ version: 7 }));
    const victim = host.write('victim', 'untouched');
    for (const name of [`${pack}.sig`, `${pack}.sig.${process.pid}`]) symlinkSync(victim, name);
    expect((await ccp('policy', 'sign', 'policy.json')).code).toBe(0);
    expect(readFileSync(victim, 'utf8')).toBe('untouched');
    expect(lstatSync(`${pack}.sig`).isFile()).toBe(true);
    rmSync(`${pack}.sig.${process.pid}`);
    expect(readdirSync(host.cwd).toSorted()).toEqual(['policy.json', 'policy.json.sig', 'victim']);
  });

  it('sign nothing that no proxy would take', async () => {
    host.env['CCP_POLICY_SEED'] = keys.seed;
    for (const [part, sentence] of [
      [
        { upstreams: { anth: 'https://thief.example' } },
        'upstreams.anth: is Anthropic, which no policy can move',
      ],
      [{ expires_at: '2020-01-02T00:00:00Z', issued_at: '2020-01-01T00:00:00Z' }, 'expired'],
      [
        { expires_at: '2126-01-02T00:00:00Z', issued_at: '2126-01-01T00:00:00Z' },
        'Set "issued_at" to the present',
      ],
    ] as const) {
      const pack = host.write('policy.json', packText(part));
      expect(await ccp('policy', 'sign', 'policy.json')).toMatchObject({
        code: 2,
        err: expect.stringContaining(sentence),
      });
      expect(() => readFileSync(`${pack}.sig`)).toThrow('ENOENT');
    }
  });

  it('refuse with exit 2 what they cannot work with, and never show a seed', async () => {
    host.write('policy.json', packText({}));
    const open = seedFile(keys.seed, 0o644);
    const refusals: [string[], string][] = [
      [['sign', 'policy.json'], 'there is no seed to sign with'],
      [['sign', 'policy.json', '--seed-file', open], 'can be read or written by others'],
      [['sign', 'policy.json', '--seed-file', 'absent'], 'absent cannot be read: ENOENT'],
      [['sign', 'absent.json', '--seed-file', open], 'can be read or written by others'],
      [['verify', 'policy.json'], 'there is no public key to verify with'],
      [['verify', 'policy.json', '--pubkey', keys.publicKey], 'policy.json.sig'],
      [['verify', 'policy.json', '--pubkey', 'absent.pub'], '--pubkey is'],
    ];
    for (const [argv, sentence] of refusals) {
      const { code, out, err } = await ccp('policy', ...argv);
      expect([code, out]).toEqual([2, '']);
      expect(err).toContain(sentence);
      expect(err).not.toContain(keys.seed);
    }
    const bad = keys.seed.slice(1);
    // That others can read what is no seed at all is not the mistake.
    const { err } = await ccp('policy', 'sign', 'policy.json', '--seed-file', seedFile(bad, 0o644));
    expect(err).toContain('holds no seed');
    expect(err).not.toContain(bad);
  });
});

describe('ccp policy show', () => {
  it('says that none is configured here, and that nobody answers', async () => {
    host.env['CCP_PORT'] = '1';
    const { code, out } = await ccp('policy', 'show');
    expect(code).toBe(0);
    expect(out).toContain('CCP_POLICY_URL is not set here.');
    expect(out).toContain('No proxy at http://127.0.0.1:1');
  });

  it('says why the cache does not count, and the doctor notes it', async () => {
    host.env['CCP_PORT'] = '1';
    host.env['CCP_POLICY_URL'] = 'https://ops.example/policy.json';
    host.env['CCP_POLICY_PUBKEY'] = makePolicyKeys().publicKey;
    expect((await ccp('policy', 'show')).out).toContain('There is no pack in');
    host.write('logs/policy-cache.json', '{}');
    expect((await ccp('policy', 'show')).out).toContain('is no policy cache (cache_unreadable)');
    const { findings } = (await json('doctor')).data;
    expect(findings).toContainEqual({
      level: 'note',
      what: expect.stringContaining('the cached policy pack does not count'),
    });
  });
});
