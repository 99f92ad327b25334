/**
 * The last pack that was taken over, kept with its signature so that a start needs no network. What lies there is
 * believed no more than what a server sends: it is verified anew on each use.
 */
import { dirname } from 'node:path';
import { z } from 'zod';
import { rfc3339 } from '../../platform/clock.ts';
import { makeFolder, replaceFile } from '../../platform/files.ts';
import { parseJson } from '../../protocol/json.ts';
import type { PolicyPack } from './policy-pack.ts';
import { type Judged, refuse } from './reasons.ts';
import { openPolicyPack } from './verify-policy.ts';

/** The text of a pack may double when it is quoted; the rest is small. In bytes. */
export const MAX_CACHE_BYTES = 3 * 1024 * 1024;

/** The entity tag is not kept: whoever can write here could name that of a newer pack, and hide it from us. */
const cacheSchema = z.strictObject({
  v: z.literal(1),
  url: z.string(),
  fetched_at: z.iso.datetime().transform((text) => Date.parse(text)),
  /** Exactly as served: what was verified is JSON in UTF-8, which a string keeps to the byte. */
  policy: z.string(),
  signature: z.string(),
});

export interface CachedPolicy {
  readonly pack: PolicyPack;
  readonly bytes: Buffer;
  readonly signature: string;
  /** When a server last stood by it, epoch milliseconds. As the file says: nobody signed that. */
  readonly fetchedAt: number;
}

export interface CacheOptions {
  readonly path: string;
  /** The bytes of the file, null where there is none. Throws where it can't be read. */
  readonly read: () => Uint8Array | null;
  /** What it must be from. */
  readonly url: URL;
  readonly publicKey: Uint8Array;
}

/** The cached pack, null where there is none. Says nothing about time. Never throws. */
export function readPolicyCache({ path, read, url, publicKey }: CacheOptions): Judged<CachedPolicy> | null {
  let bytes: Uint8Array | null;
  try {
    bytes = read();
  } catch (error) {
    return refuse('cache_unreadable', error instanceof Error ? error.message : String(error));
  }
  if (bytes === null) return null;
  const parsed = cacheSchema.safeParse(parseJson(Buffer.from(bytes).toString('utf8')));
  if (!parsed.success) return refuse('cache_unreadable', `${path} is no policy cache`);
  const { url: from, fetched_at, policy, signature } = parsed.data;
  if (from !== url.href) return refuse('cache_foreign', `${path} is from another place than ${url.href}`);
  const text = Buffer.from(policy);
  const pack = openPolicyPack({ bytes: text, signature, publicKey });
  if (!pack.ok) return refuse(pack.reason, `${path}: ${pack.detail}`);
  return { ok: true, value: { pack: pack.value, bytes: text, signature, fetchedAt: fetched_at } };
}

/** Puts a pack in place of the cached one, in one step, for its owner's eyes alone. Throws what the system says. */
export function writePolicyCache(
  { path, url }: CacheOptions,
  { bytes, signature, fetchedAt }: Omit<CachedPolicy, 'pack'>,
): void {
  const content = {
    v: 1,
    url: url.href,
    fetched_at: rfc3339(fetchedAt),
    policy: bytes.toString('utf8'),
    signature,
  };
  makeFolder(dirname(path));
  // A cache that a power cut tears is fetched anew; waiting for the disk would hold up what is relayed meanwhile.
  replaceFile(path, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, durable: false });
}
