/**
 * What quotas cost an exchange on the relaying thread, with a week of 100,000 exchanges in their windows: in CPU time, so
 * that who else is on the machine counts little. `node scripts/bench/quota.ts [REPETITIONS]`
 */
import { createQuota } from '../../src/features/quota/quota.ts';
import type { CompletionEvent } from '../../src/protocol/usage-event.ts';
import { createNoStore } from '../../src/store/no-store.ts';
import { spread } from './statistics.ts';

const IN_WINDOWS = 100_000;
/** Between two exchanges: as one comes, another leaves the week. */
const STEP_MS = (7 * 86_400_000) / IN_WINDOWS;
const AT_ONCE = 5_000;
const [LANE, MODEL] = ['zai', 'claude-haiku-4-5'];
const ASK = { method: 'POST', path: '/v1/messages', op: 'stream', model: MODEL } as const;

interface Trial {
  /** Asks whether there is room, for `AT_ONCE` exchanges. */
  gate(): void;
  /** Has them begin and end: room is taken and given back, what they used is counted and looked at. */
  exchanges(events: readonly CompletionEvent[]): void;
  /** The next ones. */
  make(): readonly CompletionEvent[];
}

/** So many quotas that name each exchange, each of which `requests` a week fill. */
function openTrial(count: number, requests: number): Trial {
  let now = Date.UTC(2026, 0, 1);
  const quota = createQuota({
    files: [],
    alsoWatch: [],
    mode: 'block',
    store: createNoStore(''),
    keptDays: null,
    lanes: () => [{ lane: LANE, globs: ['*'] }],
    known: { knownModels: [], nearestName: () => null },
    clock: { now: () => now, monotonic: () => now, after: () => () => {} },
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  const caps = { tokens: 1e12, requests, hours: 1e6 };
  const quotas = Array.from({ length: count }, (_, at) => ({
    model: `${MODEL.slice(0, at + 1)}*`,
    lane: LANE,
    rolling: caps,
    weekly: caps,
  }));
  const taken = quota.reload(Buffer.from(JSON.stringify({ quotas })));
  if (!taken.ok) throw new Error(taken.why);
  const trial: Trial = {
    gate() {
      for (let at = 0; at < AT_ONCE; at += 1)
        if (quota.gate(LANE, ASK).kind !== 'open') throw new Error('the quotas are full');
    },
    exchanges(events) {
      for (const event of events) {
        quota.onPlan?.(event);
        now += STEP_MS;
        quota.onCompletion?.(event);
      }
    },
    make: () => Array.from({ length: AT_ONCE }, (_, at) => completionAt(now + (at + 1) * STEP_MS, at)),
  };
  for (let put = 0; put < IN_WINDOWS; put += AT_ONCE) trial.exchanges(trial.make());
  return trial;
}

const completionAt = (ts: number, at: number): CompletionEvent => ({
  ...ASK,
  v: 1,
  event: 'completion',
  ts: new Date(ts).toISOString(),
  rid: at.toString(16).padStart(16, '0'),
  lane: LANE,
  provider: LANE,
  upstream: 'https://upstream.example',
  decision: 'to_zai',
  reason: 'ok',
  status: 200,
  latency_ms: 5_000 + at,
  attempts: [{ provider: LANE, ms: 1 }],
  tokens: { input: 900 + at, output: 300, cache_read: 9_000, cache_write_5m: 1, cache_write_1h: 0 },
  bytes_in: 1,
  bytes_out: 1,
  sse: { events: 1, chunks: 1, bytes: 1, duration_ms: 4_000 + at, max_gap_ms: 0, finished: true },
});

/** Microseconds of CPU time of one of `AT_ONCE`. */
function cost(act: () => void): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / AT_ONCE;
}

const shown = (values: readonly number[]): string => {
  const { median, min, max } = spread(values);
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
};

const [WITH_ROOM, PAST_WARNING] = [10 * IN_WINDOWS, Math.round(IN_WINDOWS / 0.9)];
const [repetitions = 20] = process.argv.slice(2).map(Number);
const contestants = [
  { name: 'none', trial: openTrial(0, WITH_ROOM) },
  { name: '1, with room', trial: openTrial(1, WITH_ROOM) },
  { name: '10, with room', trial: openTrial(10, WITH_ROOM) },
  { name: '1, past its warning', trial: openTrial(1, PAST_WARNING) },
  { name: '10, past their warning', trial: openTrial(10, PAST_WARNING) },
].map((one) => ({ ...one, gate: [] as number[], rest: [] as number[] }));

// In turn, so that a slow minute is everybody's. The first rounds only warm up.
for (let round = -3; round < repetitions; round += 1) {
  for (const { trial, gate, rest } of contestants) {
    const events = trial.make();
    const [asked, passed] = [cost(() => trial.gate()), cost(() => trial.exchanges(events))];
    if (round < 0) continue;
    gate.push(asked);
    rest.push(passed);
  }
}
process.stdout.write(
  [
    `${IN_WINDOWS} exchanges in the windows, six caps a quota. Microseconds of CPU time, medians of ${repetitions}, range in brackets.`,
    '',
    '| quotas that name an exchange | the gate | all else |',
    '| --- | --- | --- |',
    ...contestants.map(({ name, gate, rest }) => `| ${name} | ${shown(gate)} | ${shown(rest)} |`),
    '',
  ].join('\n'),
);
