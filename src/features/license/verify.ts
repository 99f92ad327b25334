/** Whether a licence is genuine, and whether its time is now: pure functions over a pack, the keys and the time. */
import { rfc3339 } from '../../platform/clock.ts';
import { verifyEd25519 } from '../../protocol/ed25519.ts';
import { type License, type LicensePack, licenseBytes } from '../../protocol/license.ts';
import { quoted } from '../../protocol/quoted.ts';
import type { PublicKeys } from './public-keys.ts';
import { type Failure, failure } from './reasons.ts';

/** What a genuine licence says; times in epoch milliseconds. */
export interface LicenseFacts {
  readonly kid: string;
  readonly plan: string;
  readonly features: readonly string[];
  readonly subject: string;
  readonly issuedAt: number;
  /** Null: from the beginning. */
  readonly notBefore: number | null;
  readonly expiresAt: number;
}

/** A pack whose signature holds, whatever the time is. */
export interface Genuine {
  readonly ok: true;
  readonly facts: LicenseFacts;
  readonly pack: LicensePack;
}

/** What the licence is worth at a moment. */
export type LicenseState =
  | (LicenseFacts & { readonly ok: true; readonly source: string; readonly pack: LicensePack })
  | (Failure & {
      readonly source: string;
      /** What a genuine licence says whose time it is not; null for everything else, which nobody vouches for. */
      readonly facts: LicenseFacts | null;
    });

/**
 * Verifies the signature by the key that the licence's `kid` names, and by no other. Times come after the signature:
 * an expiry that somebody wrote in is a forgery and not an expiry.
 */
export function verifyPack(pack: LicensePack, keys: PublicKeys): Genuine | Failure {
  const { license, signature } = pack;
  const message = messageOf(license);
  if (message === null)
    return failure('no_canonical_form', 'a number or a text in it is not one of RFC 8785');
  if (keys.size === 0) return failure('no_keys');
  const key = keys.get(license.kid);
  if (key === undefined) return failure('unknown_kid', quoted(license.kid));
  const isBy = (by: Uint8Array): boolean => verifyEd25519(message, Buffer.from(signature, 'base64'), by);
  if (!isBy(key)) {
    const [signer] = [...keys].find(([, other]) => isBy(other)) ?? [];
    if (signer === undefined) return failure('tampered');
    return failure('wrong_key', `it says ${quoted(license.kid)}, and the key is ${quoted(signer)}`);
  }
  const facts = factsOf(license);
  const { issuedAt, notBefore, expiresAt } = facts;
  if (expiresAt <= Math.max(issuedAt, notBefore ?? issuedAt)) {
    return failure('bad_times', `it ends at ${rfc3339(expiresAt)}, not after it begins`);
  }
  return { ok: true, facts, pack };
}

/** What was found is worth at `now` (epoch milliseconds): from not_before on, and until expires_at, not a moment longer. */
export function stateAt(found: Genuine | Failure, now: number, source: string): LicenseState {
  if (!found.ok) return { ...found, source, facts: null };
  const { facts, pack } = found;
  if (now >= facts.expiresAt) return { ...failure('expired', rfc3339(facts.expiresAt)), source, facts };
  if (facts.notBefore !== null && now < facts.notBefore) {
    return { ...failure('not_yet_valid', `before ${rfc3339(facts.notBefore)}`), source, facts };
  }
  return { ok: true, ...facts, source, pack };
}

/** The next moment (epoch milliseconds) at which `stateAt` says something else; infinity where it never does. */
export function changesAt(found: Genuine | Failure, now: number): number {
  if (!found.ok) return Number.POSITIVE_INFINITY;
  const { notBefore, expiresAt } = found.facts;
  return [notBefore ?? now, expiresAt].find((moment) => moment > now) ?? Number.POSITIVE_INFINITY;
}

function messageOf(license: License): Buffer | null {
  try {
    return licenseBytes(license);
  } catch {
    return null;
  }
}

function factsOf({ kid, plan, features, subject, issued_at, not_before, expires_at }: License): LicenseFacts {
  return {
    kid,
    plan,
    features: [...features],
    subject,
    issuedAt: Date.parse(issued_at),
    notBefore: not_before === undefined ? null : Date.parse(not_before),
    expiresAt: Date.parse(expires_at),
  };
}
