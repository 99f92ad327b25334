/** An independent program must agree on what is signed and how, in both directions. */
import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { licenseBytes } from '../../protocol/license.ts';
import { readPack, readPair } from './read-pack.ts';
import { createTestIssuer } from './testing/test-issuer.ts';
import { verifyPack } from './verify.ts';

/** Null where there is none, or one whose `pkeyutl` does not know -rawin for Ed25519 (LibreSSL, OpenSSL 1). */
function opensslVersion(): string | null {
  try {
    const version = execFileSync('openssl', ['version'], { encoding: 'utf8', stdio: 'pipe' });
    return version.startsWith('OpenSSL 3') ? version : null;
  } catch {
    return null;
  }
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ccp-openssl-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string): string => join(folder, name);
const openssl = (...args: string[]): string =>
  execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe', cwd: folder });

describe.skipIf(opensslVersion() === null)(
  'the openssl command line (skipped where there is no OpenSSL 3)',
  () => {
    it('verifies a pack of ours, and refuses one that was changed', () => {
      const issuer = createTestIssuer();
      const { license, signature } = issuer.mint({ note: 'ü' });
      const key = createPublicKey({
        format: 'jwk',
        key: { kty: 'OKP', crv: 'Ed25519', x: issuer.publicKey.toString('base64url') },
      });
      writeFileSync(file('key.pem'), key.export({ format: 'pem', type: 'spki' }));
      writeFileSync(file('sig.bin'), Buffer.from(signature, 'base64'));
      const verify = (message: Uint8Array): string => {
        writeFileSync(file('message'), message);
        return openssl(
          ...'pkeyutl -verify -pubin -inkey key.pem -rawin -in message -sigfile sig.bin'.split(' '),
        );
      };
      expect(verify(licenseBytes(license))).toContain('Signature Verified Successfully');
      expect(() => verify(licenseBytes({ ...license, plan: 'pro' }))).toThrow('pkeyutl -verify');
    });

    it('makes a key and a signature that we accept, of a licence written in canonical form by hand', () => {
      openssl(...'genpkey -algorithm ed25519 -out seed.pem'.split(' '));
      openssl(...'pkey -in seed.pem -pubout -outform DER -out key.der'.split(' '));
      const publicKey = execFileSync('tail', ['-c', '32', file('key.der')]);
      const canonical =
        '{"expires_at":"2036-01-01T00:00:00Z","features":["zai_offload"],"issued_at":"2026-01-01T00:00:00Z",' +
        '"kid":"openssl","nonce":"1","plan":"trial","subject":"ü@example.com"}';
      writeFileSync(file('message'), canonical);
      openssl(...'pkeyutl -sign -inkey seed.pem -rawin -in message -out sig.bin'.split(' '));
      const signature = openssl(...'base64 -A -in sig.bin'.split(' '));

      const keys = new Map([['openssl', publicKey]]);
      const pair = readPair(Buffer.from(canonical), Buffer.from(signature));
      const pack = readPack(Buffer.from(`{"signature":"${signature}",\n "license": ${canonical}}`));
      for (const reading of [pair, pack]) {
        expect(reading.ok && verifyPack(reading.pack, keys)).toMatchObject({
          ok: true,
          facts: { kid: 'openssl' },
        });
      }
      const changed = readPair(Buffer.from(canonical.replace('trial', 'pro')), Buffer.from(signature));
      expect(changed.ok && verifyPack(changed.pack, keys)).toMatchObject({ reason: 'tampered' });
    });
  },
);
