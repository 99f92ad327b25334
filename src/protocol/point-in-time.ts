/** Times as people and scripts write them, in a query or after a flag (contract, section 8). */
import { z } from 'zod';

/** A time, or how long ago it is: what that means is settled when the question is answered. Milliseconds. */
export type Moment = { readonly at: number } | { readonly ago: number };

/** Ends the sentences "must be …" and "allowed is …". */
export const POINT_IN_TIME_ALLOWED =
  'epoch seconds, RFC 3339 like 2026-01-02 (UTC) or 2026-01-02T15:04:05Z, or an age like -90s, -15m, -1.5h or -7d';

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Beyond it no date can be written (ECMA-262, 21.4.1.1). */
const LAST_MS = 8.64e15;

const stamp = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);

/** What a text means; null where it is in none of the forms allowed. */
export function parseMoment(text: string): Moment | null {
  const [, amount, unit = ''] = /^-(\d{1,9}(?:\.\d{1,3})?)([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) return { ago: Math.round(Number(amount) * (UNITS[unit] ?? 0)) };
  if (/^\d{1,13}(?:\.\d{1,3})?$/.test(text)) {
    const at = Math.round(Number(text) * 1000);
    return at <= LAST_MS ? { at } : null;
  }
  const written = stamp.safeParse(text);
  return written.success ? { at: Date.parse(written.data) } : null;
}

/** @param now epoch milliseconds, as the result */
export const settle = (moment: Moment, now: number): number =>
  'at' in moment ? moment.at : now - moment.ago;
