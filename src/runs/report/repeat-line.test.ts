import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { greenRun } from '../../analysis/testing/green-run.ts';
import { type DriverOptions, drivenBy } from '../drivers.ts';
import type { NightPlan, Plan } from '../run-record.ts';
import { planFor } from '../testing/stored-green-run.ts';
import { reproduceLine } from './repeat-line.ts';

const line = (changes: Partial<Plan>, check = 'NIGHT-01'): string =>
  reproduceLine({ plan: planFor(greenRun(), changes) }, check);

/** Like the figures of the suites: what is typed is put over them. */
const NIGHT: NightPlan = {
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

it('repeats of what a saboteur broke the self-test of that one', () => {
  const asked = { selftest: { saboteurs: ['ping-swallowed'], full: true } };
  expect(line({ suite: 'repro-go-quick', asked })).toBe('ccp-uat selftest ping-swallowed --seed 5eed --full');
  const all = { selftest: { saboteurs: [], full: false } };
  expect(line({ suite: 'selftest', asked: all })).toBe('ccp-uat selftest --seed 5eed');
});

it('hands each word of the run to a shell as it stands there, and nothing of it as a command', () => {
  const word = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('\0'));
  const words = fc.record({ seed: word, suite: word, probe: word, command: word });
  fc.assert(
    fc.property(words, ({ seed, suite, probe, command }) => {
      const target = { kind: 'cmd', command } as const;
      const typed = line({ seed, suite, asked: { probes: [probe] }, target });
      // In place of the program, one that shows what it was given.
      const told = `show() { printf '%s\\0' "$@"; }\n${typed.replace('ccp-uat', 'show')}`;
      const given = execFileSync('sh', ['-c', told], { encoding: 'utf8' }).split('\0').slice(0, -1);
      expect(given).toEqual(['run', suite, '--only', 'NIGHT-01', probe, '--seed', seed, '--target', command]);
    }),
    {
      numRuns: 50,
      examples: [[{ seed: 'a b; touch x', suite: "it's", probe: '$(x)', command: '`x` {port}\n' }]],
    },
  );
});
