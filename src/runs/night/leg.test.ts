import path from 'node:path';
import { expect, it } from 'vitest';
import { CHECKS } from '../../analysis/checks/index.ts';
import { greenRun } from '../../analysis/testing/green-run.ts';
import { SABOTEURS } from '../../harness/saboteurs/saboteurs.ts';
import { createWorld } from '../../harness/world.ts';
import type { RoundAccount } from '../../protocol/witness.ts';
import { conductOf } from '../conductors.ts';
import { execute } from '../execute.ts';
import { recordOf } from '../judge.ts';
import { worldPlanOf } from '../plan.ts';
import type { NightPlan } from '../run-record.ts';
import { createRunFolder } from '../stored/run-folder.ts';
import { readStoredRun } from '../stored/stored-run.ts';
import { PROVENANCE, planFor, temporaryFolder } from '../testing/stored-green-run.ts';
import { roundOf } from './night-plan.ts';
import { createNightClock } from './testing/night-clock.ts';

const NIGHT: NightPlan = {
  kind: 'overnight',
  maxMs: 600_000,
  pauseMs: 1000,
  roundMs: 2000,
  perRound: 10,
  width: 4,
  until: 'red',
  chaos: true,
  clients: 'raw',
  toggles: true,
  roundChecks: CHECKS.map(({ id }) => id).filter((id) => !/^(NIGHT|PERSIST|QUOTA|RESTART)/.test(id)),
};

/** A seed whose first round has a kill. */
const KILLING = Array.from({ length: 100 }, (_, at) => `seed-${at}`).find(
  (seed) => roundOf({ seed, upstream: 'mock' }, NIGHT, 1).killAfter !== null,
);

/** A night whose log counts everything twice, so that its first round is red and kept; `atProbe` may interrupt it. */
async function redNight(folder: string, { interruptAt }: { readonly interruptAt?: number } = {}) {
  const controller = new AbortController();
  const saboteur = SABOTEURS.find(({ name }) => name === 'usage-doubled');
  if (saboteur === undefined) throw new Error('there is such a saboteur');
  const plan = planFor(greenRun(), {
    suite: 'overnight',
    seed: KILLING ?? '',
    driver: NIGHT,
    waves: [],
    timeoutMs: 20_000,
    settings: { CCP_SSE_IDLE_TIMEOUT: '2500ms' },
  });
  const rounds: RoundAccount[] = [];
  let probes = 0;
  await execute({
    plan,
    provenance: PROVENANCE,
    folder: await createRunFolder(folder),
    clock: createNightClock(),
    signal: controller.signal,
    conduct: conductOf(plan),
    openWorld: async (part, runDir) => {
      const world = await createWorld({ ...worldPlanOf(part), runDir, saboteur, signal: controller.signal });
      const runProbe = world.runProbe.bind(world);
      return Object.assign(world, {
        runProbe(probe: Parameters<typeof runProbe>[0]) {
          probes += 1;
          if (probes === interruptAt) controller.abort(new Error('interrupted by the test'));
          return runProbe(probe);
        },
      });
    },
    onEvent(event) {
      if (event.type === 'round_judged') rounds.push(event.account);
    },
  });
  const [round] = rounds;
  if (round?.kept == null) throw new Error('the first round is red, and kept');
  return { round, leg: path.join(folder, round.kept) };
}

const redOf = ({ red }: RoundAccount['verdict']) => red.map(({ id, outcome, what }) => [id, outcome, what]);

it.each([
  ['in which the proxy was killed', {}],
  ['that was interrupted', { interruptAt: 5 }],
])('a leg %s is judged again as it was in its night', { timeout: 90_000 }, async (_, how) => {
  await using parent = await temporaryFolder();
  const { round, leg } = await redNight(path.join(parent.path, 'night'), how);
  expect(round).toMatchObject({ partial: 'interruptAt' in how, verdict: { outcome: 'fail' } });
  expect(round.setAside).toBeGreaterThan(0);

  const stored = await readStoredRun(leg);
  const record = recordOf(stored, CHECKS);
  const again = record.checks.filter(({ outcome }) => outcome !== 'pass' && outcome !== 'skipped');
  expect(
    again.map(({ id, outcome, violations, note }) => [id, outcome, violations[0]?.what ?? note]),
  ).toEqual(redOf(round.verdict));
  expect(record.checks.flatMap(({ id, outcome }) => (outcome === 'pass' ? [id] : []))).toEqual(
    round.verdict.passed,
  );
  expect(round.verdict.passed).toContain('RUN-01');
  expect(stored.setAside).toHaveLength(round.setAside);
  expect(record).toMatchObject({ outcome: 'fail', ending: 'complete' });
});
