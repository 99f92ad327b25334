/** A character of several bytes that did not come through whole: what somebody makes of it who decodes a body piece by piece. */
import type { Transcript } from '../../protocol/transcript.ts';
import { decodedBody } from './answer.ts';

export interface TornCharacter {
  /** How many bytes it has. */
  readonly bytes: number;
  /** Which bytes were sent, and where in the body without its content encoding: `e6 9d b1 (東) at byte 312`. */
  readonly sent: string;
  /** Which came in their place: `ef bf bd ef bf bd (U+FFFD × 2)`. */
  readonly got: string;
}

/** The first difference between the two bodies, where it lies in such a character; null where it does not. */
export function tornCharacter(sent: Transcript, got: Transcript): TornCharacter | null {
  const [before, after] = [decodedBody(sent), decodedBody(got)];
  if (before === null || after === null) return null;
  const at = before.findIndex((byte, index) => byte !== after[index]);
  if (at === -1 || at >= after.length) return null;
  const start = startOf(before, at);
  const bytes = lengthOf(before[start] ?? 0);
  const replaced = replacements(after, start, bytes);
  // One that begins with another byte is another character, and not a part of this one.
  if (bytes === 1 || start + bytes > before.length || (at === start && replaced === 0)) return null;
  const character = before.subarray(start, start + bytes);
  const arrived = after.subarray(start, start + (replaced === 0 ? bytes : replaced * REPLACEMENT.length));
  return {
    bytes,
    sent: `${hex(character)} (${character.toString('utf8')}) at byte ${start}`,
    got: replaced === 0 ? hex(arrived) : `${hex(arrived)} (U+FFFD × ${replaced})`,
  };
}

/** U+FFFD, which decoders put in the place of what is no character (Unicode 16.0, section 3.9). */
const REPLACEMENT = Buffer.from('\ufffd');

/** Bytes within a character begin with 10, its first one tells how many there are (RFC 3629, section 3). */
function startOf(bytes: Buffer, at: number): number {
  let start = at;
  while (start > 0 && at - start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start -= 1;
  return start;
}

const lengthOf = (first: number): number => (first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1);

/** A decoder puts at most one in the place of each byte: what follows is of the next character. */
function replacements(bytes: Buffer, from: number, most: number): number {
  let count = 0;
  while (count < most && bytes.indexOf(REPLACEMENT, from + count * 3) === from + count * 3) count += 1;
  return count;
}

const hex = (bytes: Buffer): string => bytes.toString('hex').replaceAll(/(..)(?=.)/g, '$1 ');
