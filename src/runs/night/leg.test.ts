import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { CHECKS } from '../../analysis/checks/index.ts';
import { greenRun } from '../../analysis/testing/green-run.ts';
import { SABOTEURS } from '../../harness/saboteurs/saboteurs.ts';
import type { World } from '../../harness/types/world.ts';
import { createWorld } from '../../harness/world.ts';
import { systemClock } from '../../platform/clock.ts';
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

const INTERRUPTED_AT = 5;

/** A seed whose first round has a kill, and not where it is interrupted. */
const KILLING = Array.from({ length: 100 }, (_, at) => `seed-${at}`).find(
  (seed) => (roundOf({ seed, upstream: 'mock' }, NIGHT, 1).killAfter ?? 0) > INTERRUPTED_AT,
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
  ['that was interrupted', { interruptAt: INTERRUPTED_AT }],
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

/** The first round of a night without chaos, on a clock that nobody hurries; `atProbe` is told how many were sent. */
async function roundOfPlain(
  folder: string,
  night: Partial<NightPlan>,
  atProbe: (count: number, world: World) => Promise<void> | void,
): Promise<RoundAccount> {
  const plan = planFor(greenRun(), {
    suite: 'overnight',
    driver: { ...NIGHT, chaos: false, maxRounds: 1, ...night },
    waves: [],
    timeoutMs: 1_500,
  });
  const rounds: RoundAccount[] = [];
  let probes = 0;
  await execute({
    plan,
    provenance: PROVENANCE,
    folder: await createRunFolder(folder),
    clock: systemClock,
    signal: new AbortController().signal,
    conduct: conductOf(plan),
    openWorld: async (part, runDir) => {
      const world = await createWorld({ ...worldPlanOf(part), runDir });
      const runProbe = world.runProbe.bind(world);
      // Property by property: which process is the target changes.
      return new Proxy(world, {
        get: (of, name) =>
          name !== 'runProbe'
            ? Reflect.get(of, name)
            : async (probe: Parameters<typeof runProbe>[0]) => {
                probes += 1;
                await atProbe(probes, world);
                return runProbe(probe);
              },
      });
    },
    onEvent: (event) => event.type === 'round_judged' && rounds.push(event.account),
  });
  return rounds[0] ?? expect.fail('no round was judged');
}

it('a proxy that answers nobody any more is killed and started again, and that is on record', {
  timeout: 90_000,
}, async () => {
  await using parent = await temporaryFolder();
  const round = await roundOfPlain(
    path.join(parent.path, 'night'),
    { perRound: 6, roundChecks: ['ROUTE-02', 'LOG-01', 'RECONCILE-01', 'RECONCILE-02', 'PERSIST-01'] },
    (count, { target: { pid } }) => {
      if (count === 6 && pid !== null) process.kill(pid, 'SIGSTOP');
    },
  );
  expect(round.deaths).toMatchObject([{ cause: 'hung', backMs: expect.any(Number) }]);
  // Those that it kept waiting were under way when it was killed.
  expect(round.setAside).toBeGreaterThan(0);
  expect(round.setAside).toBeLessThanOrEqual(NIGHT.width);
  expect(round.sent).toBe(6);
  expect(round.verdict).toMatchObject({ passed: expect.arrayContaining(['RUN-01']), red: [] });
});

it('a round sends nothing more once it has been over for as long as a probe may take, and is red by that', {
  timeout: 90_000,
}, async () => {
  await using parent = await temporaryFolder();
  const folder = path.join(parent.path, 'night');
  const round = await roundOfPlain(folder, { roundMs: 500, perRound: 40 }, () => sleep(700));
  expect(round.sent).toBeLessThan(40);
  expect(round.verdict.outcome).toBe('fail');
  expect(round.verdict.red[0]).toEqual({
    id: 'RUN-01',
    outcome: 'fail',
    what: expect.stringMatching(
      /^r1-\d+: was not sent, nor \d+ probes after it: the round had been over for/,
    ),
  });
  // Judged again it is the same.
  const { checks } = recordOf(await readStoredRun(path.join(folder, round.kept ?? '')), CHECKS);
  expect(checks[0]?.violations[0]?.what).toBe(round.verdict.red[0]?.what);
});
