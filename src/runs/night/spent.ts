import type { RoundAccount } from '../../protocol/witness.ts';
import type { NightPlan } from '../run-record.ts';

/** How much of the time of a night its rounds took, with the pause after each, milliseconds. */
export const spentIn = (
  rounds: readonly Pick<RoundAccount, 'ms'>[],
  { pauseMs }: Pick<NightPlan, 'pauseMs'>,
): number => rounds.reduce((sum, { ms }) => sum + ms + pauseMs, 0);
