/** A made-up night in which everything is as it should be: each test breaks one thing of a fresh copy. */
import type { Night, RoundAccount } from '../evidence.ts';
import type { Mutable } from './green-run.ts';

const MINUTE_MS = 60_000;
const BEGIN = Date.UTC(2026, 0, 2, 22);

/** Six rounds of a minute, three a setting, the last with a kill. */
export function greenNight(alter: (night: Mutable<Night>) => unknown = () => undefined): Mutable<Night> {
  const rounds = Array.from(
    { length: 6 },
    (_, index): Mutable<RoundAccount> => structuredClone(roundOf(index + 1)),
  );
  const night: Mutable<Night> = { until: 'red', rounds };
  alter(night);
  return night;
}

function roundOf(round: number): Mutable<RoundAccount> {
  const leg = Math.ceil(round / 3);
  const protocol = leg === 1 ? '2' : '1.1';
  const killed = round === 6;
  const attempts = 21;
  return {
    round,
    leg,
    protocol,
    startedAt: BEGIN + (round - 1) * MINUTE_MS,
    ms: MINUTE_MS,
    jumpMs: 3,
    stalledMs: 0,
    partial: false,
    sent: 20,
    setAside: killed ? 1 : 0,
    witnesses: {
      client: killed ? 19 : 20,
      logged: killed ? 19 : 20,
      stored: killed ? 19 : 20,
      attempts,
      upstream: attempts,
    },
    spoken: protocol === '2' ? { h1: 0, h2: attempts } : { h1: attempts, h2: 0 },
    atOnce: { client: 4, upstream: 3 },
    faults: [{ probe: `r${round}-3`, scenario: 'truncated' }],
    kills: killed,
    deaths: killed ? [{ at: BEGIN + 5.5 * MINUTE_MS, cause: 'chaos', backMs: 900 }] : [],
    verdict: {
      outcome: 'pass',
      passed: ['RUN-01', 'ROUTE-01', 'RECONCILE-01', 'RECONCILE-02', 'RECONCILE-03'],
      red: [],
    },
    readings: Array.from({ length: 8 }, (_, at) => ({
      life: `${leg}.1`,
      at: (((round - 1) % 3) + at / 8) * MINUTE_MS,
      // A saw that garbage collection makes.
      rssMb: 160 + ((round * 8 + at) % 5),
      files: 35 + (at % 2),
      sockets: 5 + (at % 2),
    })),
    answers: Array.from({ length: 8 }, (_, at) => ({
      life: `${leg}.1`,
      at: (round - 1 + at / 8) * MINUTE_MS,
      ms: 12 + (at % 3),
    })),
    kept: null,
  };
}
