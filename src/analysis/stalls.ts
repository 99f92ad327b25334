/** How late the machine was while something was timed: what cannot be held against the proxy, nor be taken for its keeping time. */
import type { Evidence } from './evidence.ts';

/** A stall is told when it is over, by somebody who looks this often (milliseconds). */
const LOOKED_EVERY_MS = 50;

/** By how much everything between two times (epoch milliseconds) may have been late for want of a core, milliseconds. */
export function latenessBetween({ stalls = [] }: Pick<Evidence, 'stalls'>, from: number, to: number): number {
  return stalls
    .filter(({ at, ms }) => at >= from && at - ms - LOOKED_EVERY_MS <= to)
    .reduce((sum, { ms }) => sum + ms, 0);
}

/** For the note of a check that is unsure for that reason. */
export const excuse = (exchanges: number, ms: number): string =>
  `${exchanges} exchange${exchanges === 1 ? ' was' : 's were'} late, and by no more than the machine itself was, up to ${Math.round(ms)} ms: nothing can be said of the proxy`;
