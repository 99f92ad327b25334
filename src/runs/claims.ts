/** What a run entitles one to say. */
import { duration } from '../analysis/duration.ts';
import { loadOf } from '../analysis/night-load.ts';
import { countRounds, roundsInWords } from '../analysis/night-rounds.ts';
import { latencyOf, takenOf } from '../analysis/night-trends.ts';
import { plural } from '../analysis/plural.ts';
import type { Night } from '../protocol/witness.ts';
import type { RunRecord } from './run-record.ts';
import type { StoredRun } from './stored/stored-run.ts';

/** Nothing, unless it passed. What a night shows it shows of as long as it lasted, and that is said with it. */
export function claimsOf(
  { plan, evidence: { night } }: Pick<StoredRun, 'plan' | 'evidence'>,
  outcome: RunRecord['outcome'],
): string[] {
  if (outcome !== 'pass' || plan.proves.length === 0) return [];
  return night === undefined ? [...plan.proves] : [...plan.proves, extentOf(night), ...noiseOf(night, plan)];
}

/** What is said in place of claims where a run that passed has none. */
export const unclaimed = ({ driver }: Pick<StoredRun['plan'], 'driver'>): string =>
  driver?.kind === 'overnight' && driver.until === 'green'
    ? 'It ended with its first green round, as was asked: nothing is claimed of a night.'
    : 'Not all of the suite was sent and judged: no more is shown than the checks say.';

function extentOf({ rounds }: Night): string {
  const exchanges = rounds.reduce((sum, { witnesses }) => sum + witnesses.client, 0);
  const load = duration(loadOf(rounds));
  const words = [roundsInWords(countRounds(rounds)), plural(exchanges, 'exchange'), `${load} of load`];
  return `Seen in ${words.join(', ')}.`;
}

/** What it might have gained all the same, by the checks that it was judged by. */
function noiseOf({ rounds }: Night, { checks }: StoredRun['plan']): string[] {
  const judged = (check: string): boolean =>
    checks.some(({ id, skip }) => id === check && skip === undefined);
  const measured = [
    ...(judged('NIGHT-04') ? [takenOf(rounds, 'rssMb')] : []),
    ...(judged('NIGHT-05') ? [takenOf(rounds, 'files'), takenOf(rounds, 'sockets')] : []),
    ...(judged('NIGHT-06') ? [latencyOf(rounds)] : []),
  ];
  if (measured.length === 0) return [];
  const words = measured.map(
    ({ name, unit, bound, of }) =>
      `${Math.round(bound * 10) / 10} ${name.endsWith(unit) ? '' : `${unit} of `}${name} in ${of}`,
  );
  return [`Taken for noise: gains of up to ${words.join(', ')}.`];
}
