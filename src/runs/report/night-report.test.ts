import { expect, it } from 'vitest';
import { greenNight } from '../../analysis/testing/green-night.ts';
import { greenRun } from '../../analysis/testing/green-run.ts';
import { BEGIN } from '../../analysis/testing/made-exchange.ts';
import { planFor } from '../testing/stored-green-run.ts';
import { nightReport } from './night-report.ts';

it('counts what the harness stood still for no load, as the checks and the claims do', () => {
  const night = greenNight(({ rounds: [first] }) => {
    if (first !== undefined) first.stalledMs = 30_000;
  });
  const evidence = { ...greenRun(), night };
  const run = { plan: planFor(evidence), evidence, ending: 'complete', startedAt: BEGIN } as const;
  const report: unknown = JSON.parse(nightReport(run) ?? '');
  expect(report).toMatchObject({ rounds: 6, loadMs: 330_000, stalledMs: 30_000 });
});
