import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestIssuer } from '../../../config/testing/license-env.ts';
import { createTestHost, type TestHost } from '../../shared/testing/test-host.ts';
import { main } from '../main.ts';
import { startServed } from '../testing/served.ts';

const issuer = createTestIssuer('k1');
const { license, signature } = issuer.mint();
const PACK = JSON.stringify({ license, signature });

let host: TestHost;
let stored: string;
beforeEach(() => {
  host = createTestHost({ CCP_LICENSE_PUBKEY_B64: issuer.line, CCP_PORT: '1' });
  stored = join(host.home, '.config/ccp/license.pack');
});
afterEach(() => host[Symbol.dispose]());

async function ccp(...argv: string[]) {
  const code = await main(argv, host);
  return { code, ...host.said() };
}
async function json(...argv: string[]) {
  const { out, ...rest } = await ccp(...argv, '--json');
  return { ...rest, data: JSON.parse(out) };
}
const typed = async (text: string, ...argv: string[]) => {
  host.typed = text;
  return ccp('license', 'set', ...argv);
};

describe('license status', () => {
  it('says what there is without a licence, and what to do; that is no failure', async () => {
    const { code, out, err } = await ccp('license', 'status');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^community mode \(none\)/);
    expect(out).not.toContain('source');
    expect(out).toContain('ccp license set FILE');
    expect(out).toContain('ccp issuer mint');
    expect((await json('license', 'status')).data).toMatchObject({
      ok: false,
      plan: 'community',
      features: [],
      reason: 'none',
      kid: null,
      source: stored,
    });
  });

  it('ends with 1 where there is one that is wrong, and with 0 where there is none', async () => {
    expect((await json('license', 'status')).code).toBe(0);
    host.env['CC_LICENSE_PACK'] = PACK;
    expect((await json('license', 'status')).code).toBe(0);
    host.env['CC_LICENSE_PACK'] = PACK.replace('trial', 'pro');
    expect(await json('license', 'status')).toMatchObject({ code: 1, data: { reason: 'tampered' } });
    expect((await ccp('license', 'status')).code).toBe(1);
    expect((await ccp('license', 'status', '--help')).out).toContain('exit 1');
  });

  it('says what a licence holds and where it came from', async () => {
    host.env['CC_LICENSE_PACK'] = PACK;
    const { data } = await json('license', 'status');
    expect(data).toEqual({
      ok: true,
      plan: 'trial',
      features: ['zai_offload'],
      reason: null,
      detail: null,
      remedy: null,
      kid: 'k1',
      subject: 'me@example.com',
      issued_at: license.issued_at,
      not_before: null,
      expires_at: license.expires_at,
      source: 'CC_LICENSE_PACK',
    });
    const { out } = await ccp('license', 'status');
    expect(out).toMatch(/^licensed \(trial\): its features are granted\n/);
    for (const word of ['trial', 'zai_offload', 'k1', 'me@example.com', license.expires_at])
      expect(out).toContain(word);
  });

  it('shows what an expired one held', async () => {
    const expires_at = '2026-01-02T00:00:00.000Z';
    const old = issuer.mint({ issued_at: '2026-01-01T00:00:00Z', expires_at });
    host.env['CC_LICENSE_PACK'] = JSON.stringify(old);
    expect((await json('license', 'status')).data).toMatchObject({
      ok: false,
      plan: 'community',
      reason: 'expired',
      expires_at,
    });
    expect((await ccp('license', 'status')).out).toContain(`expired: ${expires_at}`);
  });

  it('judges the source that the proxy would use, each profile by its own', async () => {
    await typed(PACK);
    expect((await json('license', 'status')).data).toMatchObject({ ok: true, source: stored });
    host.env['CCP_PROFILE'] = 'dev';
    const own = join(host.home, '.config/ccp/dev/license.pack');
    expect((await json('license', 'status')).data).toMatchObject({ reason: 'none', source: own });
    host.env['CC_LICENSE_JSON'] = host.write('license.json', JSON.stringify(license));
    expect((await json('license', 'status')).data).toMatchObject({ reason: 'unsigned' });
    host.env['CC_LICENSE_SIG'] = 'license.sig';
    host.write('license.sig', `${signature}\n`);
    expect((await json('license', 'status')).data).toMatchObject({ ok: true });
  });

  it('ends with 2 where the public keys are wrong, without showing what may be a seed', async () => {
    const seed = issuer.seed.toString('base64');
    host.env['CCP_LICENSE_PUBKEY_B64'] = `k1=${seed.slice(4)}`;
    const { code, err } = await ccp('license', 'status');
    expect(code).toBe(2);
    expect(err).toContain('CCP_LICENSE_PUBKEY_B64 (environment): the key of "k1" has 29 bytes and not 32');
    expect(err).not.toContain(seed.slice(4, 20));
  });
});

