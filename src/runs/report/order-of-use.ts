/** Which of the failed checks a reader should be shown first. */
import type { RunRecord } from '../run-record.ts';

type Verdict = RunRecord['checks'][number];

/**
 * Checks that see the trace of a fault elsewhere: the sum that is wrong because a line is, the body that is another because an
 * event is. They come after those that name what is wrong; last those that measure time.
 */
const TRACES: readonly RegExp[] = [
  /^RECONCILE-03$/,
  /^(?:BYTES-02|METRICS|STORE|USAGE)/,
  /^HYGIENE-01$/,
  /^RUN-01$/,
  // What is late may be so for the machine's reasons, and harms nobody as a wrong lane or a leak does.
  /^(?:ABORT-01|STREAM-03|NIGHT-06)$/,
];

/** Failed checks in the order in which they help to name a fault. */
export function inOrderOfUse(checks: readonly Verdict[]): Verdict[] {
  const rank = ({ id }: Verdict): number => TRACES.findIndex((trace) => trace.test(id));
  return checks.toSorted((a, b) => rank(a) - rank(b));
}
