/** What a window's caps mean for its sums: how full they are, and when there is room again. Pure. */
import type { Fill } from '../../protocol/quota-view.ts';
import type { WindowCaps } from './parse-quotas.ts';
import type { Amount, SlidingWindows, Sums } from './sliding-windows.ts';

/** Tenths of a millisecond. */
const HOUR_TENTHS = 36_000_000;

/** One cap, in the unit of the sums. */
export interface Cap {
  readonly unit: 'tokens' | 'requests' | 'hours';
  readonly amount: Extract<Amount, 'tokens' | 'requests' | 'tenths'>;
  readonly limit: number;
}

export function capsOf({ tokens, requests, hours }: WindowCaps): readonly Cap[] {
  const caps: Cap[] = [];
  if (tokens !== null) caps.push({ unit: 'tokens', amount: 'tokens', limit: tokens });
  if (requests !== null) caps.push({ unit: 'requests', amount: 'requests', limit: requests });
  if (hours !== null) caps.push({ unit: 'hours', amount: 'tenths', limit: hours * HOUR_TENTHS });
  return caps;
}

/** How full the fullest of the caps is, in per cent, with `more` on top; null where there is none. */
export function fullness(caps: readonly Cap[], sums: Used, more: Used = NOTHING): number | null {
  let fullest: number | null = null;
  for (const { amount, limit } of caps) {
    const pct = ((sums[amount] + more[amount]) * 100) / limit;
    if (fullest === null || pct > fullest) fullest = pct;
  }
  return fullest;
}

export type Used = Pick<Sums, Cap['amount']>;
export const NOTHING: Used = { tokens: 0, requests: 0, tenths: 0 };

/** The sums beside their caps, in the units of a person. */
export function fills(sums: Used, { tokens, requests, hours }: WindowCaps): Record<Cap['unit'], Fill> {
  return {
    tokens: fill(sums.tokens, tokens),
    requests: fill(sums.requests, requests),
    hours: fill(sums.tenths / HOUR_TENTHS, hours),
  };
}

const fill = (used: number, cap: number | null): Fill => ({
  used,
  cap,
  pct: cap === null ? null : (used * 100) / cap,
});

/** One window with its caps, at one moment. */
export interface Filling {
  readonly windows: SlidingWindows;
  readonly window: number;
  readonly spanMs: number;
  readonly cap: Cap;
  readonly blockPct: number;
  /** Expected of what is under way, in the unit of the cap. */
  readonly reserved: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * Milliseconds until so much has left the window that a cap that is reached has room again; 0 where it has. What is
 * under way counts as if it ended now: then the answer is never too early while nothing else is let in.
 */
export function untilRoom({ windows, window, spanMs, cap, blockPct, reserved, now }: Filling): number {
  let left = windows.sums(window, now)[cap.amount] + reserved;
  const isFull = (): boolean => (left * 100) / cap.limit >= blockPct;
  if (!isFull()) return 0;
  let inMs = spanMs;
  windows.visit(window, now, cap.amount, (end, value) => {
    left -= value;
    if (isFull()) return false;
    inMs = Math.max(end + spanMs - now, 1);
    return true;
  });
  return inMs;
}

/**
 * Milliseconds until a cap is reached if use goes on at `pace` (units a millisecond) while what is old leaves the
 * window; null where it never is.
 */
export function untilFull(filling: Filling, pace: number): number | null {
  const { windows, window, spanMs, cap, blockPct, reserved, now } = filling;
  const limit = (cap.limit * blockPct) / 100;
  let used = windows.sums(window, now)[cap.amount] + reserved;
  if (used >= limit) return 0;
  if (pace <= 0) return null;
  let inMs = (limit - used) / pace;
  // Between two departures the sum only grows: it is full before the next one, or not until then.
  windows.visit(window, now, cap.amount, (end, value) => {
    if (now + inMs < end + spanMs) return true;
    used -= value;
    inMs = (limit - used) / pace;
    return false;
  });
  // Where all that is there now is gone, what is left is use at this pace, which itself begins to leave after a span.
  return inMs <= spanMs ? inMs : null;
}
