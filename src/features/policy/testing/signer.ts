/** Whoever publishes packs in a test; with a key made for it, because a key in the repository is a key given away. */
import { randomBytes } from 'node:crypto';
import { publicKeyOf, SEED_BYTES, signEd25519 } from '../../../protocol/ed25519.ts';

export interface Signer {
  readonly seed: Buffer;
  readonly publicKey: Buffer;
  /** Standard base64. */
  sign(bytes: Uint8Array): string;
}

export function createSigner(): Signer {
  const seed = randomBytes(SEED_BYTES);
  return {
    seed,
    publicKey: publicKeyOf(seed),
    sign: (bytes) => signEd25519(bytes, seed).toString('base64'),
  };
}

/** The text of a pack, valid for the year 2030 unless said otherwise. */
export function packText(part: Readonly<Record<string, unknown>> = {}): Buffer {
  const pack = {
    version: 1,
    issued_at: '2030-01-01T00:00:00Z',
    expires_at: '2031-01-01T00:00:00Z',
    routes: { '*haiku*': 'zai', 'glm-*': 'zai' },
    upstreams: { zai: 'https://zai.example/base' },
    ...part,
  };
  return Buffer.from(`${JSON.stringify(pack, null, 2)}\n`);
}

/** In the midst of that year. */
export const MID_2030 = Date.parse('2030-07-01T00:00:00Z');
