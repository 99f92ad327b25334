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

/** The earliest of equals. @param hours by their beginning, in any order */
export function bestHours(hours: Iterable<readonly [start: number, use: HourUse]>): BestHours {
  let peak: BestHours['peak_hour'] = null;
  let fastest: BestHours['fastest_hour'] = null;
  for (const [start, { tokens, streamed, streamMs }] of [...hours].toSorted(([a], [b]) => a - b)) {
    if (tokens > (peak?.tokens ?? 0)) peak = { start, tokens };
    const tps = streamMs < LEAST_STREAM_MS ? 0 : (perSecond(streamed, streamMs) ?? 0);
    if (tps > (fastest?.tps ?? 0)) fastest = { start, tps };
  }
  return { peak_hour: peak, fastest_hour: fastest };
}

/** Tokens a second; null where no time was spent. */
export const perSecond = (tokens: number, ms: number): number | null =>
  ms > 0 ? (tokens * 1000) / ms : null;
