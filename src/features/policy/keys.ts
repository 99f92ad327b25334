/** Keys of policy packs as people write them: `BASE64`, or `KID=BASE64` as a key file of the issuer has it. */
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '../../protocol/ed25519.ts';

export const POLICY_KEY_ALLOWED = '32 bytes in standard base64, or KID=BASE64';

/** 32 bytes are 43 characters and one of padding; seeds and public keys look the same. */
const KEY = /^(?:[\w.:-]{1,128}=)?([A-Za-z0-9+/]{43}=)$/;

/** The 32 bytes of a public key or a seed, null where the text is none. White space around it does not matter. */
export function parsePolicyKey(text: string): Buffer | null {
  return decode(KEY.exec(text.trim())?.[1], PUBLIC_KEY_BYTES);
}

/** The 64 bytes of a detached signature, null where the text is none. White space around it does not matter. */
export function parseSignature(text: string): Buffer | null {
  return decode(text.trim(), SIGNATURE_BYTES);
}

/** Standard base64 in its one canonical form: a text with other bits at its end is another text. */
function decode(text: string | undefined, length: number): Buffer | null {
  if (text === undefined) return null;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === length && bytes.toString('base64') === text ? bytes : null;
}
