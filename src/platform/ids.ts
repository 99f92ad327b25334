import { randomBytes } from 'node:crypto';

/** Source of identifiers; a test hands in a predictable one. */
export interface Ids {
  /** A new exchange id: 16 characters of hexadecimal, unique for all practical purposes. */
  rid(): string;
}

const RANDOM_DIGITS = 13;
const IN_A_RUN = 16 ** 3;

/**
 * Ids in runs: random digits, which each run draws anew, and three that count. Neighbours in time are neighbours in the
 * store's index of ids, where each random one would have a page written. Among a million runs two are the same with one
 * chance in nine thousand.
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
