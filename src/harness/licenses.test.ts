import { createPublicKey, verify } from 'node:crypto';
import canonicalize from 'canonicalize';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createCanaries } from './canaries.ts';
import { createLicenses } from './licenses.ts';
import type { Stage } from './types/world.ts';

const NOW = Date.UTC(2026, 10, 21, 6, 45);
const KINDS = ['trial', 'tampered', 'expired', 'wrong-kid', 'unsigned'] as const;

const packSchema = z.object({
  license: z.looseObject({
    kid: z.string(),
    features: z.array(z.string()),
    issued_at: z.string(),
    expires_at: z.string(),
  }),
  signature: z.string().default(''),
});

function make(seed = '5eed') {
  const canaries = createCanaries(seed);
  const licenses = createLicenses(canaries, NOW, { CC_LICENSE_PACK: '/a/pack' });
  const packOf = (kind: (typeof KINDS)[number]) => packSchema.parse(JSON.parse(licenses.pack(kind)));
  return { canaries, licenses, packOf };
}

const inEnvironment = (license: Stage['license']) => ({ license, by: 'environment' }) as const;

/** Whether a pack is signed by the key of a run. */
function isSigned({ license, signature }: z.infer<typeof packSchema>, publicKey: string): boolean {
  const [kid = '', x = ''] = publicKey.replace('=', ' ').split(' ');
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(x, 'base64').toString('base64url') };
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  const bytes = Buffer.from(canonicalize(license) ?? '');
  return kid === license.kid && verify(null, bytes, key, Buffer.from(signature, 'base64'));
}

describe('the licences of a run', () => {
  it('are signed where they say so, and wrong in the one way that they are named by', () => {
    const { licenses, packOf } = make();
    expect(
      Object.fromEntries(KINDS.map((kind) => [kind, isSigned(packOf(kind), licenses.publicKey)])),
    ).toEqual({
      trial: true,
      tampered: false,
      expired: true,
      'wrong-kid': false,
      unsigned: false,
    });
    for (const kind of KINDS) expect(packOf(kind).license.features, kind).toEqual(['zai_offload']);
    const isOver = (kind: (typeof KINDS)[number]) => Date.parse(packOf(kind).license.expires_at) < NOW;
    expect(KINDS.filter(isOver)).toEqual(['expired']);
    expect(packOf('wrong-kid').license.kid).not.toBe(packOf('trial').license.kid);
  });

  it('differ from run to run, and are the same for the same seed', () => {
    expect(make('a').licenses.publicKey).toBe(make('a').licenses.publicKey);
    expect(make('a').licenses.publicKey).not.toBe(make('b').licenses.publicKey);
  });

  it('give a target what the kind says, and never the secret', () => {
    const { licenses, canaries } = make();
    const names = (kind: Parameters<typeof licenses.settings>[0]) =>
      Object.keys(licenses.settings(kind)).toSorted();
    expect(names('none')).toEqual(['CCP_LICENSE_PUBKEY_B64']);
    expect(names('trial')).toEqual(['CCP_LICENSE_PUBKEY_B64', 'CC_LICENSE_PACK']);
    expect(names('unsigned')).toEqual(['CCP_LICENSE_PUBKEY_B64', 'CC_LICENSE_JSON']);
    expect(licenses.settings('env')).toEqual({ CC_LICENSE_PACK: '/a/pack' });
    const secret = licenses.seed.slice(licenses.seed.indexOf('=') + 1);
    expect(Buffer.from(secret, 'base64').toString()).toBe(canaries.licenseSeed);
    for (const kind of [...KINDS, 'none', 'env'] as const) {
      const given = JSON.stringify([licenses.settings(kind), licenses.given(inEnvironment(kind))]);
      expect(given).not.toContain(secret);
      expect(given).not.toContain(canaries.licenseSeed);
    }
  });

  it('say what must come of them', () => {
    const { licenses, packOf } = make();
    const { kid, expires_at: expires } = packOf('trial').license;
    expect(licenses.given(inEnvironment('trial')).expected).toEqual({
      ok: true,
      plan: 'trial',
      features: ['zai_offload'],
      reason: null,
      kid,
      expires,
    });
    expect(licenses.given({ license: 'trial', by: 'login' }).expected).not.toHaveProperty('expires');
    expect(licenses.given(inEnvironment('wrong-kid')).expected).toEqual({
      ok: false,
      plan: 'community',
      features: [],
      reason: 'unknown_kid',
    });
    expect(licenses.given(inEnvironment('env')).expected).toBeNull();
  });
});
