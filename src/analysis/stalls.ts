/** How late the machine was while something was timed: what cannot be held against the proxy, nor be taken for its keeping time. */
import type { Evidence } from './evidence.ts';
import { plural } from './plural.ts';

/** A stall is told when it is over, by somebody who looks this often (milliseconds); so it may have ended a little before. */
const LOOKED_EVERY_MS = 50;

/**
 * By how much everything between two times (epoch milliseconds) may have been late for want of a core, milliseconds: of each
 * stall what lies between them, and no moment twice, so never more than the time between them.
 */
export function latenessBetween({ stalls = [] }: Pick<Evidence, 'stalls'>, from: number, to: number): number {
  let lateness = 0;
  let until = to;
  for (const { at, ms } of stalls.toReversed()) {
    const begin = Math.max(from, at - Math.max(ms, LOOKED_EVERY_MS));
    const shared = Math.min(until, at) - begin;
    if (shared <= 0) continue;
    lateness += Math.min(ms, shared);
    until = begin;
  }
  return lateness;
}

/** For the note of a check that leaves some out for that reason. */
export const excuse = (exchanges: number, ms: number): string =>
  `${plural(exchanges, 'exchange was', 'exchanges were')} late, and by no more than the machine itself was, up to ${Math.round(ms)} ms: nothing can be said of the proxy there`;
