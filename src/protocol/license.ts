/** Licences on the wire and on disk: what one says, and the bytes that its signature is over (contract, 7). */
import canonicalize from 'canonicalize';
import { z } from 'zod';

/** The licence feature that opens the built-in `zai` lane. */
export const ZAI_OFFLOAD = 'zai_offload';

const name = z.string().min(1).max(128);
const time = z.iso.datetime().describe('RFC 3339, UTC');

/** Further members are allowed and signed like these: a later issuer may know more than we do. */
export const licenseSchema = z.looseObject({
  kid: name.describe('the id of the key that signed it'),
  plan: name,
  features: z.array(name).max(64),
  subject: z.string().max(320).describe('whom it was issued to'),
  issued_at: time,
  expires_at: time,
  not_before: time.optional(),
  nonce: name,
});

export type License = z.infer<typeof licenseSchema>;

/** A licence with its signature, as a pack file holds it. */
export const licensePackSchema = z.strictObject({
  license: licenseSchema,
  signature: z.string().min(1).max(128).describe('Ed25519 over the canonical form, standard base64'),
});

export type LicensePack = z.infer<typeof licensePackSchema>;

/**
 * The bytes that a licence's signature is over: UTF-8 of its canonical form (RFC 8785). Throws where it has none:
 * a number that is not finite, a lone surrogate.
 * @param license as parsed, with every member that it came with
 */
export function licenseBytes(license: unknown): Buffer {
  const text = canonicalize(license);
  if (text === undefined) throw new TypeError('this has no canonical form');
  return Buffer.from(text);
}
