/** Codes that a person reads off one screen and types on another (RFC 8628 section 6.1). */
import type { Random } from '../platform/random.ts';

/** Consonants: no word comes out by accident, and none looks like a digit or another. */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';
const LENGTH = 8;
/** The multiples of 20 in a byte; what lies above would make the first letters likelier. */
const FAIR = 256 - (256 % LETTERS.length);

/** `XXXX-XXXX`: 20⁸ possibilities, 34 bits. */
export function makeUserCode(random: Random): string {
  let code = '';
  while (code.length < LENGTH) {
    for (const byte of random.bytes(2 * LENGTH))
      if (byte < FAIR && code.length < LENGTH) code += LETTERS[byte % LETTERS.length];
  }
  return `${code.slice(0, LENGTH / 2)}-${code.slice(LENGTH / 2)}`;
}

/** The code that a person meant: case, spaces and the hyphen do not matter. Null where it can be none. */
export function readUserCode(typed: string): string | null {
  const letters = typed.toUpperCase().replace(/[^A-Z]/g, '');
  if (letters.length !== LENGTH || typed.length > 4 * LENGTH) return null;
  return `${letters.slice(0, LENGTH / 2)}-${letters.slice(LENGTH / 2)}`;
}
