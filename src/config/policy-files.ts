/** Policy packs in files, for whoever publishes them: signed, and judged as a proxy would. */
import { OperatorError } from '../errors.ts';
import { POLICY_KEY_ALLOWED, parsePolicyKey } from '../features/policy/keys.ts';
import { type PolicyPack, readPolicyPack } from '../features/policy/policy-pack.ts';
import { type Judged, POLICY_REMEDIES, type Refusal } from '../features/policy/reasons.ts';
import { readSignature } from '../features/policy/signature-file.ts';
import { openPolicyPack, timeTrouble } from '../features/policy/verify-policy.ts';
import { publicKeyOf, signEd25519 } from '../protocol/ed25519.ts';
import { readSmallFile } from './read-small-file.ts';

export type { PolicyPack } from '../features/policy/policy-pack.ts';
export { writeSignature } from '../features/policy/signature-file.ts';

/** The bytes of a file that a person named. Throws `USAGE` where there is none, `CONFIG` where it can't be read. */
export function readNamedFile(path: string): Buffer {
  const bytes = readSmallFile(path);
  if (bytes === null) throw new OperatorError('USAGE', `there is no file ${path}`);
  return bytes;
}

/** Reads a seed out of `place` (a file, a variable). Throws `CONFIG`, never with the seed in it. */
export function parsePolicySeed(text: string, place: string): Buffer {
  const seed = parsePolicyKey(text);
  if (seed !== null) return seed;
  throw new OperatorError('CONFIG', `${place} holds no seed`, { hint: `It must be ${POLICY_KEY_ALLOWED}.` });
}

export interface Signed {
  readonly pack: PolicyPack;
  /** Standard base64. */
  readonly signature: string;
  /** Standard base64, for CCP_POLICY_PUBKEY. */
  readonly publicKey: string;
}

/**
 * Signs the exact bytes of a pack that proxies would take. Throws `CONFIG` where they would not, whoever signed it.
 * @param now epoch milliseconds
 */
export function signPolicy(bytes: Buffer, seed: Buffer, now: number): Signed {
  const pack = readPolicyPack(bytes);
  if (!pack.ok) throw refused(pack);
  const late = timeTrouble(pack.value, now);
  // One that is issued for later may be signed today.
  if (late?.reason === 'expired') throw refused(late);
  return {
    pack: pack.value,
    signature: signEd25519(bytes, seed).toString('base64'),
    publicKey: publicKeyOf(seed).toString('base64'),
  };
}

const refused = ({ reason, detail }: Refusal): OperatorError =>
  new OperatorError('CONFIG', `${detail} (${reason})`, { hint: POLICY_REMEDIES[reason] });

export interface PolicyFiles {
  readonly pack: Uint8Array;
  /** `policy.json.sig`, as published. */
  readonly signature: Uint8Array;
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** What a proxy would say of a signed pack at `now` (epoch milliseconds), one that has seen none before. */
export function judgePolicy(files: PolicyFiles, now: number): Judged<PolicyPack> {
  const signature = readSignature(files.signature);
  if (!signature.ok) return signature;
  const { pack: bytes, publicKey } = files;
  const pack = openPolicyPack({ bytes, signature: signature.value, publicKey });
  return pack.ok ? (timeTrouble(pack.value, now) ?? pack) : pack;
}

export const remedyFor = ({ reason }: Refusal): string => POLICY_REMEDIES[reason];
