/**
 * Which exchanges a report shows, so that the file stays one that opens: all that something is wrong with, and of the others
 * a sample with one of each kind. What is left out is counted and said.
 */
import type { Case } from './case-file.ts';

/** Exchanges that are shown with all that their witnesses saw, some 20 kB each. */
export const MOST_IN_FULL = 150;
/** Of those, exchanges with nothing wrong. */
export const SAMPLE = 40;

export interface Choice {
  /** In order of time, as are the others. */
  readonly inFull: readonly Case[];
  /** Something is wrong with them too, and they are listed in one line each. */
  readonly inBrief: readonly Case[];
  /** How many with nothing wrong are not shown. */
  readonly left: number;
}

export function chooseCases(cases: readonly Case[]): Choice {
  const wrong = cases.filter(({ problems }) => problems.length > 0);
  const sound = cases.filter(({ problems }) => problems.length === 0);
  // A kind of failure that shows late must not be crowded out by one that shows often.
  const first = kindsFirst(wrong, (one) => one.problems.map(({ check }) => check).join(' '));
  const full = first.slice(0, MOST_IN_FULL - Math.min(SAMPLE, sound.length));
  const sample = kindsFirst(sound, kindOf).slice(0, SAMPLE);
  return {
    inFull: [...full, ...sample].toSorted(byNumber),
    inBrief: first.slice(full.length).toSorted(byNumber),
    left: sound.length - sample.length,
  };
}

/** One of each kind, then the next of each, and so on. */
function kindsFirst(cases: readonly Case[], kind: (one: Case) => string): Case[] {
  const groups = [...Map.groupBy(cases, kind).values()];
  const deepest = groups.reduce((most, group) => Math.max(most, group.length), 0);
  return Array.from({ length: deepest }, (_, round) => groups.flatMap((group) => group[round] ?? [])).flat();
}

const kindOf = ({ lane, client, completion, probe }: Case): string =>
  [lane, client?.response?.status, client?.ending, completion?.op, completion?.reason, probe?.client].join(
    ' ',
  );

const byNumber = (a: Case, b: Case): number => a.number - b.number;
