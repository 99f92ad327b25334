/** Kinds of the licence settings. A wrong licence is no wrong setting: any text passes, and the licence says what is wrong. */
import { z } from 'zod';
import { type PublicKeys, parsePublicKeys } from '../features/license/public-keys.ts';
import {
  type Located,
  type LocatedSignature,
  looksLikeSignature,
  shownPath,
} from '../features/license/sources.ts';
import { type Kind, settlePath } from './kinds.ts';

/** JSON where it begins with a brace, else the path of a file. The JSON is not shown: it tells whom it is for. */
export const licenseOrPath: Kind<Located> = {
  name: 'JSON or path',
  allowed: 'JSON that begins with {, or a path',
  schema: z
    .string()
    .transform(
      (value): Located => (value.trimStart().startsWith('{') ? { literal: value } : { path: value }),
    ),
  finish: (value, place) => ('path' in value ? { path: settlePath(value.path, place) } : value),
  show: (value) => ('path' in value ? shownPath(value.path) : '(set)'),
};

/** The path of a file if there is one when it is read, else the signature itself. */
export const signatureOrPath: Kind<LocatedSignature> = {
  name: 'base64 or path',
  allowed: 'a signature in base64, or a path',
  schema: z.string().transform((value): LocatedSignature => ({ literal: value, path: value })),
  finish: ({ literal }, place) => ({ literal, path: settlePath(literal, place) }),
  show: ({ literal, path }) => (looksLikeSignature(literal) ? '(set)' : shownPath(path)),
};

/** No value is shown, right or wrong: a seed looks the same, and may have been put there for the public key. */
export const publicKeyList: Kind<PublicKeys> = {
  name: 'keys',
  allowed: 'KID=BASE64[,KID=BASE64…], each the raw 32 bytes of an Ed25519 public key',
  explains: true,
  schema: z.string().transform((value, context): PublicKeys => {
    const parsed = parsePublicKeys(value);
    if (parsed.ok) return parsed.keys;
    context.addIssue(parsed.problem);
    return z.NEVER;
  }),
  show: (keys) => `${keys.size === 1 ? '1 key' : `${keys.size} keys`}: ${[...keys.keys()].join(', ')}`,
};
