import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHECKS } from '../../analysis/checks/index.ts';
import { greenNight } from '../../analysis/testing/green-night.ts';
import { EXIT } from '../../errors.ts';
import type { World } from '../../harness/types/world.ts';
import { createWorld } from '../../harness/world.ts';
import type { RoundAccount } from '../../protocol/witness.ts';
import { conductOf } from '../conductors.ts';
import { execute } from '../execute.ts';
import { LANES, makePlan, worldPlanOf } from '../plan.ts';
import type { RunEvent } from '../run-events.ts';
import type { NightPlan, Plan } from '../run-record.ts';
import { runSuite } from '../run-suite.ts';
import { createRunFolder } from '../stored/run-folder.ts';
import type { Suite } from '../suite.ts';
import { PROVENANCE, temporaryFolder } from '../testing/stored-green-run.ts';
import { faultsOf, roundOf } from './night-plan.ts';
import { resumableNight } from './resume.ts';
import { createNightClock, type NightClock } from './testing/night-clock.ts';

const HOUR_MS = 3_600_000;

/**
 * What is simulated is the waiting: between the probes of a round, and between rounds. Proxy, upstreams, requests, faults
 * and kills are real, and take their time. So latency is that of this machine, over a minute: it is not judged.
 */
const NIGHT: NightPlan = {
  kind: 'overnight',
  maxMs: 8 * HOUR_MS,
  pauseMs: 1.1 * HOUR_MS,
  roundMs: HOUR_MS / 60,
  perRound: 10,
  width: 4,
  until: 'time',
  chaos: true,
  clients: 'raw',
  toggles: true,
  roundChecks: CHECKS.map(({ id }) => id).filter((id) =>
    /^(ROUTE|HEADER|BYTES|STATUS|STREAM|LOG|RECONCILE|STORE|LICENSE|PERSIST-01)/.test(id),
  ),
};

const SUITE: Suite = {
  name: 'night',
  title: 'A night',
  proves: [],
  probes: [],
  driver: NIGHT,
  timeoutMs: 60_000,
  settings: { CCP_SSE_IDLE_TIMEOUT: '2500ms' },
  // Nor is it looked at whether its clients, who come one after the other, meet.
  checks: CHECKS.map(({ id }) => id).filter((id) => /^NIGHT-0[1-578]$/.test(id)),
  artifacts: { name: 'night' },
};

const planned = (seed: string, target: Plan['target'] = { kind: 'builtin' }, night = NIGHT): Plan =>
  makePlan({
    suite: { ...SUITE, driver: night },
    checks: CHECKS,
    options: {
      upstream: 'mock',
      client: 'curl',
      target,
      login: false,
      lanes: LANES,
      timeoutMs: null,
      seed,
      only: [],
      failFast: false,
      allowInconclusive: false,
    },
    claude: { found: false, reason: 'not looked for' },
    startedAt: new Date(),
  });

/** Runs it, or goes on with it; `onEvent` may interrupt. */
async function runNight(
  plan: Plan,
  folder: string,
  {
    clock,
    onEvent,
    resumes,
    prepare = () => undefined,
  }: {
    readonly clock: NightClock;
    readonly onEvent: (event: RunEvent, interrupt: () => void) => void;
    readonly resumes?: Parameters<typeof runSuite>[0]['resumes'];
    /** Does something to a world before a leg is driven in it. */
    readonly prepare?: (world: World) => void;
  },
) {
  const controller = new AbortController();
  const interrupt = () => controller.abort(new Error('interrupted by the test'));
  const results = path.join(path.dirname(folder), 'results');
  await mkdir(path.join(results, 'logs'), { recursive: true });
  return runSuite({
    plan,
    suite: SUITE,
    checks: CHECKS,
    places: { resultsDir: results, logsDir: path.join(results, 'logs') },
    provenance: PROVENANCE,
    folder,
    clock,
    resumes,
    conduct: conductOf(plan),
    openWorld: async (part, runDir) => {
      const world = await createWorld({ ...worldPlanOf(part), runDir, signal: controller.signal });
      prepare(world);
      return world;
    },
    onEvent: (event) => onEvent(event, interrupt),
    signal: controller.signal,
  });
}

