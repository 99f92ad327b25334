/** Ed25519 (RFC 8032) as licences and policy packs use it: raw 32-byte public keys, detached 64-byte signatures. */
import { createPublicKey, verify } from 'node:crypto';
import nacl from 'tweetnacl';

export const SEED_BYTES = nacl.sign.seedLength;
export const PUBLIC_KEY_BYTES = nacl.sign.publicKeyLength;
export const SIGNATURE_BYTES = nacl.sign.signatureLength;

/** What RFC 8410 puts before the 32 bytes of a public key in its DER form. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** The public key that belongs to a secret seed of 32 bytes. Throws a `RangeError` for another length. */
export function publicKeyOf(seed: Uint8Array): Buffer {
  return Buffer.from(keyPairOf(seed).publicKey);
}

/** Signs with a secret seed of 32 bytes; gives the detached signature. Throws a `RangeError` for another length. */
export function signEd25519(message: Uint8Array, seed: Uint8Array): Buffer {
  return Buffer.from(nacl.sign.detached(message, keyPairOf(seed).secretKey));
}

/**
 * Whether `signature` is that of `message` by the raw public key. Never throws. Both libraries must agree: tweetnacl
 * takes malleated signatures (S + L) and keys of small order, which node:crypto refuses.
 */
export function verifyEd25519(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || publicKey.length !== PUBLIC_KEY_BYTES) return false;
  try {
    const der = Buffer.concat([SPKI_PREFIX, publicKey]);
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    // The fast one first: tweetnacl takes milliseconds.
    return verify(null, message, key, signature) && nacl.sign.detached.verify(message, signature, publicKey);
  } catch {
    return false;
  }
}

function keyPairOf(seed: Uint8Array): nacl.SignKeyPair {
  if (seed.length !== SEED_BYTES) throw new RangeError(`a seed has ${SEED_BYTES} bytes, not ${seed.length}`);
  return nacl.sign.keyPair.fromSeed(seed);
}
