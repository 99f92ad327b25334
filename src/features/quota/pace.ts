/** How much of a quota was used by the hour, and how fast. */
import { type BestHours, bestHours } from '../../protocol/hours.ts';
import type { Entry } from './sliding-windows.ts';

const HOUR_MS = 3_600_000;
const WEEK_HOURS = 7 * 24;

export interface Hours {
  add(entry: Entry): void;
  /** Of the clock hours (UTC) that began in the seven days before `now`. */
  best(now: number): BestHours;
}

interface Hour {
  tokens: number;
  streamed: number;
  /** Whole, so that sums don't drift. */
  streamTenths: number;
}

/** By clock hours of UTC, so that no change of the clock makes one longer. Keeps those of one week. */
export function createHours(): Hours {
  const hours = new Map<number, Hour>();

  /** The oldest go first: a clock that jumps may leave hours of the future. */
  const prune = (): void => {
    const excess = hours.size - 2 * WEEK_HOURS;
    if (excess <= 0) return;
    for (const start of [...hours.keys()].toSorted((a, b) => a - b).slice(0, excess)) hours.delete(start);
  };

  return {
    add({ ts, tokens, streamed, streamTenths }) {
      const start = Math.floor(ts / HOUR_MS) * HOUR_MS;
      let hour = hours.get(start);
      if (hour === undefined) {
        hour = { tokens: 0, streamed: 0, streamTenths: 0 };
        hours.set(start, hour);
        prune();
      }
      hour.tokens += tokens;
      hour.streamed += streamed;
      hour.streamTenths += streamTenths;
    },
    best: (now) =>
      bestHours(
        [...hours]
          .filter(([start]) => start > now - WEEK_HOURS * HOUR_MS && start <= now)
          .map(([start, { streamTenths, ...use }]) => [start, { ...use, streamMs: streamTenths / 10 }]),
      ),
  };
}
