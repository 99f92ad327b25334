import { randomBytes } from 'node:crypto';

/** Source of identifiers; a test hands in a predictable one. */
export interface Ids {
  /** A new exchange id: 16 characters of hexadecimal, unique for all practical purposes. */
  rid(): string;
}

const BATCH_BYTES = 8 * 512;

/** Random ids, drawn in batches: one system call per 512 exchanges. */
export function createRandomIds(): Ids {
  let batch = Buffer.alloc(0);
  let used = 0;
  return {
    rid() {
      if (used >= batch.length) {
        batch = randomBytes(BATCH_BYTES);
        used = 0;
      }
      used += 8;
      return batch.toString('hex', used - 8, used);
    },
  };
}
