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
  const planned = plannedIn(plan, probe.id);
  if (planned !== undefined && endedAsPlanned(planned, probe))
    return planned.leaveAfterBytes === undefined ? 'an error, as played' : 'left, as planned';
  return probe.exitCode === null ? 'was cut off' : 'an error';
}

/** What was planned of a probe; undefined where nothing was. One wave after the other: all in one list would be made for each of thousands. */
export function plannedIn({ waves }: Pick<Plan, 'waves'>, id: string): PlannedProbe | undefined {
  for (const wave of waves) {
    const planned = wave.find((probe) => probe.id === id);
    if (planned !== undefined) return planned;
  }
  return undefined;
}
