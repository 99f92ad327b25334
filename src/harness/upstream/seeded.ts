/** Randomness that a seed repeats. */
import { createHash } from 'node:crypto';

export interface Seeded {
  /** An integer from 0 to `below` - 1. */
  int(below: number): number;
  /** `length` characters of the alphabet that Anthropic's ids use (base 58). */
  id(length: number): string;
  digits(length: number): string;
  hex(length: number): string;
  /** Standard base64 of `bytes` bytes. */
  base64(bytes: number): string;
}

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** A generator for one purpose: the same seed and labels give the same sequence, on any machine. */
export function createSeeded(seed: string | number, ...labels: readonly (string | number)[]): Seeded {
  const next = mulberry32(
    createHash('sha256')
      .update(JSON.stringify([seed, ...labels]))
      .digest()
      .readUInt32LE(),
  );
  const int = (below: number): number => Math.floor(next() * below);
  const draw = (alphabet: string, length: number): string =>
    Array.from({ length }, () => alphabet[int(alphabet.length)]).join('');
  return {
    int,
    id: (length) => draw(BASE58, length),
    digits: (length) => draw('0123456789', length),
    hex: (length) => draw('0123456789abcdef', length),
    base64: (bytes) => Buffer.from(Array.from({ length: bytes }, () => int(256))).toString('base64'),
  };
}

/** Tommy Ettinger's Mulberry32: 32 bits of state are plenty for ids and counts. Yields [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
