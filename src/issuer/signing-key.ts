/**
 * The key that licences are signed with, as its owner keeps it: one line `KID=BASE64SEED`. No message and no output
 * of this file ever shows a seed.
 */
import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OperatorError } from '../errors.ts';
import { hasCode, makeFolder } from '../platform/files.ts';
import type { Random } from '../platform/random.ts';
import { publicKeyOf, SEED_BYTES } from '../protocol/ed25519.ts';

export interface SigningKey {
  readonly kid: string;
  readonly seed: Uint8Array;
}

/** Part of a comma-separated `KID=BASE64` list on the proxy's side: no comma, no equals sign, no space. */
const KID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** 32 bytes in standard base64; the last letter carries two bits of nothing, which must be zero. */
const SEED = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;
const LONGEST_FILE = 1024;

export const isKid = (text: string): boolean => KID.test(text);

/** Reads `KID=BASE64SEED`. Throws `CONFIG`, naming `place` (a file, a variable) and never the text. */
export function parseSigningKey(text: string, place: string): SigningKey {
  const line = text.trim();
  const split = line.indexOf('=');
  const [kid, base64] = [line.slice(0, split), line.slice(split + 1)];
  if (split > 0 && isKid(kid) && SEED.test(base64)) return { kid, seed: Buffer.from(base64, 'base64') };
  throw new OperatorError('CONFIG', `${place} does not hold a signing seed`, {
    hint: `It must be one line KID=BASE64, the base64 being that of ${SEED_BYTES} bytes; "ccp issuer keygen --out FILE" makes one.`,
  });
}

/** Reads a seed file. Throws `CONFIG` where it is missing, is no file, holds no seed, or others may read it. */
export const readSeedFile = (path: string): SigningKey =>
  readSecretFile(path, (text) => parseSigningKey(text, path));

/**
 * What `parse` reads in a file that holds a seed. Throws `CONFIG` where it is missing, is no file, what `parse` throws,
 * and, where it is a seed after all, that others may read it.
 */
export function readSecretFile<T>(path: string, parse: (text: string) => T): T {
  let fd: number;
  try {
    // Without blocking: a pipe of that name must not hang the program.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw new OperatorError('CONFIG', `the seed file ${path} cannot be read: ${reasonOf(cause)}`, {
      hint: 'Name the file that "ccp issuer keygen --out FILE" made.',
      cause,
    });
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw new OperatorError('CONFIG', `the seed file ${path} is no file`);
    const bytes = Buffer.alloc(LONGEST_FILE);
    const secret = parse(bytes.toString('utf8', 0, readSync(fd, bytes, 0, LONGEST_FILE, 0)));
    if ((stats.mode & 0o077) !== 0) {
      throw new OperatorError('CONFIG', `the seed file ${path} can be read or written by others`, {
        hint: `Run: chmod 600 ${path} (and make a new key if somebody else may have read this one).`,
      });
    }
    return secret;
  } finally {
    closeSync(fd);
  }
}

/** Makes a key and writes it to a new file (0600), which is never an existing one. Throws `CONFIG`. */
export function makeSeedFile(path: string, kid: string, random: Random): SigningKey {
  const key = { kid, seed: random.bytes(SEED_BYTES) };
  makeFolder(dirname(path));
  let fd: number;
  try {
    fd = openSync(path, 'wx', 0o600);
  } catch (cause) {
    if (!hasCode(cause, 'EEXIST')) throw cause;
    if (statSync(path).isDirectory()) {
      throw new OperatorError('CONFIG', `${path} is a folder`, {
        hint: `Name a new file in it: ${join(path, 'NAME.seed')}.`,
        cause,
      });
    }
    throw new OperatorError('CONFIG', `${path} is there already, and a seed is never overwritten`, {
      hint: 'Choose another name: without the old seed nothing more can be signed by that key.',
      cause,
    });
  }
  try {
    writeSync(fd, `${kid}=${Buffer.from(key.seed).toString('base64')}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  return key;
}

/** What a proxy is told to accept this key: an item of CCP_LICENSE_PUBKEY_B64. */
export function publicLine({ kid, seed }: SigningKey): string {
  return `${kid}=${publicKeyOf(seed).toString('base64')}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