describe('license set', () => {
  const answer = JSON.stringify({ license, sigB64: signature });
  it.each([
    ['a pack', PACK],
    ['the answer of an issuer', answer],
    ['a pack in an answer', `{"pack":${PACK}}`],
  ])('stores %s from standard input and from a file, for its owner alone', async (_, text) => {
    for (const file of ['-', host.write('given', text)]) {
      const result = await typed(text, file);
      expect([result.code, result.err]).toEqual([0, '']);
      expect(result.out).toContain(`Stored in ${stored}`);
      expect(JSON.parse(readFileSync(stored, 'utf8'))).toEqual({ license, signature });
      expect(statSync(stored).mode & 0o777).toBe(0o600);
      await ccp('license', 'logout');
    }
  });

  it('stores a licence whose signature comes apart, as a file or as text', async () => {
    const file = host.write('license.json', JSON.stringify(license, null, 2));
    for (const sig of [signature, host.write('license.sig', `${signature}\n`)]) {
      expect((await ccp('license', 'set', file, '--sig', sig)).code).toBe(0);
      expect(JSON.parse(readFileSync(stored, 'utf8'))).toEqual({ license, signature });
      await ccp('license', 'logout');
    }
  });

  it.each<[string, () => string, string]>([
    ['tampered', () => PACK.replace('trial', 'pro'), 'Copy it again'],
    ['unsigned', () => JSON.stringify(license), '--sig'],
    ['not_json', () => `${PACK}x`, 'Copy it again'],
    ['bad_encoding', () => `\u{feff}${PACK}`, 'byte order mark'],
    ['too_large', () => PACK + ' '.repeat(65_536), 'names a licence'],
    ['unknown_kid', () => JSON.stringify(createTestIssuer('k9').mint()), 'CCP_LICENSE_PUBKEY_B64'],
    [
      'expired',
      () =>
        JSON.stringify(
          issuer.mint({ issued_at: '2026-01-01T00:00:00Z', expires_at: '2026-01-02T00:00:00Z' }),
        ),
      'a new one',
    ],
    [
      'not_yet_valid',
      () =>
        JSON.stringify(issuer.mint({ not_before: license.expires_at, expires_at: '2099-01-01T00:00:00Z' })),
      'Store it again when its time has come',
    ],
    ['malformed', () => '{"name":"ccp"}', 'is it the right file?'],
  ])(
    'refuses what is %s with the reason and a remedy, and keeps what was there',
    async (reason, text, remedy) => {
      await typed(PACK);
      const { code, out, err } = await typed(text());
      expect([code, out]).toEqual([1, '']);
      expect(err).toContain(`not stored (${reason})`);
      expect(err).toContain(remedy);
      expect(JSON.parse(readFileSync(stored, 'utf8'))).toEqual({ license, signature });
    },
  );

  it('says that nothing came', async () => {
    expect(await typed('')).toMatchObject({
      code: 2,
      err: expect.stringContaining('nothing came on standard input'),
    });
  });

  it('reads a pipe that is named, as the shell makes one of <(…)', async () => {
    const [pack, sig] = ['pack', 'sig'].map((name) => join(host.cwd, name));
    execFileSync('mkfifo', [pack ?? '', sig ?? '']);
    const fill = (name: string | undefined, text: string) => writeFile(name ?? '', text);
    const [set] = await Promise.all([ccp('license', 'set', 'pack'), fill(pack, PACK)]);
    expect(set.code).toBe(0);
    const [apart] = await Promise.all([
      ccp('license', 'set', 'pack', '--sig', 'sig'),
      fill(pack, JSON.stringify(license)),
      fill(sig, signature),
    ]);
    expect(apart.code).toBe(0);
  });

  it('reads of a file no more than a licence may have, and judges it like what is typed', async () => {
    const large = host.write('large', PACK + ' '.repeat(2_000_000));
    expect(await ccp('license', 'set', large)).toMatchObject({
      code: 1,
      err: expect.stringContaining('not stored (too_large)'),
    });
  });

  it('says of a folder that it is one, and of a signature that is neither a file nor one', async () => {
    for (const [argv, sentence] of [
      [['.'], `${host.cwd} is a folder`],
      [
        [host.write('license.json', JSON.stringify(license)), '--sig', 'absent.sig'],
        'absent.sig, and it is no',
      ],
      [['license.json', '--sig', '.'], `${host.cwd} is a folder`],
    ] as const) {
      expect(await ccp('license', 'set', ...argv)).toMatchObject({
        code: 2,
        out: '',
        err: expect.stringContaining(sentence),
      });
    }
    const cut = await ccp('license', 'set', 'license.json', '--sig', signature.slice(0, -1));
    expect([cut.code, cut.err]).toEqual([1, expect.stringContaining('not stored (bad_signature_text)')]);
  });

  it('says of a pack that is named with a signature what to leave out', async () => {
    const { code, err } = await typed(PACK, '--sig', signature);
    expect([code, err]).toEqual([1, expect.stringContaining('not stored (signed_twice)')]);
    expect(err).toContain('without --sig');
  });

  it('says with --json why nothing was stored, as one document', async () => {
    const file = host.write('given', PACK.replace('trial', 'pro'));
    const { code, data, err } = await json('license', 'set', file);
    expect([code, err]).toEqual([1, '']);
    expect(data).toMatchObject({ ok: false, reason: 'tampered', remedy: expect.any(String), source: null });
    expect(existsSync(stored)).toBe(false);
  });

  it('says which file is not there, and what goes before what it stored', async () => {
    expect(await ccp('license', 'set', 'absent')).toMatchObject({
      code: 2,
      err: expect.stringContaining(join(host.cwd, 'absent')),
    });
    host.env['CC_LICENSE_PACK'] = '/elsewhere';
    expect((await typed(PACK)).err).toContain('CC_LICENSE_PACK (/elsewhere) is set here and goes before');
  });
});

