/** The numbers of a run and what follows from them. */
import type { ExchangeSample, MemorySample } from './measure.ts';
import { type Spread, spread } from './statistics.ts';

export interface CellResult {
  readonly work: string;
  readonly concurrency: number;
  readonly contestant: string;
  /** One a repetition, in order; the same place of two contestants was measured one after the other. */
  readonly samples: readonly ExchangeSample[];
  /** Why a repetition gave no number. */
  readonly failures: readonly string[];
}

export interface SlowResult {
  readonly work: string;
  readonly streams: number;
  readonly contestant: string;
  readonly samples: readonly MemorySample[];
  readonly failures: readonly string[];
}

export interface Results {
  readonly machine: {
    readonly cores: number;
    readonly cpu: string;
    readonly node: string;
    readonly nginx?: string;
  };
  /** ISO date of the run. */
  readonly date: string;
  readonly command: string;
  readonly reps: number;
  readonly ms: number;
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  readonly cells: readonly CellResult[];
  readonly slow: readonly SlowResult[];
}

export type ExchangeFigure = keyof ExchangeSample;

/** A figure over the repetitions of one cell; null where it was not measured. */
export function figure(result: CellResult | undefined, name: ExchangeFigure): Spread | null {
  const values = (result?.samples ?? []).map((sample) => sample[name]).filter((value) => value !== null);
  return values.length === 0 ? null : spread(values);
}

/** Processor time per exchange of one contestant over another's, repetition by repetition; null if not measured. */
export function cpuRatio(
  results: Results,
  { work, concurrency, of, to }: { work: string; concurrency: number; of: string; to: string },
): Spread | null {
  const [above, below] = [of, to].map((contestant) => findCell(results, { work, concurrency, contestant }));
  const ratios = (above?.samples ?? []).flatMap((sample, index) => {
    const base = below?.samples[index]?.cpuMicros;
    return sample.cpuMicros === null || !base ? [] : [sample.cpuMicros / base];
  });
  return ratios.length === 0 ? null : spread(ratios);
}

/** What a proxy adds to the time to the first byte at concurrency 1, milliseconds; null if not measured. */
export function firstByteAdded(results: Results, work: string, contestant: string): number | null {
  const [own, direct] = [contestant, 'direct'].map((name) =>
    figure(findCell(results, { work, concurrency: 1, contestant: name }), 'firstByteP50Ms'),
  );
  return own && direct ? own.median - direct.median : null;
}

export function findCell(
  { cells }: Results,
  wanted: { work: string; concurrency: number; contestant: string },
): CellResult | undefined {
  return cells.find(
    ({ work, concurrency, contestant }) =>
      work === wanted.work && concurrency === wanted.concurrency && contestant === wanted.contestant,
  );
}

export function perStream({ slow }: Results, work: string, contestant: string): Spread | null {
  const samples =
    slow.find((result) => result.work === work && result.contestant === contestant)?.samples ?? [];
  return samples.length === 0 ? null : spread(samples.map(({ perStreamKb }) => perStreamKb));
}
