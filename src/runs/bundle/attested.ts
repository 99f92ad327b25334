/** What a verifier cannot find out from the rest of a bundle: its hash and its signature alone speak for it. */
import { MATRIX } from '../selftest/stored-matrix.ts';
import type { StoredRun } from '../stored/stored-run.ts';
import { UNDER_WAY } from '../stored/under-way.ts';
import { legOf } from './kept-rounds.ts';
import type { JudgedLeg } from './weigh-evidence.ts';

/** As it was written, where no check looks at the file itself. */
const RAW = ['proxy.log', 'usage.jsonl', 'usage.1.jsonl'];

/** In words, each with the file that it stands in, below the folder of the run. */
export function attestedIn({
  there,
  stored: { evidence },
  legs,
}: {
  readonly there: readonly string[];
  readonly stored: StoredRun;
  readonly legs: readonly Pick<JudgedLeg, 'told' | 'agrees'>[];
}): string[] {
  const raw = there.filter(
    (file) => RAW.includes(file) || RAW.some((name) => file === `${legOf(file)}/${name}`),
  );
  const rounds = evidence.night?.rounds ?? [];
  const whole = legs.reduce((sum, { told, agrees }) => sum + (agrees ? told.length : 0), 0);
  return [
    ...raw.toSorted(),
    ...(there.includes(UNDER_WAY) ? [`${UNDER_WAY}: that the run still went on`] : []),
    ...(there.includes(MATRIX) ? [`${MATRIX}: how each check came out on each saboteur`] : []),
    ...(rounds.length === 0
      ? []
      : [
          `events.jsonl: the verdicts of ${rounds.length - whole} of ${rounds.length} rounds, which no exchanges here bear out`,
          'events.jsonl: the readings of memory, files, sockets and latency',
        ]),
  ];
}
