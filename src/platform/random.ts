import { randomBytes } from 'node:crypto';

/** Source of what nobody may guess; a test hands in a predictable one. */
export interface Random {
  bytes(count: number): Buffer;
}

export const systemRandom: Random = { bytes: randomBytes };

/** 256 bits, in 43 characters that need no quoting in a URL or a form. */
export const randomToken = (random: Random): string => random.bytes(32).toString('base64url');
