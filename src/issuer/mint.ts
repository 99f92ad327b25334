import { z } from 'zod';
import { rfc3339 } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import { signEd25519 } from '../protocol/ed25519.ts';
import { type License, type LicensePack, licenseBytes } from '../protocol/license.ts';
import type { SigningKey } from './signing-key.ts';

const DAY_MS = 86_400_000;

/** Ten years. */
const MAX_DAYS = 3660;
const DAYS_ALLOWED = `must be a whole number from 1 to ${MAX_DAYS}`;

/** RFC 3339 has years of four digits. */
const LATEST_BEGINNING = Date.parse('9999-12-31T23:59:59.999Z') - MAX_DAYS * DAY_MS;

/** Half a surrogate pair has no canonical form, and control characters no business on a terminal. */
const text = z.string().regex(/^[^\p{Cc}\p{Cs}]+$/u, 'is empty, or holds what is no text');
const name = text.max(128, 'is too long');

/** What a licence grants, and to whom. */
export const grantSchema = z.object({
  plan: name,
  features: z.array(name).max(64, 'are too many').readonly(),
  subject: text.max(320, 'is too long'),
  /** How long it lasts from its beginning on. */
  days: z.int(DAYS_ALLOWED).min(1, DAYS_ALLOWED).max(MAX_DAYS, DAYS_ALLOWED),
  /** Epoch milliseconds, from a time as RFC 3339 writes it; null: from now on. */
  notBefore: z.iso
    .datetime('must be a time like 2030-01-31T00:00:00Z')
    .transform(Date.parse)
    .refine((ms) => ms <= LATEST_BEGINNING, `must be ${MAX_DAYS} days before the year 10000, or earlier`)
    .nullable(),
});

export type Grant = z.infer<typeof grantSchema>;

/** Makes a licence and signs it. `now` in epoch milliseconds. */
export function mintPack(
  { plan, features, subject, days, notBefore }: Grant,
  { key, now, random }: { readonly key: SigningKey; readonly now: number; readonly random: Random },
): LicensePack {
  const license: License = {
    kid: key.kid,
    plan,
    features: [...features],
    subject,
    issued_at: rfc3339(now),
    ...(notBefore !== null && { not_before: rfc3339(notBefore) }),
    expires_at: rfc3339((notBefore ?? now) + days * DAY_MS),
    nonce: random.bytes(16).toString('hex'),
  };
  return { license, signature: signEd25519(licenseBytes(license), key.seed).toString('base64') };
}
