import type { Night, RoundAccount } from './evidence.ts';
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

/**
 * The rounds that a night stands or falls by. Where it was to go on until one is green, that one stands for the others,
 * which may be red; that something is lost, climbs or dies in them is asked of all.
 */
export const standingRounds = ({ until, rounds }: Night): Night['rounds'] =>
  until === 'green' ? rounds.slice(-1) : rounds;
