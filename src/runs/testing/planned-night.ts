import type { NightPlan } from '../run-record.ts';

/** A night as a suite has it: what is typed is put over it. */
export const PLANNED_NIGHT: NightPlan = {
  kind: 'overnight',
  maxMs: 1_800_000,
  pauseMs: 2_000,
  roundMs: 75_000,
  perRound: 150,
  width: 4,
  until: 'red',
  chaos: false,
  clients: 'raw',
  toggles: true,
  roundChecks: ['ROUTE-01'],
};
