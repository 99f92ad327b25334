/** Whether a pack counts: first who signed these very bytes, then what they say, then whether their time has come, and what came before. */
import { rfc3339 } from '../../platform/clock.ts';
import { verifyEd25519 } from '../../protocol/ed25519.ts';
import { parseSignature } from './keys.ts';
import { MAX_POLICY_BYTES, type PolicyPack, readPolicyPack } from './policy-pack.ts';
import { type Judged, type Refusal, refuse } from './reasons.ts';

export interface SignedPolicy {
  /** Exactly as served. */
  readonly bytes: Uint8Array;
  /** The text of `policy.json.sig`. */
  readonly signature: string;
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** The clock of whoever signs may be ahead of ours by this much, in milliseconds. */
const SKEW_MS = 5 * 60_000;

/**
 * Opens a signed pack. The signature comes first: no other line of ours reads a byte that the holder of the key did
 * not write. Says nothing about time.
 */
export function openPolicyPack({ bytes, signature, publicKey }: SignedPolicy): Judged<PolicyPack> {
  if (bytes.length > MAX_POLICY_BYTES) return refuse('too_large', `the pack has ${bytes.length} bytes`);
  const raw = parseSignature(signature);
  if (raw === null) return refuse('bad_signature_text', 'the signature is not base64 of 64 bytes');
  if (!verifyEd25519(bytes, raw, publicKey)) {
    return refuse('bad_signature', 'the signature is not that of this pack by the public key');
  }
  return readPolicyPack(bytes);
}

/** Why a pack does not count at `now` (epoch milliseconds); null where it does. */
export function timeTrouble({ issuedAt, expiresAt }: PolicyPack, now: number): Refusal | null {
  if (issuedAt > now + SKEW_MS) {
    return refuse('not_yet_valid', `the pack is issued for ${rfc3339(issuedAt)}, which is to come`);
  }
  return expiresAt > now ? null : refuse('expired', `the pack expired at ${rfc3339(expiresAt)}`);
}

/**
 * Why a pack does not count after another one that was taken over: a server, or who stands before it, may replay an old
 * one. Null where it does.
 */
export function rollBack({ version, issuedAt }: PolicyPack, before: PolicyPack): Refusal | null {
  if (version < before.version) {
    return refuse(
      'rolled_back',
      `the pack has version ${version}, and ${before.version} was taken over before`,
    );
  }
  if (version === before.version) {
    return refuse('version_reused', `another pack of version ${version} was taken over before`);
  }
  if (issuedAt >= before.issuedAt) return null;
  const which = `before version ${before.version}, which was taken over before`;
  return refuse('rolled_back', `the pack of version ${version} was issued at ${rfc3339(issuedAt)}, ${which}`);
}
