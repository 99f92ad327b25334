import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEV_INVITES, makePlace, type Place, startIssuerProcess } from '../testing/programs.ts';
import { until } from '../testing/served.ts';

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place[Symbol.dispose]());

async function ccp(argv: readonly string[], env?: Record<string, string>) {
  await using running = place.run(argv, env);
  const code = await running.exited;
  return { code, out: running.out(), err: running.err() };
}
const seedText = (): string => readFileSync(join(place.cwd, 'seed'), 'utf8').trim();
const MINT = [
  'issuer',
  'mint',
  '--plan',
  'team',
  '--feature',
  'zai_offload',
  'more',
  '--subject',
  'me@example.com',
];

describe('ccp issuer keygen', () => {
  it('writes the seed to a file of its owner alone, and prints the public line only', async () => {
    const { code, out, err } = await ccp(['issuer', 'keygen', '--out', 'seed']);
    expect(code).toBe(0);
    expect(out).toMatch(/^CCP_LICENSE_PUBKEY_B64=k\d{8}-[0-9a-f]{4}=[A-Za-z0-9+/]{43}=\n$/);
    // Standard output may be a file by then: the sentence must not say where it is seen.
    expect(err).toContain('The line on standard output is public: every proxy needs it.');
    expect(statSync(join(place.cwd, 'seed')).mode & 0o777).toBe(0o600);
    const seed = seedText().slice(seedText().indexOf('=') + 1);
    expect(`${out}${err}`).not.toContain(seed);
    expect(out.split('=')[1]).toBe(seedText().split('=')[0]);
  });

  it('warns where keys are set already, whose licences a second line would end', async () => {
    const first = await ccp(['issuer', 'keygen', '--out', 'first']);
    expect(first.err).not.toContain('warning');
    const [variable = '', kid, key] = first.out.trim().split('=');
    const set = { [variable]: `${kid}=${key}=` };
    const second = await ccp(['issuer', 'keygen', '--out', 'second'], set);
    expect(second).toMatchObject({ code: 0, out: expect.stringMatching(/^CCP_LICENSE_PUBKEY_B64=\S+\n$/) });
    expect(second.err).toContain('CCP_LICENSE_PUBKEY_B64 is set already (environment): a second line takes');
    const policy = await ccp(['issuer', 'keygen', '--for', 'policy', '--out', 'third'], set);
    expect(policy.err).not.toContain('warning');
  });

  it('makes keys of policy packs, too, and says what proxies need of those', async () => {
    const { code, out, err } = await ccp(['issuer', 'keygen', '--for', 'policy', '--out', 'seed']);
    expect([code, err]).toEqual([0, expect.not.stringContaining('LICENSE')]);
    const [, key = ''] = /^CCP_POLICY_PUBKEY=(k\S+)\n$/.exec(out) ?? [];
    writeFileSync(
      join(place.cwd, 'policy.json'),
      '{"version":1,"issued_at":"2026-01-01T00:00:00Z","expires_at":"2126-01-01T00:00:00Z"}',
    );
    expect(await ccp(['policy', 'sign', 'policy.json', '--seed-file', 'seed'])).toMatchObject({ code: 0 });
    const verified = await ccp(['policy', 'verify', 'policy.json'], { CCP_POLICY_PUBKEY: key });
    expect([verified.code, verified.err]).toEqual([0, '']);
    const other = await ccp(['issuer', 'keygen', '--for', 'both', '--out', 'x']);
    expect([other.code, other.err]).toEqual([2, expect.stringContaining('licences, policy')]);
    expect(existsSync(join(place.cwd, 'x'))).toBe(false);
  });

  it('makes keys of review bundles, and says who needs those', async () => {
    const { code, out, err } = await ccp([
      'issuer',
      'keygen',
      '--for',
      'bundles',
      '--kid',
      'review',
      '--out',
      'seed',
    ]);
    expect([code, out]).toEqual([0, expect.stringMatching(/^review=[A-Za-z0-9+/]{43}=\n$/)]);
    expect(err).toContain('ccp-uat bundle verify FILE --pubkey KEY');
    expect(err).not.toMatch(/proxy|licence/);
    const json = await ccp(['issuer', 'keygen', '--for', 'bundles', '--out', 'other', '--json']);
    expect(JSON.parse(json.out)).toMatchObject({ setting: null, public_key: expect.any(String) });
  });

  it('gives two keys of one day different ids', async () => {
    const made = await Promise.all(['a', 'b'].map((name) => ccp(['issuer', 'keygen', '--out', name])));
    const [first, second] = made.map(({ out }) => out.split('=')[1]);
    expect(first).not.toBe(second);
  });

  it('needs a file, and never one that is there', async () => {
    expect(await ccp(['issuer', 'keygen'])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('--out'),
    });
    expect(await ccp(['issuer', 'keygen', '--out', '.'])).toMatchObject({
      code: 2,
      err: expect.stringContaining(`${place.cwd} is a folder`),
    });
    await ccp(['issuer', 'keygen', '--out', 'seed']);
    const before = seedText();
    expect(await ccp(['issuer', 'keygen', '--out', 'seed'])).toMatchObject({ code: 2, out: '' });
    expect(seedText()).toBe(before);
    expect(await ccp(['issuer', 'keygen', '--out', 'x', '--kid', 'a,b'])).toMatchObject({ code: 2 });
    expect(existsSync(join(place.cwd, 'x'))).toBe(false);
  });
});

