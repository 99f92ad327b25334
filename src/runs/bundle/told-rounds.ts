/** What a night told of the red rounds that it kept whole, held against what their evidence gives. */
import type { RunRecord } from '../run-record.ts';
import { isRed } from '../selftest/selftest-verdicts.ts';
import type { StoredRun } from '../stored/stored-run.ts';

type Account = NonNullable<StoredRun['evidence']['night']>['rounds'][number];

/** A verdict on all rounds of its world up to this one, as the night gave it when that ended. */
export interface ToldRound {
  readonly round: number;
  readonly outcome: RunRecord['outcome'];
  /** Checks that were not satisfied. */
  readonly red: readonly string[];
  /** Whether its surroundings broke, so that it was not judged. */
  readonly broke: boolean;
}

/** By leg (`rounds/leg-0001`), each once, in the order of the night. */
export function toldByLeg(rounds: readonly Account[]): { place: string; told: ToldRound[] }[] {
  const kept = Map.groupBy(
    rounds.filter((round) => round.kept !== null),
    (round) => round.kept ?? '',
  );
  return [...kept].map(([place, own]) => ({ place, told: own.map(toldRound) }));
}

const toldRound = ({ round, verdict: { outcome, red } }: Account): ToldRound => ({
  round,
  outcome,
  red: red.map(({ id }) => id),
  broke: red.some((one) => one.outcome === 'broken'),
});

/** What the night told of a leg and its evidence does not give; null where they agree. The last round was judged by all that is stored. */
export function disagreement(
  told: readonly ToldRound[],
  { outcome, checks }: Pick<RunRecord, 'outcome' | 'checks'>,
): string | null {
  const last = told.at(-1);
  const red = checks.filter(isRed).map(({ id }) => id);
  if (last === undefined) return null;
  if (last.broke ? outcome !== 'pass' : last.outcome === outcome && sorted(last.red) === sorted(red))
    return null;
  return `the night tells of round ${last.round} that it is ${verdictOf(last)}; its evidence gives ${verdictOf({ outcome, red })}`;
}

const sorted = (ids: readonly string[]): string => ids.toSorted().join();

const verdictOf = ({ outcome, red }: Pick<ToldRound, 'outcome' | 'red'>): string =>
  red.length === 0 ? outcome : `${outcome} by ${red.join(', ')}`;
