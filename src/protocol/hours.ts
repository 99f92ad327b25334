/** Clock hours by how much was used in them, and how fast: what quotas and usage show of them. */

export interface HourUse {
  readonly tokens: number;
  /** Output tokens that came as a stream, and for how long it flowed, in milliseconds. */
  readonly streamed: number;
  readonly streamMs: number;
}

/** Null where no hour stands out. `start` in epoch milliseconds. */
export interface BestHours {
  /** The one with most tokens. */
  readonly peak_hour: { readonly start: number; readonly tokens: number } | null;
  /** The one that streamed fastest, among those with ten seconds of streaming. */
  readonly fastest_hour: { readonly start: number; readonly tps: number } | null;
}

/** Less streaming than that says nothing of a speed. */
const LEAST_STREAM_MS = 10_000;

/** Finds the best of hours that come one by one. */
export interface BestHoursFinder {
  /** A whole hour by its beginning, epoch milliseconds; in any order, each once. */
  add(start: number, use: HourUse): void;
  found(): BestHours;
}

/** Of equal hours the earliest is the best. */
export function createBestHours(): BestHoursFinder {
  let peak: BestHours['peak_hour'] = null;
  let fastest: BestHours['fastest_hour'] = null;
  return {
    add(start, { tokens, streamed, streamMs }) {
      if (isBetter(tokens, start, peak?.tokens, peak?.start)) peak = { start, tokens };
      const tps = streamMs < LEAST_STREAM_MS ? 0 : (perSecond(streamed, streamMs) ?? 0);
      if (isBetter(tps, start, fastest?.tps, fastest?.start)) fastest = { start, tps };
    },
    found: () => ({ peak_hour: peak, fastest_hour: fastest }),
  };
}

const isBetter = (value: number, start: number, best = 0, since = Number.NEGATIVE_INFINITY): boolean =>
  value > best || (value === best && start < since);

/** @param hours by their beginning, in any order; of equals the earliest is the best */
export function bestHours(hours: Iterable<readonly [start: number, use: HourUse]>): BestHours {
  const best = createBestHours();
  for (const [start, use] of hours) best.add(start, use);
  return best.found();
}

/** Tokens a second; null where no time was spent. */
export const perSecond = (tokens: number, ms: number): number | null =>
  ms > 0 ? (tokens * 1000) / ms : null;
