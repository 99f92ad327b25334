/** What a run entitles one to say. */
import { duration } from '../analysis/duration.ts';
import { loadOf } from '../analysis/night-load.ts';
import { countRounds, roundsInWords } from '../analysis/night-rounds.ts';
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
  return night === undefined ? [...plan.proves] : [...plan.proves, extentOf(night)];
}

function extentOf({ rounds }: Night): string {
  const exchanges = rounds.reduce((sum, { witnesses }) => sum + witnesses.client, 0);
  const load = duration(loadOf(rounds));
  const words = [roundsInWords(countRounds(rounds)), plural(exchanges, 'exchange'), `${load} of load`];
  return `Seen in ${words.join(', ')}.`;
}
