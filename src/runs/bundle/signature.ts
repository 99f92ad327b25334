/**
 * The detached Ed25519 signature (RFC 8032) of a bundle's `SHA256SUMS`. By the judge's own hand: the code under test signs
 * licences and policies, and has no part in what is said of it. Seeds are written as for those: `BASE64`, or `KID=BASE64`.
 */
import { createPublicKey, verify } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import nacl from 'tweetnacl';
import { OperatorError } from '../../errors.ts';
import { Refusal } from './refusal.ts';

export interface SigningSeed {
  readonly bytes: Buffer;
  /** As it stands in its file, to be searched for. */
  readonly text: string;
}

/** 32 bytes are 43 characters and one of padding; seeds and public keys look the same. */
const KEY = /^(?:[\w.:-]{1,128}=)?([A-Za-z0-9+/]{43}=)$/;
/** `CCP_LICENSE_PUBKEY_B64=KID=BASE64`, as `ccp issuer keygen` prints it for a proxy; also as a shell takes it. */
const SETTING = /^(?:export\s+)?[A-Z][A-Z0-9_]{0,127}=(["']?)(.*)\1$/;
const HEX = /^[0-9a-f]{64}$/i;

/** Reads the file that `ccp issuer keygen --out FILE` makes. Throws `CONFIG`, never with what stands in it. */
export async function readSeed(file: string): Promise<SigningSeed> {
  // The two look the same inside.
  if (file.endsWith('.pub')) {
    throw new OperatorError(
      'CONFIG',
      `${file} is a public key by its name, and a bundle is signed with a seed`,
      {
        hint: 'Name the file that "ccp issuer keygen --for bundles --out FILE" made.',
      },
    );
  }
  const text = await readSmall(file, 'the seed file');
  const bytes = keyIn(text);
  if (bytes === null) {
    throw new OperatorError('CONFIG', `${file} does not hold a signing seed`, {
      hint: 'It must be one line KID=BASE64, the base64 being that of 32 bytes; "ccp issuer keygen --for bundles --out FILE" makes one.',
    });
  }
  if (((await stat(file)).mode & 0o077) !== 0) {
    throw new OperatorError('CONFIG', `the seed file ${file} can be read or written by others`, {
      hint: `Run: chmod 600 ${file} (and make a new key if somebody else may have read this one).`,
    });
  }
  return { bytes, text: bytes.toString('base64') };
}

/**
 * A public key as typed, or as it stands in the file that is named: hex, base64, `KID=BASE64`, the line that `ccp issuer
 * keygen` prints, or PEM (SPKI). Throws `CONFIG`, never with what was typed: it may be the seed that should have stayed at
 * home.
 */
export async function readPublicKey(typed: string, resolve: (name: string) => string): Promise<Buffer> {
  const key = publicKeyIn(typed);
  if (key !== null) return key;
  const isName = typed.length <= LONGEST_KEY_FILE && !typed.includes('\n') && typed !== '';
  const file = resolve(typed);
  const found = isName ? await stat(file).catch(() => null) : null;
  if (found === null)
    throw new OperatorError('CONFIG', '--pubkey is neither a public key nor a file', { hint: KEY_FORMS });
  if (file.endsWith('.seed')) throw isSeed(`${file} is by its name a seed, which is secret`);
  const text = await readSmall(file, 'the public key');
  const inFile = publicKeyIn(text);
  if (inFile !== null) return inFile;
  const what = /PRIVATE KEY-----/.test(text)
    ? 'holds a private key, and no public one'
    : 'holds no public key';
  throw new OperatorError('CONFIG', `${file} ${what}`, { hint: KEY_FORMS });
}

const KEY_FORMS =
  'An Ed25519 public key is 32 bytes in hex or base64, KID=BASE64, the line that "ccp issuer keygen" prints, or PEM ("BEGIN PUBLIC KEY"); "ccp-uat bundle --sign" prints it.';

const isSeed = (what: string): OperatorError =>
  new OperatorError('CONFIG', `${what}, and --pubkey takes the public key that belongs to it`, {
    hint: 'Whoever has the seed can sign for its owner: ask for the public key, which "ccp-uat bundle --sign" printed, and tell the owner if this seed went through other hands.',
  });

function publicKeyIn(text: string): Buffer | null {
  const trimmed = text.trim();
  if (HEX.test(trimmed)) return Buffer.from(trimmed, 'hex');
  if (trimmed.startsWith('-----BEGIN PUBLIC KEY-----')) return keyInPem(trimmed);
  return keyIn(trimmed) ?? keyIn(SETTING.exec(trimmed)?.[2] ?? '');
}

function keyInPem(pem: string): Buffer | null {
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType !== 'ed25519') return null;
    return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
  } catch {
    return null;
  }
}

/** As `SHA256SUMS.sig` holds it: base64, as `ccp policy sign` writes it, and a line end. */
export function signatureText(message: Uint8Array, { bytes }: SigningSeed): string {
  const { secretKey } = nacl.sign.keyPair.fromSeed(bytes);
  return `${Buffer.from(nacl.sign.detached(message, secretKey)).toString('base64')}\n`;
}

export function publicKeyOf({ bytes }: SigningSeed): string {
  return Buffer.from(nacl.sign.keyPair.fromSeed(bytes).publicKey).toString('base64');
}

/** What RFC 8410 puts before the 32 bytes of a public key in its DER form. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * Throws a `Refusal` where the text is no signature, or not of this message by this key, and CONFIG where what is given for the
 * key is the seed that signed it: only then can it be known for one. Both libraries must agree:
 * tweetnacl takes malleated signatures (S + L) and keys of small order.
 */
export function mustBeSigned(message: Uint8Array, text: string, publicKey: Uint8Array): void {
  const signature = Buffer.from(text, 'base64');
  if (signature.length !== nacl.sign.signatureLength || `${signature.toString('base64')}\n` !== text)
    throw new Refusal('signature_form', 'it is not the base64 of 64 bytes and a line end');
  if (agree(message, signature, publicKey)) return;
  if (agree(message, signature, nacl.sign.keyPair.fromSeed(publicKey).publicKey))
    throw isSeed('--pubkey was given the very seed that signed the bundle, which is secret');
  throw new Refusal('wrong_signature', 'another key has signed, or something else was signed');
}

function agree(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  try {
    const der = Buffer.concat([SPKI_PREFIX, publicKey]);
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    return verify(null, message, key, signature) && nacl.sign.detached.verify(message, signature, publicKey);
  } catch {
    return false;
  }
}

/** Standard base64 in its one canonical form; null where the text is no key. */
function keyIn(text: string): Buffer | null {
  const base64 = KEY.exec(text.trim())?.[1];
  const bytes = Buffer.from(base64 ?? '', 'base64');
  return base64 !== undefined && bytes.toString('base64') === base64 ? bytes : null;
}

const LONGEST_KEY_FILE = 1024;

async function readSmall(file: string, what: string): Promise<string> {
  try {
    const found = await stat(file);
    if (!found.isFile()) throw new OperatorError('CONFIG', `${what} ${file} is no file`);
    return (await readFile(file)).toString('latin1', 0, LONGEST_KEY_FILE);
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new OperatorError('CONFIG', `${what} ${file} cannot be read: ${reason}`, {
      hint: 'Check the name.',
      cause: error,
    });
  }
}
