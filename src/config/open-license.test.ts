import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestIssuer } from '../features/license/testing/test-issuer.ts';
import { type LoadedCcp, loadCcpSettings } from './ccp-settings.ts';
import { examinePack, examinePair, judgeLicense } from './open-license.ts';

const issuer = createTestIssuer();
const pack = issuer.mint();
const PACK = JSON.stringify(pack);

let root: string;
let stored: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ccp-open-license-'));
  stored = join(root, 'home/.config/ccp/license.pack');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

type Given = Partial<Pick<Parameters<typeof loadCcpSettings>[0], 'env' | 'flags'>>;
function load({ env = {}, flags = {} }: Given = {}): LoadedCcp {
  mkdirSync(join(root, 'cwd'), { recursive: true });
  return loadCcpSettings({
    env: { CCP_LICENSE_PUBKEY_B64: issuer.line, ...env },
    flags,
    cwd: join(root, 'cwd'),
    home: join(root, 'home'),
  });
}
function worth(given: Given = {}): string {
  const state = judgeLicense(load(given), Date.now());
  return `${state.ok ? 'ok' : state.reason} ${state.source}`;
}

describe('the licence that counts', () => {
  it('is found by a path from the working directory or the home, or is the text itself', () => {
    write(join(root, 'cwd/in/cwd.pack'), PACK);
    write(join(root, 'home/at home.pack'), PACK);
    expect(worth({ env: { CC_LICENSE_PACK: 'in/cwd.pack' } })).toBe(
      `ok CC_LICENSE_PACK (${root}/cwd/in/cwd.pack)`,
    );
    expect(worth({ env: { CC_LICENSE_PACK: '~/at home.pack' } })).toContain('ok ');
    expect(worth({ env: { CC_LICENSE_PACK: `\n  ${PACK}` } })).toBe('ok CC_LICENSE_PACK');
    expect(worth({ flags: { licensePack: 'in/cwd.pack' }, env: { CC_LICENSE_JSON: '{}' } })).toContain(
      'ok --license-pack',
    );
  });

  it('is that of the profile', () => {
    write(stored, PACK);
    expect(worth()).toBe(`ok ${stored}`);
    const own = join(root, 'home/.config/ccp/prod/license.pack');
    expect(worth({ env: { CCP_PROFILE: 'prod' } })).toBe(`none ${own}`);
  });

  it('is none that a stranger left in the working directory, nor is a key of his', () => {
    const stranger = createTestIssuer('stranger');
    const lines = [
      `CC_LICENSE_PACK='${JSON.stringify(stranger.mint())}'`,
      `CCP_LICENSE_PUBKEY_B64=${stranger.line}`,
    ];
    write(join(root, 'cwd/.env'), lines.join('\n'));
    expect(worth({ env: { CCP_LICENSE_PUBKEY_B64: '' } })).toBe(`none ${stored}`);
    expect(load().warnings.join()).toContain('CC_LICENSE_PACK, CCP_LICENSE_PUBKEY_B64 ignored');
  });
});

describe('a place that is no plain file', () => {
  it('is followed where it is a link, holds nothing where that leads nowhere, and is wrong where it goes round', () => {
    write(join(root, 'elsewhere'), PACK);
    mkdirSync(dirname(stored), { recursive: true });
    for (const [target, expected] of [
      [join(root, 'elsewhere'), 'ok'],
      [join(root, 'absent'), 'none'],
      [stored, 'unreadable'],
    ] as const) {
      rmSync(stored, { force: true });
      symlinkSync(target, stored);
      expect(worth()).toBe(`${expected} ${stored}`);
    }
  });

  it('is refused without waiting for it: a pipe, a folder, a file of someone else', {
    timeout: 5_000,
  }, () => {
    mkdirSync(dirname(stored), { recursive: true });
    execFileSync('mkfifo', [stored]);
    expect(worth()).toBe(`unreadable ${stored}`);
    rmSync(stored);
    mkdirSync(stored);
    expect(worth()).toBe(`unreadable ${stored}`);
    expect(worth({ env: { CC_LICENSE_PACK: 'absent\0' } })).toContain('unreadable');
    // The superuser may read everything.
    if (process.getuid?.() !== 0) {
      const locked = write(join(root, 'locked'), PACK);
      chmodSync(locked, 0);
      expect(worth({ env: { CC_LICENSE_PACK: locked } })).toContain('unreadable');
    }
  });
});

it('examines a text that is not stored yet by the same keys', () => {
  const license = Buffer.from(JSON.stringify(pack.license));
  expect(examinePack(load(), PACK, Date.now())).toMatchObject({ ok: true, plan: 'trial', pack });
  expect(examinePair(load(), { license, signature: Buffer.from(pack.signature) }, Date.now()).ok).toBe(true);
  expect(examinePack(load({ env: { CCP_LICENSE_PUBKEY_B64: '' } }), PACK, Date.now())).toMatchObject({
    reason: 'no_keys',
  });
  expect(examinePack(load(), PACK, Date.parse(pack.license.expires_at))).toMatchObject({ reason: 'expired' });
});

it('names a path that is none, and not the licence or signature that somebody put there', () => {
  const sentence = (env: Record<string, string>): string => {
    const state = judgeLicense(load({ env }), Date.now());
    return state.ok ? 'ok' : `${state.reason} ${state.detail} (${state.source})`;
  };
  expect(sentence({ CC_LICENSE_JSON: JSON.stringify(pack.license), CC_LICENSE_SIG: '/nonexist' })).toContain(
    'unreadable there is no file /nonexist, and it is no signature',
  );
  const CC_LICENSE_PACK = Buffer.from(PACK).toString('base64url');
  expect(sentence({ CC_LICENSE_PACK })).toMatch(
    /^unreadable there is no file \S+… \(CC_LICENSE_PACK \(\S+…\)\)$/,
  );
  expect(sentence({ CC_LICENSE_PACK })).not.toContain(CC_LICENSE_PACK.slice(0, 100));
  expect(load({ env: { CC_LICENSE_PACK } }).shown.licensePack).not.toContain(CC_LICENSE_PACK.slice(0, 100));
});

it('never shows a licence or a signature among the settings, only where they come from', () => {
  const shown = (env: Record<string, string>) => {
    const { licenseJson, licenseSig, licensePack } = load({ env }).shown;
    return [licenseJson, licenseSig, licensePack];
  };
  expect(
    shown({ CC_LICENSE_JSON: '{"a":1}', CC_LICENSE_SIG: pack.signature, CC_LICENSE_PACK: PACK }),
  ).toEqual(['(set)', '(set)', '(set)']);
  expect(shown({ CC_LICENSE_JSON: 'a', CC_LICENSE_SIG: '~/b' })).toEqual([
    `${root}/cwd/a`,
    `${root}/home/b`,
    null,
  ]);
});
