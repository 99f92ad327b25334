/** What a night keeps of figures that come several times a second: a few of each round, so that its account stays small. */
import type { LifeReading, RoundAccount } from '../../protocol/witness.ts';

/** Of each process, and of the answers, in one round. */
const KEPT = 8;

/** The median of each of a few equal parts. */
export function thinReadings(readings: readonly Omit<LifeReading, 'life'>[]): Omit<LifeReading, 'life'>[] {
  return parts(readings).map((part) => ({
    at: Math.round(medianOf(part.map(({ at }) => at))),
    rssMb: Math.round(medianOf(part.map(({ rssMb }) => rssMb)) * 10) / 10,
    files: medianOf(part.map(({ files }) => files)),
    sockets: medianOf(part.map(({ sockets }) => sockets)),
  }));
}

/** Of each process apart. */
export function thinAnswers(answers: RoundAccount['answers']): RoundAccount['answers'] {
  return [...Map.groupBy(answers, ({ life }) => life)].flatMap(([life, own]) =>
    parts(own).map((part) => ({
      life,
      at: Math.round(medianOf(part.map(({ at }) => at))),
      ms: Math.round(medianOf(part.map(({ ms }) => ms)) * 10) / 10,
    })),
  );
}

/** As many as are kept, or one for each where there are fewer. */
function parts<T>(items: readonly T[]): T[][] {
  const count = Math.min(KEPT, items.length);
  const edge = (at: number): number => Math.floor((at * items.length) / count);
  return Array.from({ length: count }, (_, at) => items.slice(edge(at), edge(at + 1)));
}

/** One that occurred. */
function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