describe('ccp issuer mint', () => {
  beforeEach(() => ccp(['issuer', 'keygen', '--out', 'seed', '--kid', 'test']));

  it('prints a pack, signed with the seed of the file or of the variable', async () => {
    const fromFile = await ccp([
      ...MINT,
      '--days',
      '2',
      '--not-before',
      '2030-01-31T00:00:00Z',
      '--seed-file',
      'seed',
    ]);
    expect(JSON.parse(fromFile.out)).toMatchObject({
      license: {
        kid: 'test',
        plan: 'team',
        features: ['zai_offload', 'more'],
        subject: 'me@example.com',
        not_before: '2030-01-31T00:00:00.000Z',
        expires_at: '2030-02-02T00:00:00.000Z',
      },
      signature: expect.stringMatching(/^[A-Za-z0-9+/]{86}==$/),
    });
    const fromVariable = await ccp([...MINT, '--days', '2', '--json'], { CCP_ISSUER_SEED: seedText() });
    expect(JSON.parse(fromVariable.out).license.kid).toBe('test');
  });

  it('warns of a feature that this version does not know, and mints it all the same', async () => {
    const mint = (...features: string[]) => {
      const rest = ['--plan', 'team', '--subject', 'me', '--days', '2', '--seed-file', 'seed'];
      return ccp(['issuer', 'mint', ...rest, '--feature', ...features]);
    };
    expect((await mint('zai_offload')).err).toBe('');
    const { code, out, err } = await mint('zai_offlod', 'local');
    expect([code, JSON.parse(out).license.features]).toEqual([0, ['zai_offlod', 'local']]);
    expect(err).toMatch(/no feature zai_offlod,[^\n]+: is zai_offload meant\?\n/);
    expect(err).toMatch(/no feature local,[^\n]+: the one that it knows is zai_offload\n/);
  });

  it.each([
    [
      'an end in the past',
      ['--days', '2', '--not-before', '2020-01-01T00:00:00Z', '--seed-file', 'seed'],
      'would end at 2020-01-03T00:00:00.000Z, before it is issued',
    ],
    ['no seed', ['--days', '2'], 'no signing seed is given'],
    ['days that are none', ['--days', '1.5', '--seed-file', 'seed'], '--days'],
    ['a time that is none', ['--days', '2', '--not-before', 'soon', '--seed-file', 'seed'], '--not-before'],
    [
      'an end that no date can tell',
      ['--days', '3660', '--not-before', '9999-06-01T00:00:00Z', '--seed-file', 'seed'],
      '--not-before',
    ],
    ['a file that is not there', ['--days', '2', '--seed-file', 'none'], 'none cannot be read: ENOENT'],
  ])('refuses %s', async (_name, args, sentence) => {
    expect(await ccp([...MINT, ...args])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining(sentence),
    });
  });

  it('refuses a seed that others can read, and shows none', async () => {
    chmodSync(join(place.cwd, 'seed'), 0o644);
    const { code, err } = await ccp([...MINT, '--days', '2', '--seed-file', 'seed']);
    expect([code, err]).toEqual([2, expect.stringContaining('chmod 600')]);
    const wrong = await ccp([...MINT, '--days', '2'], { CCP_ISSUER_SEED: 'test=bm90LWEtc2VlZA==' });
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('CCP_ISSUER_SEED');
    expect(wrong.err).not.toContain('bm90LWEtc2VlZA');
  });
});

