/** How fast a quota is used: by the hour, and lately. */
import type { QuotaView } from '../../protocol/quota-view.ts';
import type { Entry } from './sliding-windows.ts';

const HOUR_MS = 3_600_000;
const WEEK_HOURS = 7 * 24;
/** Less streaming than that says nothing of a speed. */
const LEAST_STREAM_TENTHS = 100_000;

export interface Hours {
  add(entry: Entry): void;
  /** Of the clock hours (UTC) that began in the seven days before `now`. */
  best(now: number): Pick<QuotaView, 'peak_hour' | 'fastest_hour'>;
}

interface Hour {
  tokens: number;
  streamed: number;
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
    best(now) {
      let peak: QuotaView['peak_hour'] = null;
      let fastest: QuotaView['fastest_hour'] = null;
      for (const [start, { tokens, streamed, streamTenths }] of hours) {
        if (start <= now - WEEK_HOURS * HOUR_MS || start > now) continue;
        if (tokens > (peak?.tokens ?? 0)) peak = { start, tokens };
        const tps = perSecond(streamed, streamTenths);
        if (tps !== null && streamTenths >= LEAST_STREAM_TENTHS && tps > (fastest?.tps ?? 0)) {
          fastest = { start, tps };
        }
      }
      return { peak_hour: peak, fastest_hour: fastest };
    },
  };
}

/** Tokens a second; null where no time was spent. */
export const perSecond = (tokens: number, tenths: number): number | null =>
  tenths > 0 ? (tokens * 10_000) / tenths : null;
