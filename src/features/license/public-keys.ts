/** The public keys that licences are verified with, by `kid`. */
import { PUBLIC_KEY_BYTES } from '../../protocol/ed25519.ts';

/** `kid` → raw public key of 32 bytes. */
export type PublicKeys = ReadonlyMap<string, Uint8Array>;

/**
 * Keys that every copy of the program knows, `kid` → base64 of the raw 32 bytes. Empty until the owner supplies one:
 * make it with `ccp issuer keygen`, add the public line that it prints here, e.g. `['2027-a', 'mJ2f…=']`, and keep the
 * seed off every machine but the issuer's. Old keys stay until their last licence has expired.
 */
export const EMBEDDED_KEYS: ReadonlyMap<string, string> = new Map();

export type ParsedKeys =
  | { readonly ok: true; readonly keys: PublicKeys }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads `KID=BASE64[,KID=BASE64…]`. `problem` is a sentence without its full stop for the first entry that is wrong; a
 * `kid` among `embedded` is one, too: a setting must not replace what the program was shipped with.
 */
export function parsePublicKeys(
  text: string,
  embedded: ReadonlyMap<string, string> = EMBEDDED_KEYS,
): ParsedKeys {
  const keys = new Map<string, Uint8Array>();
  for (const entry of text.split(',')) {
    const [, kid = '', base64 = ''] = /^([^=\s]{1,128})=(.+)$/.exec(entry.trim()) ?? [];
    const problem = problemOf({ kid, base64, isTaken: keys.has(kid), isEmbedded: embedded.has(kid) });
    if (problem !== null) return { ok: false, problem };
    keys.set(kid, Buffer.from(base64, 'base64'));
  }
  return { ok: true, keys };
}

/** All keys that count: the embedded ones and those of the setting. */
export function knownKeys(
  configured: PublicKeys | null,
  embedded: ReadonlyMap<string, string> = EMBEDDED_KEYS,
): PublicKeys {
  const shipped = [...embedded].map(([kid, base64]) => [kid, Buffer.from(base64, 'base64')] as const);
  return new Map<string, Uint8Array>([...(configured ?? []), ...shipped]);
}

interface Entry {
  readonly kid: string;
  readonly base64: string;
  readonly isTaken: boolean;
  readonly isEmbedded: boolean;
}

function problemOf({ kid, base64, isTaken, isEmbedded }: Entry): string | null {
  if (kid === '') return 'an entry is not KID=BASE64';
  if (isTaken) return `the kid "${kid}" is given twice`;
  if (isEmbedded) return `the kid "${kid}" belongs to a key that ccp was shipped with and may not replace`;
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64)
    return `the key of "${kid}" is not standard base64 with its padding`;
  if (bytes.length === PUBLIC_KEY_BYTES) return null;
  return `the key of "${kid}" has ${bytes.length} bytes and not ${PUBLIC_KEY_BYTES}`;
}
