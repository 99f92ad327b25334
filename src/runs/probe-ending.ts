/** How a probe came to its end, held against what was planned for it. */
import type { Plan, PlannedProbe, RunRecord } from './run-record.ts';

type Ended = Pick<RunRecord['probes'][number], 'id' | 'ok' | 'timedOut' | 'exitCode'>;

/** Success, unless it was to leave or to be shown a failure. */
export function endedAsPlanned(
  { mayFail, leaveAfterBytes }: Pick<PlannedProbe, 'mayFail' | 'leaveAfterBytes'>,
  { ok, timedOut, exitCode }: Omit<Ended, 'id'>,
): boolean {
  if (ok) return true;
  if (timedOut) return false;
  // One that was to leave, and has a whole answer in its hands, was refused before it could.
  return leaveAfterBytes === undefined ? mayFail === true : exitCode !== 0;
}

/** How a probe ended, in a few words. */
export function fateOf(probe: Ended, plan: Pick<Plan, 'waves'>): string {
  if (probe.ok) return 'answered';
  if (probe.timedOut) return 'timed out';
  const wave = plan.waves.find((some) => some.some(({ id }) => id === probe.id));
  const planned = wave?.find(({ id }) => id === probe.id);
  if (planned !== undefined && endedAsPlanned(planned, probe))
    return planned.leaveAfterBytes === undefined ? 'an error, as played' : 'left, as planned';
  return probe.exitCode === null ? 'was cut off' : 'an error';
}
