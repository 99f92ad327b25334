/** What grows in a night, or must not: memory, open files and sockets of a life of the proxy, and the time that answers take. */
import type { LifeReading, RoundAccount } from './evidence.ts';
import { type Trend, trendOf } from './trend.ts';

export type Taken = 'rssMb' | 'files' | 'sockets';

export interface Measured {
  readonly name: string;
  readonly unit: string;
  /** What may be gained from beginning to end; of lives that of one with as many exchanges as they had on average. */
  readonly bound: number;
  /** By the millisecond; null where there is too little for one. */
  readonly trend: Trend | null;
  /** From whose beginning to whose end. */
  readonly of: 'a life' | 'the night';
  /** Where each part is judged by itself, the one that gains most for certain, and how many had too few points to say. */
  readonly worst?: { readonly life: string; readonly trend: Trend; readonly bound: number } | null;
  readonly tooShort?: number;
  /** How many exchanges a life had, on average and at most. */
  readonly exchanges?: { readonly mean: number; readonly most: number };
}

/**
 * What a life may gain once it is warm, without that being a climb: garbage gathers with every exchange until V8 collects it,
 * sockets are kept for a while, and a machine has other things to do. Lives of six hundred exchanges were seen to gain 5 MB
 * at most; those of a machine that is never short of memory may gain more.
 */
export const NOISE: Readonly<
  Record<Taken, { readonly least: number; readonly each: number; readonly most: number }>
> = {
  rssMb: { least: 10, each: 0.03, most: 40 },
  files: { least: 16, each: 0, most: 16 },
  sockets: { least: 16, each: 0, most: 16 },
};

function noiseAfter(exchanges: number, kind: Taken): number {
  const { least, each, most } = NOISE[kind];
  return Math.min(most, least + each * exchanges);
}

/** An answer may take so much longer at the end of the night than at its beginning. */
export const SLOWER_MS = 15;

/** Where answers differ by more than that anyway, so much longer, or twice as long. */
export const MOST_NOISE_MS = 100;

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
  const lives = [
    ...Map.groupBy(
      rounds.flatMap(({ readings }) => readings ?? []),
      ({ life }) => life,
    ),
  ].map(([life, readings]) => ({
    life,
    exchanges: exchangesOf(life, rounds),
    points: warm(readings).map((one: LifeReading) => ({ group: life, at: one.at, value: one[kind] })),
  }));
  const known = lives.flatMap(({ life, exchanges, points }) => {
    const trend = trendOf(points);
    return trend === null ? [] : [{ life, trend, bound: noiseAfter(exchanges, kind) }];
  });
  const mean = lives.reduce((sum, { exchanges }) => sum + exchanges, 0) / Math.max(1, lives.length);
  return {
    ...WORDS[kind],
    bound: noiseAfter(mean, kind),
    trend: trendOf(lives.flatMap(({ points }) => points)),
    of: 'a life',
    worst: known.toSorted((a, b) => excessOf(b) - excessOf(a))[0] ?? null,
    tooShort: lives.length - known.length,
    exchanges: { mean, most: Math.max(0, ...lives.map(({ exchanges }) => exchanges)) },
  };
}

/** Of the rounds that it lived in; one in which the proxy died it shares with its neighbours. */
const exchangesOf = (life: string, rounds: readonly RoundAccount[]): number =>
  rounds.reduce((sum, { readings, witnesses }) => {
    const there = new Set((readings ?? []).map((one) => one.life));
    return there.has(life) ? sum + witnesses.client / there.size : sum;
  }, 0);

const excessOf = ({ trend, bound }: { readonly trend: Trend; readonly bound: number }): number =>
  leastGain(trend) - bound;

/** Without the first third of a life, which is its warm-up. */
const warm = <T>(life: readonly T[]): readonly T[] => life.slice(Math.ceil(life.length / 3));

/** What was gained at the least, as far as one can be sure. */
export const leastGain = ({ low, span }: Trend): number => low * span;

