/** Since when a count has been past its warning: found in what happened, when a limit is hit. Pure. */
import { type Cap, fullness } from './caps.ts';
import type { SlidingWindows } from './sliding-windows.ts';

interface Watched {
  readonly caps: readonly Cap[];
  readonly given: { readonly spanMs: number };
}

interface Past {
  readonly ts: number;
  readonly tokens: number;
  readonly requests: number;
  readonly tenths: number;
}

/**
 * When the fullest window passed `warnPct` and stayed past it until `now`, in epoch milliseconds; null where it is
 * not past it. Takes milliseconds for a busy week, which a limit hit is rare enough for.
 */
export function crossedAt(
  windows: SlidingWindows,
  watched: readonly Watched[],
  warnPct: number,
  now: number,
): number | null {
  const past: Past[] = [];
  windows.all((ts, tokens, requests, tenths) => void past.push({ ts, tokens, requests, tenths }));
  const counts = watched.map(({ caps, given }) => ({
    caps,
    spanMs: given.spanMs,
    tail: 0,
    sums: { tokens: 0, requests: 0, tenths: 0 },
  }));
  const add = (sums: (typeof counts)[number]['sums'], one: Past, sign: 1 | -1): void => {
    sums.tokens += sign * one.tokens;
    sums.requests += sign * one.requests;
    sums.tenths += sign * one.tenths;
  };
  const isPast = (at: number, upTo: number): boolean =>
    counts.some((count) => {
      for (
        let one = past[count.tail];
        count.tail < upTo && one !== undefined && one.ts <= at - count.spanMs;
      ) {
        add(count.sums, one, -1);
        count.tail += 1;
        one = past[count.tail];
      }
      return (fullness(count.caps, count.sums) ?? 0) >= warnPct;
    });

  let since: number | null = null;
  for (const [index, one] of past.entries()) {
    // Between two exchanges the count only falls: it is lowest just before the next.
    if (since !== null && !isPast(one.ts, index)) since = null;
    for (const { sums } of counts) add(sums, one, 1);
    if (since === null && isPast(one.ts, index + 1)) since = one.ts;
  }
  return isPast(now, past.length) ? since : null;
}
