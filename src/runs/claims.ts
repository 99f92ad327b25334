/** What a run entitles one to say. */
import { loadOf } from '../analysis/night-load.ts';
import type { Night } from '../protocol/witness.ts';
import type { RunRecord } from './run-record.ts';
import type { StoredRun } from './stored-run.ts';

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
  const words = [
    counted(rounds.length, 'round'),
    counted(exchanges, 'exchange'),
    `${lasting(loadOf(rounds))} of load`,
  ];
  return `Seen in ${words.join(', ')}.`;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

const lasting = (ms: number): string =>
  ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${(ms / 60_000).toFixed(1)} min`;