/** Over the whole night, what was spoken over HTTP/1.1 and over HTTP/2 apart. */
export function latencyOf(rounds: readonly RoundAccount[]): Measured {
  const answers = warmAnswers(rounds);
  const points = answers.map(({ round, at, ms }) => ({ group: `HTTP/${round.protocol}`, at, value: ms }));
  const early = answers.slice(0, Math.ceil(answers.length / 4)).map(({ ms }) => ms);
  const bound = slowerThan(medianOf(early), answers);
  return { name: 'latency', unit: 'ms', bound, trend: trendOf(points), of: 'the night' };
}

/** What answers over one protocol took, milliseconds. */
export interface Quarters {
  readonly protocol: RoundAccount['protocol'];
  /** In which it was set. */
  readonly rounds: number;
  /** Of warm processes. */
  readonly answers: number;
  /**
   * The medians of the first and the last quarter of its answers, `each` of so many, and by how much the last is above the
   * first at the least, as far as one can be sure (95 % of either); null where there are too few to be compared.
   */
  readonly medians: {
    readonly each: number;
    readonly first: number;
    readonly last: number;
    readonly slowerBy: number;
    readonly bound: number;
  } | null;
}

/**
 * From the least to the most of so many their median lies in 97 of 100 cases; of one fewer in 94. What has not as many in a
 * quarter is compared by as many all the same, while beginning and end have none in common.
 */
const LEAST_ANSWERS = 6;

/**
 * The end beside the beginning, for each protocol that was set: what becomes slow late, and at once, has no slope. In the
 * order of the rounds: the clock of a night that was resumed began anew.
 */
export function quartersOf(rounds: readonly RoundAccount[]): readonly Quarters[] {
  const settings = Map.groupBy(rounds, ({ protocol }) => protocol);
  return [...settings].map(([protocol, own]) => {
    const answers = warmAnswers(own);
    const each = Math.max(LEAST_ANSWERS, Math.floor(answers.length / 4));
    const took = answers.map(({ ms }) => ms);
    const [early, late] = [took.slice(0, each), took.slice(-each)];
    const first = medianOf(early);
    const slowerBy = medianWithin(late).low - medianWithin(early).high;
    const medians = { each, first, last: medianOf(late), slowerBy, bound: slowerThan(first, answers) };
    return {
      protocol,
      rounds: own.length,
      answers: answers.length,
      medians: answers.length < 2 * LEAST_ANSWERS ? null : medians,
    };
  });
}

interface Answered {
  readonly round: RoundAccount;
  readonly at: number;
  readonly ms: number;
}

/** In the order of the rounds, of each life without its warm-up. */
function warmAnswers(rounds: readonly RoundAccount[]): Answered[] {
  const answers = rounds.flatMap((round) => round.answers.map((answer) => ({ round, ...answer })));
  return [...Map.groupBy(answers, ({ round, life }) => `${round.leg} ${life}`).values()].flatMap(warm);
}

/** By how much more an answer may take that took so long, among these. */
const slowerThan = (ms: number, answers: readonly Answered[]): number =>
  Math.max(SLOWER_MS, Math.min(noiseOf(answers), Math.max(MOST_NOISE_MS, ms)));

/**
 * Three standard deviations of an answer, taken from what one differs by from the one before it in its round: on a busy machine
 * that is much, and where answers become slow little by little, or all at once, it is not.
 */
function noiseOf(answers: readonly Answered[]): number {
  const steps = answers.flatMap(({ round, ms }, index) => {
    const before = answers[index - 1];
    return before?.round === round ? [Math.abs(ms - before.ms)] : [];
  });
  return (3 * quantileOf(steps, 0.75)) / LARGE_STEP;
}

/** The third quartile of the steps between values that are normally distributed, in their standard deviations. */
const LARGE_STEP = 1.627;

/** One that occurred; 0 where none did. */
const medianOf = (values: readonly number[]): number => quantileOf(values, 0.5);

/** One that occurred; 0 where none did. */
const quantileOf = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0;

/** Between which of the values, six or more, the median of all there could be lies, in 95 of 100 cases: by rank, whatever they are like. */
function medianWithin(values: readonly number[]): { readonly low: number; readonly high: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const [middle, width] = [sorted.length / 2, 0.98 * Math.sqrt(sorted.length)];
  const at = (rank: number): number =>
    sorted[Math.min(Math.max(Math.round(rank), 0), sorted.length - 1)] ?? 0;
  return { low: at(middle - width - 1), high: at(middle + width) };
}
