/**
 * What quotas cost an exchange on the relaying thread, with a week of 100,000 exchanges in their windows, and what a page
 * of them: in CPU time, so that who else is on the machine counts little. `node scripts/bench/quota.ts [REPETITIONS]`
 */
import { KNOWN } from '../../src/config/open-quota.ts';
import { createQuota, type Quota } from '../../src/features/quota/quota.ts';
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

/** Quotas of these globs, each of which `requests` a week fill. */
function openQuotas(globs: readonly string[], requests: number, now: () => number): Quota {
  const quota = createQuota({
    files: [],
    alsoWatch: [],
    mode: 'block',
    store: createNoStore(''),
    keptDays: null,
    lanes: () => [{ lane: LANE, globs: ['*'] }],
    known: KNOWN,
    clock: { now, monotonic: now, after: () => () => {} },
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  const caps = { tokens: 1e12, requests, hours: 1e6 };
  const quotas = globs.map((model) => ({ model, lane: LANE, rolling: caps, weekly: caps }));
  const taken = quota.reload(Buffer.from(JSON.stringify({ quotas })));
  if (!taken.ok) throw new Error(taken.why);
  return quota;
}

/** So many quotas that name each exchange, each of which `requests` a week fill. */
function openTrial(count: number, requests: number): Trial {
  let now = Date.UTC(2026, 0, 1);
  const globs = Array.from({ length: count }, (_, at) => `${MODEL.slice(0, at + 1)}*`);
  const quota = openQuotas(globs, requests, () => now);
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

/** The most names that are kept of a lane, of as many words as fit: a client may make them up. */
const MADE_UP = Array.from({ length: 95 }, (_, at) =>
  Array.from({ length: 42 }, (__, word) => wordOf(at * 42 + word + 26 ** 3)).join('-'),
);

/** Letters alone, others for each number. */
function wordOf(number: number): string {
  return number.toString(26).replaceAll(/\d/g, (digit) => 'qrstuvwxyz'.charAt(Number(digit)));
}

/** So many quotas that match what came, or that have a slip, after names that a client made up. */
function openPage(count: number, glob: string): Quota {
  const now = Date.UTC(2026, 0, 1);
  const quota = openQuotas(
    Array.from({ length: count }, (_, at) => glob + '*'.repeat(at)),
    1e6,
    () => now,
  );
  for (const [at, model] of MADE_UP.entries()) quota.onCompletion?.({ ...completionAt(now, at), model });
  return quota;
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

/** Microseconds of CPU time of one of `times`. */
function cost(act: () => void, times = AT_ONCE): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

/** Milliseconds of CPU time of what `/v1/quotas` asks for. */
const pageCost = (quota: Quota): number => cost(() => void [quota.views(), quota.warnings()], 1) / 1_000;

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

const pages = [
  { name: '6 that match', quota: openPage(6, '*') },
  { name: '100 that match', quota: openPage(100, '*') },
  { name: '6 with a slip', quota: openPage(6, '*haku*') },
  { name: '100 with a slip', quota: openPage(100, '*haku*') },
].map((one) => ({ ...one, took: [] as number[] }));

// In turn, so that a slow minute is everybody's. The first rounds only warm up.
for (let round = -3; round < repetitions; round += 1) {
  for (const { trial, gate, rest } of contestants) {
    const events = trial.make();
    const [asked, passed] = [cost(() => trial.gate()), cost(() => trial.exchanges(events))];
    if (round < 0) continue;
    gate.push(asked);
    rest.push(passed);
  }
  for (const { quota, took } of pages) {
    const spent = pageCost(quota);
    if (round >= 0) took.push(spent);
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
    'A page of `/v1/quotas`, after 95 model names of 42 words that a client made up. Milliseconds of CPU time.',
    '',
    '| quotas | a page |',
    '| --- | --- |',
    ...pages.map(({ name, took }) => `| ${name} | ${shown(took)} |`),
    '',
  ].join('\n'),
);
