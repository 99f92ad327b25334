const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Ends the sentence "must be …". */
export const POINT_IN_TIME_ALLOWED =
  'epoch seconds, an RFC 3339 time like 2026-01-31T12:00:00Z, or an age like -1h';

/** The epoch milliseconds that a text means at `now`; null where it means none. An age is so many s, m, h or d before `now`. */
export function pointInTime(text: string, now: number): number | null {
  const age = /^-(\d{1,9})([smhd])$/.exec(text);
  if (age !== null) return now - Number(age[1]) * (unitOf(age[2]) ?? Number.NaN);
  if (/^\d{1,11}(\.\d{1,3})?$/.test(text)) return Math.round(Number(text) * 1000);
  const stamp = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d))?$/.test(text);
  const time = stamp ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? null : time;
}

const unitOf = (unit: string | undefined): number | undefined =>
  Object.entries(UNITS).find(([name]) => name === unit)?.[1];
