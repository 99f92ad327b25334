import { execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { greenRun } from '../../analysis/testing/green-run.ts';
import { type DriverOptions, drivenBy } from '../drivers.ts';
import type { NightPlan, Plan } from '../run-record.ts';
import { PLANNED_NIGHT as NIGHT } from '../testing/planned-night.ts';
import { planFor, temporaryFolder } from '../testing/stored-green-run.ts';
import { reproduceLine, resumeLine } from './repeat-line.ts';

const line = (changes: Partial<Plan>, check = 'NIGHT-01'): string =>
  reproduceLine({ plan: planFor(greenRun(), changes) }, check);

const ROUNDS = { ...NIGHT, maxMs: 1_500_000, toggles: false, maxRounds: 5, until: 'time' } as const;
const SUITES = { overnight: NIGHT, longrun: ROUNDS, parallel: ROUNDS };

const nightOf = (
  suite: keyof typeof SUITES,
  driver: DriverOptions,
  upstream: Plan['upstream'] = 'mock',
): NightPlan => {
  const driven = drivenBy(SUITES[suite], { driver, upstream, target: { kind: 'builtin' }, client: 'curl' });
  if (driven.kind !== 'overnight') throw new Error('it is a night');
  return driven;
};

it.each([
  [
    'overnight',
    { maxMinutes: 4, until: 'time', chaos: true },
    '--max-minutes 4 --sleep-between 2 --chaos --soak',
  ],
  ['overnight', { maxMinutes: 0.5, pauseSecs: 0.5 }, '--max-minutes 0.5 --sleep-between 0.5'],
  ['longrun', {}, '--rounds 5'],
  ['longrun', { rounds: 7 }, '--rounds 7'],
  ['longrun', { minutes: 30 }, '--minutes 30'],
  ['longrun', { rounds: 5, minutes: 1 }, '--rounds 5 --minutes 1'],
  ['parallel', { width: 8, rounds: 2 }, '8 --rounds 2'],
] as const)('names the figures of %s: typed again, they make the same plan', (suite, asked, figures) => {
  const driver = nightOf(suite, asked);
  expect(line({ suite, driver })).toBe(`ccp-uat ${suite} ${figures} --only NIGHT-01 --seed 5eed`);
});

it('names what may be sent to real upstreams at the most', () => {
  const driver = nightOf('overnight', { maxMinutes: 60, maxRequests: 100 }, 'real');
  expect(line({ suite: 'overnight', driver, upstream: 'real' })).toContain('--max-requests 100');
});

it('repeats of a leg the night that it is a part of, by whose checks it is not judged', () => {
  const partOf = nightOf('overnight', { maxMinutes: 4, until: 'time', chaos: true });
  expect(line({ suite: 'overnight', partOf }, 'RECONCILE-02')).toBe(
    'ccp-uat overnight --max-minutes 4 --sleep-between 2 --chaos --soak --seed 5eed',
  );
});

it.each(['interrupted', 'broken', 'died'] as const)('goes on with a night that ended as %s', (ending) => {
  const plan = planFor(greenRun(), { suite: 'longrun', driver: nightOf('longrun', {}) });
  expect(resumeLine({ plan, ending }, 'results/a night')).toBe(
    "ccp-uat overnight --resume 'results/a night'",
  );
});

it('has nothing to go on with where a night came to its end or still goes on, or the run is none', () => {
  const night = planFor(greenRun(), { driver: nightOf('overnight', {}) });
  expect(resumeLine({ plan: night, ending: 'complete' }, 'x')).toBeNull();
  expect(resumeLine({ plan: night, ending: 'running' }, 'x')).toBeNull();
  expect(resumeLine({ plan: planFor(greenRun()), ending: 'interrupted' }, 'x')).toBeNull();
});

it('repeats of what a saboteur broke the self-test of that one', () => {
  const asked = { selftest: { saboteurs: ['ping-swallowed'], full: true } };
  expect(line({ suite: 'repro-go-quick', asked })).toBe('ccp-uat selftest ping-swallowed --seed 5eed --full');
  const all = { selftest: { saboteurs: [], full: false } };
  expect(line({ suite: 'selftest', asked: all })).toBe('ccp-uat selftest --seed 5eed');
});

it('is one command to a shell, whatever a run calls itself', async () => {
  await using folder = await temporaryFolder();
  const name = "a b; touch touched; $(touch touched) `touch touched`\ntouch touched # it's";
  const asked = { probes: [name] };
  const run = { suite: name, seed: name, asked, target: { kind: 'cmd', command: name } } as const;
  const lines = [
    line(run),
    line({ ...run, driver: nightOf('overnight', {}) }),
    line({ ...run, asked: { selftest: { saboteurs: [name], full: false } } }),
  ];
  const words = lines.map((one) =>
    execFileSync('sh', ['-c', one.replace(/^ccp-uat/, String.raw`printf '%s\0'`)], { cwd: folder.path })
      .toString()
      .split('\0'),
  );
  for (const said of words) expect(said.filter((word) => word === name).length).toBeGreaterThanOrEqual(2);
  expect(await readdir(folder.path)).toEqual([]);
});
