/** Since when a count has been past its warning: found in what happened, when a limit is hit. Pure. */
import { type Cap, fullness } from './caps.ts';
import type { SlidingWindows } from './sliding-windows.ts';

interface Watched {
  readonly window: number;
  readonly caps: readonly Cap[];
  readonly given: { readonly spanMs: number };
}

/**
 * When the fullest of the windows passed `warnPct` and stayed past it until `now`, in epoch milliseconds; null where it
 * is not past it. Goes back from now, so that it costs what happened since.
 */
export function crossedAt(
  windows: SlidingWindows,
  watched: readonly Watched[],
  warnPct: number,
  now: number,
): number | null {
  const counts = watched.map(({ window, caps, given }) => ({
    caps,
    spanMs: given.spanMs,
    tail: windows.tail(window, now),
    sums: { ...windows.sums(window, now) },
  }));
  const change = (sums: (typeof counts)[number]['sums'], index: number, sign: 1 | -1): void => {
    for (const amount of ['tokens', 'requests', 'tenths'] as const) {
      sums[amount] += sign * windows.amountOf(index, amount);
    }
  };
  const isPast = (): boolean => counts.some(({ caps, sums }) => (fullness(caps, sums) ?? 0) >= warnPct);

  if (!isPast()) return null;
  let since = now;
  for (let index = windows.size() - 1; index >= 0; index -= 1) {
    // Back to just before this one ended: between two exchanges the count only falls, so it is lowest there.
    since = windows.endOf(index);
    for (const count of counts) {
      if (index >= count.tail) change(count.sums, index, -1);
      count.tail = Math.min(count.tail, index);
      while (count.tail > 0 && windows.endOf(count.tail - 1) > since - count.spanMs) {
        count.tail -= 1;
        change(count.sums, count.tail, 1);
      }
    }
    if (!isPast()) break;
  }
  return since;
}
