import type { RoundAccount } from './evidence.ts';

/** How long a night was under load, milliseconds: its rounds, without what the harness stood still in them. */
export const loadOf = (rounds: readonly Pick<RoundAccount, 'ms' | 'stalledMs'>[]): number =>
  rounds.reduce((sum, { ms, stalledMs }) => sum + ms - stalledMs, 0);
