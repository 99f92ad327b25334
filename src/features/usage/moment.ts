/** Times as people and scripts write them in a query. */
import { z } from 'zod';

/** A time, or how long ago it is: what that means is settled when the query is answered. Milliseconds. */
export type Moment = { readonly at: number } | { readonly ago: number };

export const MOMENT_ALLOWED =
  'epoch seconds, a time like 2026-01-02T15:04:05Z, or a time ago like -90s, -15m, -1h or -7d';

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Beyond it no date can be written (ECMA-262, 21.4.1.1). */
const LAST_MS = 8.64e15;

/** Reads a time that is written in one of the ways allowed; null for any other text. */
export function parseMoment(text: string): Moment | null {
  const [, amount, unit = ''] = /^-(\d{1,6}(?:\.\d{1,3})?)([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) return { ago: Math.round(Number(amount) * (UNITS[unit] ?? 0)) };
  if (/^\d{1,13}(?:\.\d{1,3})?$/.test(text)) {
    const at = Math.round(Number(text) * 1000);
    return at <= LAST_MS ? { at } : null;
  }
  const written = z.iso.datetime({ offset: true }).safeParse(text);
  return written.success ? { at: Date.parse(written.data) } : null;
}

/** @param now epoch milliseconds, as the result */
export const settle = (moment: Moment, now: number): number =>
  'at' in moment ? moment.at : now - moment.ago;

/** A query's argument. */
export const moment = z.string().transform((text, context): Moment => {
  const parsed = parseMoment(text);
  if (parsed !== null) return parsed;
  context.addIssue(MOMENT_ALLOWED);
  return z.NEVER;
});
