/** An issuer for tests, with a key made for the moment. */
import { randomBytes } from 'node:crypto';
import { publicKeyOf, SEED_BYTES, signEd25519 } from '../../../protocol/ed25519.ts';
import { type License, type LicensePack, licenseBytes, ZAI_OFFLOAD } from '../../../protocol/license.ts';
import type { PublicKeys } from '../public-keys.ts';

export interface TestIssuer {
  readonly kid: string;
  readonly seed: Buffer;
  readonly publicKey: Buffer;
  /** Its entry in CCP_LICENSE_PUBKEY_B64. */
  readonly line: string;
  readonly keys: PublicKeys;
  /** A licence for `zai_offload`, from an hour ago for a week, with changes; signed. */
  readonly mint: (changes?: Readonly<Record<string, unknown>>) => LicensePack;
  /** Signs whatever it is given. */
  readonly sign: (license: unknown) => string;
}

const HOUR_MS = 3_600_000;

export function createTestIssuer(kid = 'test-key'): TestIssuer {
  const seed = randomBytes(SEED_BYTES);
  const publicKey = publicKeyOf(seed);
  const sign = (license: unknown): string => signEd25519(licenseBytes(license), seed).toString('base64');
  return {
    kid,
    seed,
    publicKey,
    line: `${kid}=${publicKey.toString('base64')}`,
    keys: new Map([[kid, publicKey]]),
    mint(changes = {}) {
      const license: License = {
        kid,
        plan: 'trial',
        features: [ZAI_OFFLOAD],
        subject: 'me@example.com',
        issued_at: new Date(Date.now() - HOUR_MS).toISOString(),
        expires_at: new Date(Date.now() + 7 * 24 * HOUR_MS).toISOString(),
        nonce: randomBytes(8).toString('hex'),
        ...changes,
      };
      return { license, signature: sign(license) };
    },
    sign,
  };
}
