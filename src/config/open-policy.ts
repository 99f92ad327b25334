/** Policy packs from loaded settings: for the proxy, and for the commands that only look. */
import { OperatorError } from '../errors.ts';
import { POLICY_KEY_ALLOWED, parsePolicyKey } from '../features/policy/keys.ts';
import {
  createPolicy,
  type Policy,
  type PolicyOptions,
  type PolicySource,
} from '../features/policy/policy.ts';
import { MAX_CACHE_BYTES, readPolicyCache } from '../features/policy/policy-cache.ts';
import type { PolicyPack } from '../features/policy/policy-pack.ts';
import { explainRefusal, POLICY_REMEDIES, type Refusal } from '../features/policy/reasons.ts';
import { rollBack, timeTrouble } from '../features/policy/verify-policy.ts';
import type { Routing } from '../features/routing/routing.ts';
import type { LoadedCcp } from './ccp-settings.ts';
import { readSmallFile } from './read-small-file.ts';

/** The policy feature of the proxy. Throws `CONFIG` where the public key can't be read. */
export function openPolicy(loaded: LoadedCcp, ports: Omit<PolicyOptions, 'source'>): Policy {
  return createPolicy({ ...ports, source: policySource(loaded) });
}

/** What the cache is worth at some time; null where no policy is configured, or nothing is cached. */
export type CacheLook =
  | { readonly usable: true; readonly pack: PolicyPack; readonly fetchedAt: number }
  | { readonly usable: false; readonly refusal: Refusal; readonly why: string };

/**
 * Judges the cached pack as the proxy would at its start.
 * @param now epoch milliseconds
 * Throws `CONFIG` where the public key can't be read.
 */
export function lookAtPolicyCache(loaded: LoadedCcp, now: number): CacheLook | null {
  const source = policySource(loaded);
  if (source === null) return null;
  const cached = readPolicyCache(source);
  if (cached === null) return null;
  if (!cached.ok) return unusable(cached);
  const { pack, fetchedAt } = cached.value;
  const late = timeTrouble(pack, now);
  return late === null ? { usable: true, pack, fetchedAt } : unusable(late);
}

const unusable = (refusal: Refusal): CacheLook => ({
  usable: false,
  refusal,
  why: explainRefusal(refusal),
});

/**
 * Why the proxy whose cache lies here would refuse a pack that is in order by itself: it took a newer one over, or another
 * of that version. Null where it would not, and where no cache of this address and key lies here.
 * @param bytes of the pack, as published
 * Throws `CONFIG` where the public key can't be read.
 */
export function rollBackOfCache(loaded: LoadedCcp, bytes: Buffer, pack: PolicyPack): Refusal | null {
  const source = policySource(loaded);
  const cached = source === null ? null : readPolicyCache(source);
  if (cached?.ok !== true || cached.value.bytes.equals(bytes)) return null;
  return rollBack(pack, cached.value.pack);
}

/** What to do about a reason that a proxy gave; nothing for one that this version does not know. */
export const policyRemedy = (reason: string): string | undefined =>
  Object.entries(POLICY_REMEDIES).find(([code]) => code === reason)?.[1];

/** Lets a routing that was opened only to be looked at follow the cached pack, as the proxy does. */
export function applyCachedPolicy(routing: Routing, loaded: LoadedCcp, now: number): CacheLook | null {
  const look = lookAtPolicyCache(loaded, now);
  if (look?.usable === true) routing.applyPolicy(look.pack);
  return look;
}

function policySource({ settings, paths }: LoadedCcp): PolicySource | null {
  const { policyUrl, policyPubkey, policyRefresh } = settings;
  if (policyUrl === null || policyPubkey === null) return null;
  return {
    url: new URL(policyUrl),
    publicKey: readPolicyKey(policyPubkey, 'CCP_POLICY_PUBKEY'),
    refreshMs: policyRefresh,
    path: paths.policyCache,
    read: () => readSmallFile(paths.policyCache, MAX_CACHE_BYTES),
  };
}

/** The public key that a setting names or is. Throws `CONFIG`. */
export function readPolicyKey(keyOrPath: string, name: string): Buffer {
  const literal = parsePolicyKey(keyOrPath);
  if (literal !== null) return literal;
  const bytes = readSmallFile(keyOrPath);
  const key = bytes === null ? null : parsePolicyKey(bytes.toString('utf8'));
  if (key !== null) return key;
  const wrong = bytes === null ? 'there is no such file' : 'the file holds no public key';
  throw new OperatorError('CONFIG', `${name} is ${keyOrPath}: ${wrong}`, {
    hint: `It must be ${POLICY_KEY_ALLOWED}, or the path of a file that holds it.`,
  });
}
