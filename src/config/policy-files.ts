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
  if (late !== null) throw refused(late, late.reason === 'expired' ? LATER : NOT_LATER);
  return {
    pack: pack.value,
    signature: signEd25519(bytes, seed).toString('base64'),
    publicKey: publicKeyOf(seed).toString('base64'),
  };
}

const LATER = 'Set a later "expires_at".';
const NOT_LATER = 'Set "issued_at" to the present: no proxy takes the pack before that time.';

const refused = ({ reason, detail }: Refusal, hint: string = POLICY_REMEDIES[reason]): OperatorError =>
  new OperatorError('CONFIG', `${detail} (${reason})`, { hint });

export interface PolicyFiles {
  readonly pack: Uint8Array;
  /** `policy.json.sig`, as published. */
  readonly signature: Uint8Array;
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** Whether they belong together. */
function opens({ pack: bytes, signature, publicKey }: PolicyFiles): boolean {
  const text = readSignature(signature);
  return text.ok && openPolicyPack({ bytes, signature: text.value, publicKey }).ok;
}

/** What a proxy would say of a signed pack at `now` (epoch milliseconds), one that has seen none before. */
export function judgePolicy(files: PolicyFiles, now: number): Judged<PolicyPack> {
  const signature = readSignature(files.signature);
  if (!signature.ok) return signature;
  const { pack: bytes, publicKey } = files;
  const pack = openPolicyPack({ bytes, signature: signature.value, publicKey });
  return pack.ok ? (timeTrouble(pack.value, now) ?? pack) : pack;
}

/** What to do about a refusal of `judgePolicy`: seeds and public keys look the same, and one is given for the other. */
export function remedyFor({ reason }: Refusal, { publicKey, ...files }: PolicyFiles): string {
  const isSeed = reason === 'bad_signature' && opens({ ...files, publicKey: publicKeyOf(publicKey) });
  return isSeed ? SEED_GIVEN : POLICY_REMEDIES[reason];
}

const SEED_GIVEN =
  'What was given as the public key is the secret seed: give the line CCP_POLICY_PUBKEY that "ccp policy sign" prints.';