describe('a night of eight hours', () => {
  it('with faults, kills, a suspended machine and an interruption is green, and small', {
    timeout: 400_000,
  }, async () => {
    await using parent = await temporaryFolder();
    const folder = path.join(parent.path, 'night');
    const plan = planned('5eed');
    const clock = createNightClock();

    const evening = await runNight(plan, folder, {
      clock,
      onEvent(event, interrupt) {
        if (event.type === 'round_judged' && event.account.round === 2) clock.suspend(HOUR_MS);
        if (event.type === 'round_judged' && event.account.round === 4) interrupt();
      },
    });
    expect(evening.record).toMatchObject({ ending: 'interrupted', exitCode: 130 });

    // As a night leaves it that was killed amid a round.
    await mkdir(path.join(folder, 'rounds/leg-0002/world/logs'), { recursive: true });
    const { rounds: before, ...resumable } = await resumableNight(folder, PROVENANCE.source);
    expect(resumable.plan).toEqual(plan);
    const events: RunEvent[] = [];
    const morning = await runNight(resumable.plan, folder, {
      clock,
      resumes: before,
      onEvent: (event) => events.push(event),
    });

    const figures: unknown = JSON.parse(await readFile(path.join(folder, 'NIGHT.json'), 'utf8'));
    expect(figures).toMatchObject({ seed: '5eed', ending: 'complete' });
    const wrong = morning.record.checks.filter(({ outcome }) => outcome !== 'pass');
    expect(wrong).toEqual([]);
    expect(morning.record).toMatchObject({ ending: 'complete', exitCode: 0 });

    const all = [
      ...before,
      ...events.flatMap((event) => (event.type === 'round_judged' ? [event.account] : [])),
    ];
    expect(all.length).toBeGreaterThanOrEqual(7);
    const whole = all.filter(({ partial }) => !partial);
    expect(whole.flatMap(({ faults }) => faults)).toEqual(
      whole.flatMap(({ round }) => faultsOf(roundOf(plan, NIGHT, round))),
    );
    expect(all.flatMap(({ deaths }) => deaths).length).toBeGreaterThan(0);
    expect(new Set(whole.map(({ protocol }) => protocol)).size).toBe(2);
    // The machine slept after the second round: that is on record, and was no load.
    expect(all.filter(({ jumpMs }) => jumpMs > HOUR_MS / 2).map(({ round }) => round)).toEqual([3]);
    expect(all.every(({ ms }) => ms < HOUR_MS / 2)).toBe(true);

    // Nothing of a green round is left but what it came to.
    expect(await readdir(path.join(folder, 'rounds'))).toEqual([]);
  });
});

it('a night that is resumed says that it goes on after the last round that was whole', async () => {
  await using parent = await temporaryFolder();
  const folder = path.join(parent.path, 'night');
  const [first, second] = greenNight().rounds;
  if (first === undefined || second === undefined) throw new Error('there are six rounds');
  const after: unknown[] = [];
  for (const partial of [true, false]) {
    await execute({
      plan: planned('5eed'),
      provenance: PROVENANCE,
      folder: await createRunFolder(`${folder}-${partial}`),
      clock: createNightClock(),
      signal: new AbortController().signal,
      resumes: [first, { ...second, partial }],
      conduct: async () => {},
      openWorld: () => Promise.reject(new Error('no world is needed')),
      onEvent: (event) =>
        event.type === 'resumed' && after.push([event.after, event.spentMs, event.provenance]),
    });
  }
  const spentMs = first.ms + second.ms + 2 * NIGHT.pauseMs;
  expect(after).toEqual([1, 2].map((round) => [round, spentMs, PROVENANCE]));
});

it('a proxy that dies before it is ready died of itself', { timeout: 60_000 }, async () => {
  await using parent = await temporaryFolder();
  const plan = planned('5eed', { kind: 'cmd', command: 'exit 7' });
  const { record } = await runNight(plan, path.join(parent.path, 'night'), {
    clock: createNightClock(),
    onEvent: () => undefined,
  });
  expect(record.ending).toBe('broken');
  const { outcome, violations } = record.checks.find(({ id }) => id === 'NIGHT-07') ?? {};
  expect(outcome).toBe('fail');
  expect(violations?.[0]?.what).toMatch(/^round 1: the proxy died of itself/);
});

it('a round whose world breaks has the time since the round before it ended, and no more', {
  timeout: 60_000,
}, async () => {
  await using parent = await temporaryFolder();
  const accounts: RoundAccount[] = [];
  await runNight(
    planned('5eed', { kind: 'builtin' }, { ...NIGHT, chaos: false, pauseMs: 0, until: 'red' }),
    path.join(parent.path, 'night'),
    {
      clock: createNightClock(),
      prepare(world) {
        const collect = world.collect.bind(world);
        const once = () =>
          accounts.length === 0 ? collect() : Promise.reject(new Error('the disk is full'));
        Object.assign(world, { collect: once });
      },
      onEvent: (event) => event.type === 'round_judged' && accounts.push(event.account),
    },
  );
  const [first, second] = accounts;
  if (first === undefined || second === undefined) throw new Error('two rounds were told of');
  expect(accounts).toHaveLength(2);
  expect(second).toMatchObject({ round: 2, leg: 1, verdict: { red: [{ id: 'RUN-01' }] } });
  expect(second.startedAt).toBeGreaterThanOrEqual(Math.floor(first.startedAt + first.ms));
});

it('a night without room for a round is broken by the limit that left none, and that is the command line', async () => {
  await using parent = await temporaryFolder();
  for (const [limits, note] of [
    [{ maxRequests: 9 }, 'a night of 9 requests has no round: one sends'],
    [{ maxMs: 0 }, 'there was no time for a round'],
  ] as const) {
    const plan = planned('5eed', { kind: 'builtin' }, { ...NIGHT, ...limits });
    const notes: string[] = [];
    const { record } = await runNight(plan, path.join(parent.path, `night-${note.length}`), {
      clock: createNightClock(),
      onEvent: (event) => event.type === 'broken' && notes.push(event.note),
    });
    expect(record).toMatchObject({ ending: 'broken', exitCode: EXIT.usage });
    expect(notes).toEqual([expect.stringContaining(note)]);
  }
});

it('a run that is no night, or has come to its end, cannot be resumed', async () => {
  await using parent = await temporaryFolder();
  await expect(resumableNight(parent.path, undefined)).rejects.toThrow('holds no run');
});
