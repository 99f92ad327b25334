/**
 * From bytes to a licence with its signature. What was parsed is kept as it is: the signature is over every member, and
 * a copy made by a schema may lack one.
 */
import { isRecord, type JsonRecord } from '../../protocol/json.ts';
import { type License, type LicensePack, licenseSchema } from '../../protocol/license.ts';
import { quoted } from '../../protocol/quoted.ts';
import { problemWithPlace, readStrictJson } from '../../protocol/strict-json.ts';
import { type Failure, failure } from './reasons.ts';

/** A licence has some hundred bytes; what is larger than this is another file. */
export const MAX_PACK_BYTES = 64 * 1024;

export type Reading = { readonly ok: true; readonly pack: LicensePack } | Failure;

/**
 * Reads a pack, `{license, signature}`; or the answer of an issuer: the same with the signature as `sigB64`, or as
 * `pack` of an object. Nothing is verified yet.
 */
export function readPack(bytes: Uint8Array): Reading {
  const parsed = parse(bytes);
  if (!parsed.ok) return parsed;
  const { value } = parsed;
  const only = isRecord(value) && Object.keys(value).join() === 'pack' ? value['pack'] : value;
  if (!isRecord(only)) return failure('malformed', 'it is no JSON object');
  if (!Object.hasOwn(only, 'license')) {
    return Object.hasOwn(only, 'kid') ? failure('unsigned') : failure('malformed', 'it has no "license"');
  }
  const { license, ...rest } = only;
  const signature = signatureIn(rest);
  return typeof signature === 'string' ? join(license, signature) : signature;
}

/** Reads a licence and its signature that come apart. The signature may have white space around it. */
export function readPair(license: Uint8Array, signature: Uint8Array): Reading {
  const parsed = parse(license);
  if (!parsed.ok) return parsed;
  if (isRecord(parsed.value) && Object.hasOwn(parsed.value, 'license')) {
    return failure('signed_twice');
  }
  return join(
    parsed.value,
    Buffer.from(signature)
      .toString('latin1')
      .replaceAll(/^[ \t\r\n]+|[ \t\r\n]+$/g, ''),
  );
}

function parse(bytes: Uint8Array): { readonly ok: true; readonly value: unknown } | Failure {
  if (bytes.length > MAX_PACK_BYTES) return failure('too_large', `more than ${MAX_PACK_BYTES} bytes`);
  const json = readStrictJson(bytes);
  return json.ok ? json : failure(json.reason, `it ${problemWithPlace(json)}`);
}

/** The signature among what stands beside the licence; an issuer may write it under both names. */
function signatureIn({ signature, sigB64, ...others }: JsonRecord): string | Failure {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return failure('malformed', `unknown key ${quoted(unknown)}`);
  const [given, ...more] = [signature, sigB64].filter((text) => text !== undefined);
  if (given === undefined) return failure('unsigned');
  if (typeof given !== 'string') return failure('malformed', 'the signature is no text');
  return more.every((text) => text === given)
    ? given
    : failure('malformed', '"signature" and "sigB64" differ');
}

function join(license: unknown, signature: string): Reading {
  const problem = problemOf(license);
  if (problem !== null || !isLicense(license)) return failure('malformed', problem ?? '');
  return isSignature(signature) ? { ok: true, pack: { license, signature } } : failure('bad_signature_text');
}

/** The first thing that is wrong with a licence, by its place; null where nothing is. */
function problemOf(license: unknown): string | null {
  const [issue] = licenseSchema.safeParse(license).error?.issues ?? [];
  return issue === undefined ? null : `${['license', ...issue.path].join('.')}: ${issue.message}`;
}

const isLicense = (value: unknown): value is License => licenseSchema.safeParse(value).success;

/** 64 bytes have one spelling only: a decoder that shrugs at the rest would let a signature be written in many ways. */
function isSignature(text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === 64 && bytes.toString('base64') === text;
}
