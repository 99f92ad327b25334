/** When there is room again, as a person in front of a client reads it. */
import type { Opening } from './standing.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Whole seconds until then, at least one: what `retry-after` says (RFC 9110, 10.2.3). */
export const waitSeconds = ({ inMs }: Pick<Opening, 'inMs'>): number =>
  Math.max(Math.ceil(inMs / SECOND_MS), 1);

/**
 * `in about 12 min (14:03 UTC)`, or just `in 45 s`; never too early: it agrees with `retry-after`. In UTC, since nobody
 * knows the time zone of the client; with the day unless it is the same.
 */
export function openingText({ inMs, at }: Pick<Opening, 'inMs' | 'at'>): string {
  const ms = waitSeconds({ inMs }) * SECOND_MS;
  if (ms < 2 * MINUTE_MS) return `in ${ms / SECOND_MS} s`;
  const now = at - inMs;
  return `in ${lengthText(ms)} (${timeText(now + ms, now)})`;
}

function lengthText(ms: number): string {
  if (ms < 2 * HOUR_MS) return `about ${Math.ceil(ms / MINUTE_MS)} min`;
  return ms < 2 * DAY_MS ? `about ${Math.ceil(ms / HOUR_MS)} h` : `about ${Math.ceil(ms / DAY_MS)} days`;
}

/** Epoch milliseconds, both. */
function timeText(then: number, now: number): string {
  // A minute that has begun is too early.
  const [day = '', time = ''] = isoOf(Math.ceil(then / MINUTE_MS) * MINUTE_MS).split('T');
  return `${isoOf(now).startsWith(day) ? '' : `${day} `}${time.slice(0, 5)} UTC`;
}

const isoOf = (ms: number): string => new Date(ms).toISOString();
