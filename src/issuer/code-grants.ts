/** Authorization codes of the loopback redirect (RFC 8252), each bound to its PKCE challenge (RFC 7636). */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../platform/clock.ts';
import { type Random, randomToken } from '../platform/random.ts';
import type { Claim } from './desk.ts';

export interface CodeGrant {
  readonly claim: Claim;
  readonly redirectUri: string;
  /** Base64url of the SHA-256 of the verifier. */
  readonly challenge: string;
}

export interface CodeGrants {
  /** Null where too many are outstanding. */
  make(grant: CodeGrant): string | null;
  /** The claim behind a code, once, within a minute, for who holds the verifier; else null. Any try spends the code. */
  spend(proof: {
    readonly code: string;
    readonly verifier: string;
    readonly redirectUri: string;
  }): Claim | null;
}

const LIFETIME_MS = 60_000;
const MAX_GRANTS = 5_000;

export function createCodeGrants({ clock, random }: { clock: Clock; random: Random }): CodeGrants {
  const grants = new Map<string, CodeGrant & { readonly expiresAt: number }>();
  return {
    make(grant) {
      const now = clock.monotonic();
      for (const [key, { expiresAt }] of grants) if (now >= expiresAt) grants.delete(key);
      if (grants.size >= MAX_GRANTS) return null;
      const code = randomToken(random);
      grants.set(sha256(code).toString('hex'), { ...grant, expiresAt: now + LIFETIME_MS });
      return code;
    },
    spend({ code, verifier, redirectUri }) {
      const key = sha256(code).toString('hex');
      const grant = grants.get(key);
      if (grant === undefined) return null;
      grants.delete(key);
      if (clock.monotonic() >= grant.expiresAt || redirectUri !== grant.redirectUri) return null;
      const challenge = Buffer.from(grant.challenge, 'base64url');
      return timingSafeEqual(sha256(verifier), challenge) ? grant.claim : null;
    },
  };
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
