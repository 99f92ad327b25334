/** What a night keeps of figures that come several times a second: a few of each round, so that its account stays small. */
import type { LifeReading, RoundAccount } from '../protocol/witness.ts';

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

export function thinAnswers(answers: RoundAccount['answers']): RoundAccount['answers'] {
  return parts(answers).map((part) => ({
    at: Math.round(medianOf(part.map(({ at }) => at))),
    ms: Math.round(medianOf(part.map(({ ms }) => ms)) * 10) / 10,
  }));
}

function parts<T>(items: readonly T[]): T[][] {
  const size = Math.max(1, Math.ceil(items.length / KEPT));
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) =>
    items.slice(at * size, (at + 1) * size),
  );
}

/** One that occurred. */
function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
