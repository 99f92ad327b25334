/** Parts of a time, each with what tells of it: hours, or days. */
import type { Granularity } from '../protocol/meter.ts';
import { startOf } from './rollup-cells.ts';

/** Epoch milliseconds; `from` inclusive, `to` exclusive. */
export interface Piece {
  readonly granularity: Granularity;
  readonly from: number;
  readonly to: number;
}

interface Time {
  /** Epoch milliseconds: the hour or day that it lies in is the first. */
  readonly since: number | undefined;
  /** Exclusive: what begins then or later is left out. */
  readonly until: number;
  /** Hours before are forgotten; the beginning of a day. */
  readonly hoursFrom: number;
}

/** All by days, or by hours, and then by days where the hours are forgotten. */
export function piecesOf(granularity: Granularity, { since, until: to, hoursFrom }: Time): readonly Piece[] {
  const finest = granularity === 'day' || (since ?? hoursFrom) < hoursFrom ? 'day' : 'hour';
  const from = since === undefined ? Number.MIN_SAFE_INTEGER : startOf(finest, since);
  if (granularity === 'day') return [{ granularity, from, to }];
  return [
    { granularity: 'day', from, to: Math.min(to, hoursFrom) },
    { granularity: 'hour', from: Math.max(from, hoursFrom), to },
  ];
}

/** The same time as by hours in as few rows as can tell of it: its whole days by days, hours at its edges alone. */
export function fewestPieces({
  since,
  until: to,
  hoursFrom,
}: Time & { readonly since: number }): readonly Piece[] {
  const from = startOf(since < hoursFrom ? 'day' : 'hour', since);
  const firstDay = endOfDay(from);
  const end = Math.max(startOf('day', to), Math.min(to, hoursFrom));
  const pieces: readonly Piece[] =
    firstDay < end
      ? [
          { granularity: 'hour', from, to: firstDay },
          { granularity: 'day', from: firstDay, to: end },
          { granularity: 'hour', from: end, to },
        ]
      : [{ granularity: 'hour', from, to }];
  return pieces.filter((piece) => piece.from < piece.to);
}

const DAY_MS = 86_400_000;

/** The first beginning of a day that is not before a time. */
const endOfDay = (ts: number): number => startOf('day', ts + DAY_MS - 1);
