import { expect, it, vi } from 'vitest';
import { greenNight } from '../../analysis/testing/green-night.ts';
import { greenRun } from '../../analysis/testing/green-run.ts';
import type { RunEvent } from '../run-events.ts';
import type { NightPlan } from '../run-record.ts';
import { PROVENANCE, planFor } from '../testing/stored-green-run.ts';
import { heartbeatProgress, plainProgress } from './progress.ts';

const MINUTE_MS = 60_000;
const AT = Date.UTC(2026, 0, 2, 22);

const NIGHT: NightPlan = {
  kind: 'overnight',
  maxMs: 480 * MINUTE_MS,
  pauseMs: 2000,
  roundMs: 300_000,
  perRound: 200,
  width: 4,
  until: 'time',
  chaos: true,
  clients: 'raw',
  toggles: true,
  roundChecks: ['ROUTE-01'],
};

const started = (night: Partial<NightPlan> = {}): RunEvent => ({
  type: 'run_started',
  at: AT,
  plan: planFor(greenRun(), { driver: { ...NIGHT, ...night }, waves: [] }),
  provenance: PROVENANCE,
});

function judged(at: number, alter: Parameters<typeof greenNight>[0] = () => undefined): RunEvent {
  const [account] = greenNight(alter).rounds;
  return { type: 'round_judged', at, account: account ?? expect.fail() };
}

const probeEnded = (at: number): RunEvent => ({
  type: 'probe_ended',
  at,
  result: { ...(greenRun().probes[0] ?? expect.fail()) },
});

/** The lines as they stand when nothing more is written over them. */
function watched(events: readonly RunEvent[], now: number): string[] {
  let text = '';
  const progress = heartbeatProgress(
    { columns: 80, write: (more: string) => (text += more) !== '' },
    () => now,
  );
  for (const event of events) progress.onEvent(event);
  return text.split('\n').map((line) => line.split('\r\u001B[K').at(-1) ?? '');
}

it('on a terminal a round tells how far it is, what was red and died, and how much time is left', () => {
  const events = [
    started(),
    judged(AT + 5 * MINUTE_MS),
    { type: 'proxy_died', at: AT, round: 2, cause: 'chaos' } as const,
    ...Array.from({ length: 57 }, () => probeEnded(AT + 6 * MINUTE_MS)),
    { type: 'proxy_died', at: AT, round: 2, cause: 'itself' } as const,
  ];
  expect(watched(events, AT + 12 * MINUTE_MS).at(-1)).toBe(
    'round 2: 57/203 sent; 0 red, 2 deaths; 160 MB, 13 ms; 468 of 480 min left',
  );
  expect(watched(events, AT + 479 * MINUTE_MS).at(-1)).toMatch(/; 60 s left$/);
  expect(watched(events, AT + 481 * MINUTE_MS).at(-1)).toMatch(/; time is up$/);
});

it('the line of a terminal ends within 80 columns, in a long and bad night too', () => {
  const events = [
    started(),
    { type: 'resumed', at: AT, after: 127, spentMs: 0, provenance: PROVENANCE } as const,
    judged(AT, ({ rounds: [first] }) => {
      for (const one of first?.readings ?? []) one.rssMb = 1_052;
      for (const one of first?.answers ?? []) one.ms = 523;
      if (first !== undefined) first.round = 127;
    }),
    ...Array.from({ length: 200 }, () => probeEnded(AT)),
    ...Array.from(
      { length: 32 },
      () => ({ type: 'proxy_died', at: AT, round: 128, cause: 'chaos' }) as const,
    ),
  ];
  const line = watched(events, AT).at(-1);
  expect(line).toBe('round 128: 200/203 sent; 0 red, 32 deaths; 1052 MB, 523 ms; 480 of 480 min left');
});

it('what a resumed night spent before, and what the machine slept, is counted rightly', () => {
  const resumed = {
    type: 'resumed',
    at: AT,
    after: 3,
    spentMs: 100 * MINUTE_MS,
    provenance: PROVENANCE,
  } as const;
  const slept = judged(AT + 90 * MINUTE_MS, ({ rounds: [first] }) => {
    if (first !== undefined) Object.assign(first, { round: 4, jumpMs: 60 * MINUTE_MS });
  });
  expect(watched([started(), resumed], AT + 10 * MINUTE_MS).at(-1)).toBe(
    'round 4: 0/203 sent; 0 red, 0 deaths; 370 of 480 min left',
  );
  expect(watched([started(), resumed, slept], AT + 90 * MINUTE_MS).at(-1)).toMatch(
    /^round 5: .*; 350 of 480 min left$/,
  );
});

it('on a terminal the line is written again every two seconds, until the end, and a red round stays above it', async () => {
  vi.useFakeTimers();
  try {
    const written: string[] = [];
    const progress = heartbeatProgress(
      { columns: 80, write: (text: string) => written.push(text) > 0 },
      () => AT,
    );
    progress.onEvent(started());
    progress.onEvent(
      judged(AT, ({ rounds: [first] }) => {
        const red = [{ id: 'RUN-01', outcome: 'fail', what: 'r1-7: timed out, where an answer was to come' }];
        if (first !== undefined) first.verdict = { outcome: 'fail', passed: [], red };
      }),
    );
    expect(written.at(-2)).toContain('RED (RUN-01)');
    expect(written.at(-2)).toMatch(/; RUN-01: r1-7: timed out, where an answer was to come\n$/);
    const before = written.length;
    vi.advanceTimersByTime(6_100);
    expect(written.length - before).toBe(3);
    await progress.end();
    vi.advanceTimersByTime(6_100);
    expect(written.length - before).toBe(4);
  } finally {
    vi.useRealTimers();
  }
});

it('where nobody watches a round is one line, with the time left, and its probes are none', () => {
  const lines: string[] = [];
  const progress = plainProgress((line) => lines.push(line));
  progress.onEvent(started());
  for (let probe = 0; probe < 20; probe += 1) progress.onEvent(probeEnded(AT));
  progress.onEvent(judged(AT + 5 * MINUTE_MS));
  expect(lines).toHaveLength(2);
  expect(lines[1]).toMatch(
    /^round 1, 22:05 UTC: green; .*; good plain answers in 13 ms; 475 of 480 min left\n$/,
  );
});

it('a night that has so many rounds, however long they take, says nothing of time', () => {
  const events = [started({ maxRounds: 5, maxMs: 5 * 300_000 })];
  expect(watched(events, AT).at(-1)).toBe('round 1: 0/203 sent; 0 red, 0 deaths');
});
