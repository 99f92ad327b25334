import { expect, it } from 'vitest';
import { greenNight } from '../analysis/testing/green-night.ts';
import { greenRun } from '../analysis/testing/green-run.ts';
import { claimsOf } from './claims.ts';
import { planFor } from './testing/stored-green-run.ts';

const evidence = { ...greenRun(), night: greenNight() };
const PLAN = planFor(evidence);

it('says of a night how long it was, so that a short one does not pass for a long one', () => {
  expect(claimsOf({ plan: PLAN, evidence }, 'pass')).toEqual([
    'It works.',
    'Seen in 6 rounds, 119 exchanges, 6.0 min of load.',
    expect.stringContaining('Taken for noise'),
  ]);
  const halted = greenNight((night) => {
    for (const round of night.rounds) round.stalledMs = 30_000;
  });
  expect(claimsOf({ plan: PLAN, evidence: { ...evidence, night: halted } }, 'pass')[1]).toContain(
    '3.0 min of load',
  );
  const brief = greenNight((night) => {
    night.rounds = night.rounds.slice(0, 1).map((round) => ({ ...round, ms: 30 }));
  });
  expect(claimsOf({ plan: PLAN, evidence: { ...evidence, night: brief } }, 'pass')[1]).toBe(
    'Seen in 1 round, 20 exchanges, 30 ms of load.',
  );
});

it('says what counted for noise in what it was judged by', () => {
  const judgedBy = (...ids: string[]) => ({
    ...PLAN,
    checks: ids.map((id) => ({ id, title: id, ...(id === 'NIGHT-05' && { skip: 'nobody can read it' }) })),
  });
  expect(claimsOf({ plan: judgedBy('NIGHT-04', 'NIGHT-05', 'NIGHT-06'), evidence }, 'pass')[2]).toBe(
    'Taken for noise: gains of up to 11.8 MB of memory in a life, 15 ms of latency in the night.',
  );
  expect(claimsOf({ plan: judgedBy('NIGHT-05'), evidence }, 'pass')).toHaveLength(2);
});

it('says nothing where the run did not pass, or where it was not the whole suite', () => {
  expect(claimsOf({ plan: PLAN, evidence }, 'inconclusive')).toEqual([]);
  expect(claimsOf({ plan: { ...PLAN, proves: [] }, evidence }, 'pass')).toEqual([]);
  expect(claimsOf({ plan: PLAN, evidence: greenRun() }, 'pass')).toEqual(['It works.']);
});