describe('license logout', () => {
  it('removes what is stored, and says whether there was something', async () => {
    await typed(PACK);
    expect((await json('license', 'logout')).data).toEqual({ removed: true, path: stored });
    expect(existsSync(stored)).toBe(false);
    expect(await ccp('license', 'logout')).toMatchObject({
      code: 0,
      out: `No licence is stored in ${stored}.\n`,
    });
  });
});

describe('the licence elsewhere', () => {
  it('is in the rows of providers', async () => {
    const zai = async () => (await json('providers')).data.providers[1];
    expect(await zai()).toMatchObject({ feature: 'zai_offload', licensed: false });
    expect((await ccp('providers')).out).toContain('zai_offload (not granted)');
    await typed(PACK);
    expect(await zai()).toMatchObject({ feature: 'zai_offload', licensed: true });
    expect((await ccp('providers')).out).toMatch(/licence +none needed[^]+licence +zai_offload \(granted\)/);
  });

  it('is a finding of doctor: a note without one, a problem with a wrong one', async () => {
    const findings = async () => {
      const { code, data } = await json('doctor');
      return {
        code,
        found: data.findings.filter(({ what }: { what: string }) => /licence|license\.pack/.test(what)),
      };
    };
    expect(await findings()).toMatchObject({
      code: 0,
      found: [{ level: 'note', what: expect.stringContaining('license_block') }],
    });
    await typed(PACK);
    expect(await findings()).toMatchObject({
      code: 0,
      found: [{ level: 'ok', what: expect.stringContaining('zai_offload until') }],
    });
    chmodSync(stored, 0o644);
    expect(await findings()).toMatchObject({
      code: 1,
      found: [{ level: 'problem', remedy: `chmod 600 ${stored}` }, { level: 'ok' }],
    });
    host.env['CC_LICENSE_PACK'] = PACK.replace('trial', 'pro');
    chmodSync(stored, 0o600);
    const { code, found } = await findings();
    expect([code, found]).toMatchObject([
      1,
      [{ level: 'problem', what: expect.stringContaining('signature does not fit') }],
    ]);
  });

  it('is a note of doctor where it is good and does not open the Z.AI lane', async () => {
    await typed(JSON.stringify(issuer.mint({ features: ['zai_offlod'] })));
    const { code, data } = await json('doctor');
    expect(code).toBe(0);
    expect(data.findings).toContainEqual({
      level: 'note',
      what: 'the licence does not grant zai_offload: haiku goes to Anthropic (license_block)',
      remedy: expect.any(String),
    });
  });

  it('is in the files of doctor, with what goes before it', async () => {
    const state = async () =>
      (await json('doctor')).data.files.find(({ path }: { path: string }) => path === stored)?.state;
    expect(await state()).toBe('absent');
    await typed(PACK);
    expect(await state()).toBe('used');
    host.env['CC_LICENSE_PACK'] = PACK;
    expect(await state()).toBe('not used: CC_LICENSE_PACK goes before it');
  });

  it('is a problem of doctor where the running proxy refuses it: it started before the key was set', async () => {
    const { cwd, home } = host;
    const nobody = { CCP_ANTHROPIC_BASE_URL: 'http://127.0.0.1:1', CCP_ZAI_BASE_URL: 'http://127.0.0.1:1' };
    const ofProxy = async () =>
      (await json('doctor')).data.findings.filter(({ what }: { what: string }) =>
        what.startsWith('the running proxy'),
      );
    {
      await using proxy = await startServed({ cwd, home, env: nobody });
      Object.assign(host.env, nobody, { CCP_PORT: new URL(proxy.url).port });
      expect(await ofProxy()).toEqual([]);
      await typed(PACK);
      const there = 'none that counts (no_keys) there, plan trial (zai_offload) here';
      expect(await ofProxy()).toEqual([
        {
          level: 'problem',
          what: `the running proxy sees another licence than this shell: ${there}`,
          remedy: expect.stringContaining('Restart "ccp serve"'),
        },
      ]);
    }
    await using again = await startServed({
      cwd,
      home,
      env: { ...nobody, CCP_LICENSE_PUBKEY_B64: issuer.line },
    });
    host.env['CCP_PORT'] = new URL(again.url).port;
    await ccp('license', 'logout');
    // Within the second in which a proxy need not have looked yet.
    await typed(PACK);
    expect(await ofProxy()).toEqual([]);
  });

  it('is a finding of doctor where its place cannot even be looked at', async () => {
    mkdirSync(dirname(stored), { recursive: true });
    symlinkSync(stored, stored);
    const { code, data } = await json('doctor');
    expect(code).toBe(1);
    expect(data.findings).toContainEqual(
      expect.objectContaining({ level: 'problem', what: expect.stringContaining('ELOOP') }),
    );
  });

  it('is never printed by doctor: it tells whom it is for', async () => {
    host.env['CC_LICENSE_PACK'] = PACK;
    host.env['CC_LICENSE_SIG'] = signature;
    const { out } = await ccp('doctor', '--json');
    expect(JSON.parse(out).settings).toContainEqual({
      name: 'CC_LICENSE_PACK',
      value: '(set)',
      source: 'environment',
    });
    for (const word of ['me@example.com', signature, license.nonce]) expect(out).not.toContain(word);
  });

  it('has keys of which doctor shows the names: a seed may have been put in their place', async () => {
    const seed = issuer.seed.toString('base64');
    Object.assign(host.env, {
      CCP_LICENSE_PUBKEY_B64: `k1=${seed},k2=${issuer.line.slice('k1='.length)}`,
      CCP_POLICY_PUBKEY: seed,
    });
    const { out } = await ccp('doctor', '--json');
    const values = new Map(
      JSON.parse(out).settings.map(({ name, value }: { name: string; value: string }) => [name, value]),
    );
    expect([values.get('CCP_LICENSE_PUBKEY_B64'), values.get('CCP_POLICY_PUBKEY')]).toEqual([
      '2 keys: k1, k2',
      '(a key)',
    ]);
    expect(out).not.toContain(seed);
    host.env['CCP_POLICY_PUBKEY'] = `ops=${seed}`;
    expect((await ccp('doctor', '--json')).out).not.toContain(seed);
  });

  it('is no reason for doctor to keep quiet about a pause', async () => {
    host.env['OFFLOAD_PAUSED'] = '1';
    expect((await ccp('doctor')).out).toContain('the proxy starts paused (OFFLOAD_PAUSED)');
  });
});
