/** What is wrong, in plain lines, for reports that have nothing but text. */
import type { RunRecord } from '../run-record.ts';
import { reproduceLine } from './repeat-line.ts';

type Verdict = RunRecord['checks'][number];

/** More of the same teaches nothing; `run.json` has them all. */
const MOST = 20;

/** What a check found: expected, seen by whom, where to look; last the line that repeats it. */
export function failureText(record: RunRecord, { id, violations, note }: Verdict): string {
  const told = violations
    .slice(0, MOST)
    .map(({ what, expected, saw = {}, pointers }) =>
      [
        what,
        ...(expected === undefined ? [] : [`expected: ${expected}`]),
        ...Object.entries(saw).map(([witness, sight]) => `${witness} saw: ${sight}`),
        ...(pointers.length === 0 ? [] : [`look at: ${pointers.join(', ')}`]),
      ].join('\n'),
    );
  const rest = violations.length - MOST;
  return [
    ...told,
    ...(rest > 0 ? [`and ${rest} more, see run.json`] : []),
    ...(note === undefined ? [] : [note]),
    `repeat: ${reproduceLine(record, id)}`,
  ].join('\n\n');
}
