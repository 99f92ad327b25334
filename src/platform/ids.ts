import { randomBytes } from 'node:crypto';

/** Source of identifiers; a test hands in a predictable one. */
export interface Ids {
  /** A new exchange id: 16 characters of hexadecimal, unique for all practical purposes. */
  rid(): string;
}

/** What is counted of an id: its last three digits. */
const IN_A_RUN = 0x1000;
const RANDOM_DIGITS = 13;

/**
 * Ids in runs of 4,096: thirteen random digits, which each run draws anew, and three that count. Neighbours in time are
 * neighbours in the store's index of ids, which otherwise writes a page for each. That two runs are the same is less likely
 * than that two of as many random ids are.
 */
export function createRandomIds(): Ids {
  let run = '';
  let used = IN_A_RUN;
  return {
    rid() {
      if (used === IN_A_RUN) {
        run = randomBytes(8).toString('hex').slice(0, RANDOM_DIGITS);
        used = 0;
      }
      const rid = run + (IN_A_RUN + used).toString(16).slice(1);
      used += 1;
      return rid;
    },
  };
}
