/** Times as people and scripts write them, in a query or after a flag (contract, section 8). */
import { z } from 'zod';

/** A time, or how long ago it is: what that means is settled when the question is answered. Milliseconds. */
export type Moment = { readonly at: number } | { readonly ago: number };

/** Ends the sentences "must be …" and "allowed is …". */
export const POINT_IN_TIME_ALLOWED =
  'epoch seconds (not milliseconds), RFC 3339 like 2026-01-02 (UTC) or 2026-01-02T15:04:05Z, or an age like -90s, -15m, -1.5h or -7d';

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** RFC 3339 writes years with four digits: also that of the end of the hour that a time lies in. */
const FIRST_MS = Date.parse('0000-01-01T00:00:00Z');
const LAST_MS = Date.parse('9999-12-31T23:00:00Z');
/** So that no age leaves those years: a century, in days. */
const OLDEST_MS = 36_500 * 86_400_000;

const stamp = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);

/** What a text means; null where it is in none of the forms allowed. */
export function parseMoment(text: string): Moment | null {
  const [, amount, unit = ''] = /^-(\d{1,9}(?:\.\d{1,3})?)([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) {
    const ago = Math.round(Number(amount) * (UNITS[unit] ?? 0));
    return ago <= OLDEST_MS ? { ago } : null;
  }
  const at = /^\d{1,12}(?:\.\d{1,3})?$/.test(text)
    ? Math.round(Number(text) * 1000)
    : Date.parse(stamp.safeParse(text).data ?? '');
  return at >= FIRST_MS && at <= LAST_MS ? { at } : null;
}

/** @param now epoch milliseconds, as the result */
export const settle = (moment: Moment, now: number): number =>
  'at' in moment ? moment.at : now - moment.ago;
