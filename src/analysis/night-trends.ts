/** What grows in a night, or must not: memory, open files and sockets of a life of the proxy, and the time that answers take. */
import type { LifeReading, RoundAccount } from './evidence.ts';
import { type Trend, trendOf } from './trend.ts';

export type Taken = 'rssMb' | 'files' | 'sockets';

export interface Measured {
  readonly name: string;
  readonly unit: string;
  /** What may be gained from beginning to end. */
  readonly bound: number;
  /** By the millisecond; null where there is too little for one. */
  readonly trend: Trend | null;
  /** From whose beginning to whose end. */
  readonly of: 'a life' | 'the night';
  /** Where each part is judged by itself, the one that gains most for certain, and how many had too few points to say. */
  readonly worst?: { readonly life: string; readonly trend: Trend } | null;
  readonly tooShort?: number;
}

/**
 * What a life may gain once it is warm, without that being a climb: V8 collects the old part of its heap only when tens of
 * megabytes have gathered there, sockets are kept for a while, and a machine has other things to do.
 */
export const NOISE: Readonly<Record<Taken, number>> = { rssMb: 40, files: 16, sockets: 16 };

/** An answer may take so much longer at the end of the night than at its beginning, or twice as long as in its first quarter. */
export const SLOWER_MS = 50;

const WORDS = {
  rssMb: { name: 'memory', unit: 'MB' },
  files: { name: 'open files', unit: 'files' },
  sockets: { name: 'sockets', unit: 'sockets' },
} as const;

/**
 * Within the lives of the proxy, each without its first third, which is its warm-up. One that leaks is not made good by
 * many that do not, nor by their being short: each is measured by its own length.
 */
export function takenOf(rounds: readonly RoundAccount[], kind: Taken): Measured {
  const lives = Map.groupBy(
    rounds.flatMap(({ readings }) => readings ?? []),
    ({ life }) => life,
  );
  const warm = [...lives].map(([life, readings]) => ({
    life,
    points: readings
      .slice(Math.ceil(readings.length / 3))
      .map((one: LifeReading) => ({ group: life, at: one.at, value: one[kind] })),
  }));
  const known = warm.flatMap(({ life, points }) => {
    const trend = trendOf(points);
    return trend === null ? [] : [{ life, trend }];
  });
  return {
    ...WORDS[kind],
    bound: NOISE[kind],
    trend: trendOf(warm.flatMap(({ points }) => points)),
    of: 'a life',
    worst: known.toSorted((a, b) => leastGain(b.trend) - leastGain(a.trend))[0] ?? null,
    tooShort: warm.length - known.length,
  };
}

/** What was gained at the least, as far as one can be sure. */
export const leastGain = ({ low, span }: Trend): number => low * span;

/** Over the whole night, what was spoken over HTTP/1.1 and over HTTP/2 apart. */
export function latencyOf(rounds: readonly RoundAccount[]): Measured {
  const points = rounds.flatMap(({ protocol, answers }) =>
    answers.map(({ at, ms }) => ({ group: `HTTP/${protocol}`, at, value: ms })),
  );
  const early = points.slice(0, Math.ceil(points.length / 4)).map(({ value }) => value);
  const bound = slowerThan(medianOf(early));
  return { name: 'latency', unit: 'ms', bound, trend: trendOf(points), of: 'the night' };
}

/** What answers over one protocol took, milliseconds. */
export interface Quarters {
  readonly protocol: RoundAccount['protocol'];
  /** In which it was set. */
  readonly rounds: number;
  readonly answers: number;
  /** The medians of the first and the last quarter of its answers; null where these are too few to be compared. */
  readonly medians: { readonly first: number; readonly last: number; readonly bound: number } | null;
}

/** A quarter has so many answers, or its median is that of an accident. */
const LEAST_ANSWERS = 5;

/**
 * The end beside the beginning, for each protocol that was set: what becomes slow late, and at once, has no slope. In the
 * order of the rounds: the clock of a night that was resumed began anew.
 */
export function quartersOf(rounds: readonly RoundAccount[]): readonly Quarters[] {
  const settings = Map.groupBy(rounds, ({ protocol }) => protocol);
  return [...settings].map(([protocol, own]) => {
    const answers = own.flatMap((round) => round.answers.map(({ ms }) => ms));
    const size = Math.floor(answers.length / 4);
    const first = medianOf(answers.slice(0, size));
    const medians = { first, last: medianOf(answers.slice(-size)), bound: slowerThan(first) };
    const compared = size < LEAST_ANSWERS ? null : medians;
    return { protocol, rounds: own.length, answers: answers.length, medians: compared };
  });
}

/** By how much more an answer may take that took so long. */
const slowerThan = (ms: number): number => Math.max(SLOWER_MS, ms);

/** One that occurred; 0 where none did. */
const medianOf = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
