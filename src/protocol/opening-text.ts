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
 * `in about 12 min (14:03)`, never too early: it agrees with `retry-after`. In the time zone of this process, which is
 * that of its client; with the day unless it is the same.
 */
export function openingText({ inMs, at }: Pick<Opening, 'inMs' | 'at'>): string {
  const ms = waitSeconds({ inMs }) * SECOND_MS;
  const now = new Date(at - inMs);
  return `in ${lengthText(ms)} (${timeText(new Date(now.getTime() + ms), now)})`;
}

function lengthText(ms: number): string {
  if (ms < 2 * MINUTE_MS) return `${ms / SECOND_MS} s`;
  if (ms < 2 * HOUR_MS) return `about ${Math.ceil(ms / MINUTE_MS)} min`;
  return ms < 2 * DAY_MS ? `about ${Math.ceil(ms / HOUR_MS)} h` : `about ${Math.ceil(ms / DAY_MS)} days`;
}

function timeText(then: Date, now: Date): string {
  const isSoon = then.getTime() - now.getTime() < 2 * MINUTE_MS;
  // A minute that has begun is too early.
  const shown = isSoon ? then : new Date(Math.ceil(then.getTime() / MINUTE_MS) * MINUTE_MS);
  const clock = [shown.getHours(), shown.getMinutes(), ...(isSoon ? [shown.getSeconds()] : [])]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
  const day = shown.toDateString();
  return day === now.toDateString() ? clock : `${shown.getDate()} ${day.slice(4, 7)} ${clock}`;
}
