import type { RoundAccount } from './evidence.ts';
import { plural } from './plural.ts';

export interface RoundCounts {
  /** Those that came to their end. */
  readonly rounds: number;
  /** Those that an interruption cut short: resumed, a night carries the same round out again, whole. */
  readonly interrupted: number;
}

export function countRounds(rounds: readonly Pick<RoundAccount, 'partial'>[]): RoundCounts {
  const interrupted = rounds.filter(({ partial }) => partial).length;
  return { rounds: rounds.length - interrupted, interrupted };
}

/** `8 rounds`, `8 rounds and 1 that was interrupted`. */
export const roundsInWords = ({ rounds, interrupted }: RoundCounts): string =>
  `${plural(rounds, 'round')}${interrupted === 0 ? '' : ` and ${interrupted} that ${interrupted === 1 ? 'was' : 'were'} interrupted`}`;