describe('ccp issuer serve', () => {
  beforeEach(() => ccp(['issuer', 'keygen', '--out', 'seed', '--kid', 'test']));
  const serve = (...args: string[]) => ccp(['issuer', 'serve', '--port', '0', ...args]);

  it.each([
    [
      'an address that others reach',
      ['--host', '0.0.0.0', '--seed-file', 'seed', '--invites', DEV_INVITES],
      '--public-url is not given',
    ],
    [
      'a public address in clear',
      ['--public-url', 'http://licences.example', '--seed-file', 'seed'],
      'https',
    ],
    [
      'a public address with a path',
      ['--public-url', 'https://licences.example/x', '--seed-file', 'seed'],
      'without path',
    ],
    ['no seed', ['--invites', DEV_INVITES], 'no signing seed is given'],
    ['no invites', ['--seed-file', 'seed'], 'there is no invite file '],
    ['no invites, and names some that are there', ['--seed-file', 'seed'], DEV_INVITES],
    [
      'what is no invite file',
      ['--seed-file', 'seed', '--invites', join(DEV_INVITES, '../../package.json')],
      'package.json is no invite file: it must be an object with one member, "invites", a list of',
    ],
    [
      'a port that is none',
      ['--port', 'x', '--seed-file', 'seed', '--invites', DEV_INVITES],
      '--port is "x"',
    ],
  ])('refuses %s', async (_name, args, sentence) => {
    const { code, out, err } = await serve(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(sentence);
  });

  it('refuses a state folder that others may write, as it does a seed file', async () => {
    const state = join(place.cwd, 'state');
    const args = ['--seed-file', 'seed', '--invites', DEV_INVITES, '--state', 'state'];
    mkdirSync(state);
    for (const mode of [0o770, 0o702, 0o1777]) {
      chmodSync(state, mode);
      expect(await serve(...args)).toMatchObject({
        code: 2,
        err: expect.stringContaining(`chmod go-w ${state}`),
      });
      expect(readdirSync(state)).toEqual([]);
    }
  });

  it('says that a port is taken, with exit 3', async () => {
    await using issuer = await startIssuerProcess(place, { seedFile: 'seed' });
    const port = new URL(issuer.url).port;
    const args = ['issuer', 'serve', '--port', port, '--seed-file', 'seed', '--invites', DEV_INVITES];
    expect(await ccp(args)).toMatchObject({ code: 3, err: expect.stringContaining('the port is taken') });
  });

  it('says what proxies need and never the seed, and ends with 0 or 130', async () => {
    for (const [signal, code] of [
      ['SIGTERM', 0],
      ['SIGINT', 130],
    ] as const) {
      await using issuer = await startIssuerProcess(place, { seedFile: 'seed' });
      await expect.poll(() => issuer.err()).toMatch(/proxies need: CCP_LICENSE_PUBKEY_B64=test=/);
      expect(issuer.err()).not.toContain(seedText().slice('test='.length));
      issuer.child.kill(signal);
      expect(await issuer.exited).toBe(code);
    }
  });

  it('warns where it offers the invite that everybody knows to others', async () => {
    const args = ['--port', '0', '--seed-file', 'seed', '--invites', DEV_INVITES];
    await using issuer = place.run(['issuer', 'serve', '--public-url', 'https://licences.example', ...args]);
    await until('it listens', () => issuer.err().includes('proxies need'));
    await expect.poll(() => issuer.err()).toContain('offered as https://licences.example');
    await expect.poll(() => issuer.err()).toContain('warning: everybody knows the invite DEV-TRIAL-7D');
  });

  it('gives out no use twice, killed in the midst of fifty claims and started again', async () => {
    const invites = join(place.cwd, 'three.json');
    const entry = { code: 'THREE-USES', plan: 'trial', features: ['zai_offload'], days: 7, max_uses: 3 };
    writeFileSync(invites, JSON.stringify({ invites: [entry] }));
    const nonces: string[] = [];
    const claims = async (url: string, onFirst: () => void): Promise<void> => {
      const claim = async (): Promise<void> => {
        const response = await fetch(`${url}/v1/license/issue`, {
          method: 'POST',
          body: '{"invite_code":"THREE-USES"}',
          headers: { 'content-type': 'application/json' },
        });
        if (response.status === 200) nonces.push(JSON.parse(await response.text()).license.nonce);
        onFirst();
      };
      await Promise.allSettled(Array.from({ length: 50 }, claim));
    };
    {
      await using issuer = await startIssuerProcess(place, { seedFile: 'seed', invites });
      await claims(issuer.url, () => void issuer.child.kill('SIGKILL'));
    }
    {
      await using issuer = await startIssuerProcess(place, { seedFile: 'seed', invites });
      await claims(issuer.url, () => {});
    }
    const folder = join(place.home, '.local/state/ccp/default/issuer/uses');
    const [invite = ''] = readdirSync(folder);
    const uses = readdirSync(join(folder, invite)).toSorted();
    expect(uses).toEqual(['1', '2', '3']);
    const noted = uses.map((use) => readFileSync(join(folder, invite, use), 'utf8')).join('');
    expect(nonces.length).toBeGreaterThan(0);
    expect(new Set(nonces).size).toBe(nonces.length);
    for (const nonce of nonces) expect(noted).toContain(nonce);
  });

  it('gives exactly as many as there are to two issuers on one folder', async () => {
    const invites = join(place.cwd, 'three.json');
    const entry = { code: 'THREE-USES', plan: 'trial', features: [], days: 7, max_uses: 3 };
    writeFileSync(invites, JSON.stringify({ invites: [entry] }));
    await using one = await startIssuerProcess(place, { seedFile: 'seed', invites });
    await using other = await startIssuerProcess(place, { seedFile: 'seed', invites });
    const statuses = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const { url } = n % 2 === 0 ? one : other;
        const body = new URLSearchParams({ invite_code: 'THREE-USES' });
        return (await fetch(`${url}/v1/license/issue`, { method: 'POST', body })).status;
      }),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(3);
    expect(statuses.filter((status) => status === 403)).toHaveLength(47);
  });
});
