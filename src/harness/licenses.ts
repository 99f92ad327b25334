/**
 * The licences of a run, made and signed by the harness's own hand: the code under test has no part in what it is
 * tested by. Ed25519 (RFC 8032) over the canonical form (RFC 8785), as the contract says in section 7.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { License } from '../protocol/license.ts';
import type { Canaries, Licenses } from './types/world.ts';

const FEATURE = 'zai_offload';
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Made at `now` (epoch milliseconds). `callers`: what stands for the kind `env`. */
export function createLicenses(
  canaries: Pick<Canaries, 'licenseSeed' | 'add'>,
  now: number,
  callers: Readonly<Record<string, string>> = {},
): Licenses {
  const secret = Buffer.from(canaries.licenseSeed);
  const key = privateKeyOf(secret);
  // Somebody else's, whom no target of this run has heard of.
  const stranger = privateKeyOf(secret.toReversed());
  const publicKey = { CCP_LICENSE_PUBKEY_B64: `${kidOf(key)}=${publicBytes(key).toString('base64')}` };

  const trial: License = {
    kid: kidOf(key),
    plan: 'trial',
    features: [FEATURE],
    subject: 'a run of ccp-uat',
    issued_at: timeAt(now - MINUTE_MS),
    expires_at: timeAt(now + DAY_MS),
    nonce: publicBytes(stranger).toString('hex'),
  };
  const expired = { ...trial, issued_at: timeAt(now - DAY_MS), expires_at: timeAt(now - MINUTE_MS) };
  const packs = {
    trial: pack(trial, key),
    // Bought without the feature, which was then written in.
    tampered: { license: trial, signature: pack({ ...trial, features: [] }, key).signature },
    expired: pack(expired, key),
    'wrong-kid': pack({ ...trial, kid: kidOf(stranger) }, stranger),
    unsigned: { license: trial },
  } as const;
  // Whoever reads it can use the licence.
  canaries.add('license-signature', packs.trial.signature);

  return {
    publicKey: publicKey.CCP_LICENSE_PUBKEY_B64,
    seed: `${kidOf(key)}=${secret.toString('base64')}`,
    pack: (kind) => JSON.stringify(packs[kind]),
    settings(kind) {
      if (kind === 'env') return callers;
      if (kind === 'none') return publicKey;
      if (kind === 'unsigned') return { ...publicKey, CC_LICENSE_JSON: JSON.stringify(trial) };
      return { ...publicKey, CC_LICENSE_PACK: JSON.stringify(packs[kind]) };
    },
    given({ license: kind, by }) {
      if (kind === 'env') return { kind, expected: null };
      if (kind !== 'trial')
        return { kind, expected: { ok: false, plan: 'community', features: [], reason: REASONS[kind] } };
      const { plan, features, kid, expires_at: expires } = trial;
      // An issuer sets the time itself.
      const until = by === 'login' ? {} : { expires };
      return { kind, expected: { ok: true, plan, features, reason: null, kid, ...until } };
    },
  };
}

const REASONS = {
  none: 'none',
  tampered: 'tampered',
  expired: 'expired',
  'wrong-kid': 'unknown_kid',
  unsigned: 'unsigned',
} as const;

function pack(license: License, key: KeyObject): { readonly license: License; readonly signature: string } {
  const canonical = canonicalize(license);
  if (canonical === undefined) throw new TypeError('a licence has a canonical form');
  return { license, signature: sign(null, Buffer.from(canonical), key).toString('base64') };
}

/** What RFC 8410 puts before the 32 bytes of a secret seed in its DER form. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

const privateKeyOf = (seed: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });

/** The raw 32 bytes, which end the DER form. */
const publicBytes = (key: KeyObject): Buffer =>
  createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);

const kidOf = (key: KeyObject): string => `uat-${publicBytes(key).subarray(0, 4).toString('hex')}`;

/** Whole seconds: what a licence says and what a proxy says of it then have one form. */
const timeAt = (ms: number): string => new Date(Math.floor(ms / 1000) * 1000).toISOString();
