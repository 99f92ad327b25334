/**
 * What the meter costs on a large store: one of ten million samples is made, a ccp is started on it and asked, and
 * the same is asked of SQLite directly. `node scripts/bench/meter.ts [SAMPLES] [REPETITIONS]`; what it makes, it removes.
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import type { SampleRow } from '../../src/store/sample-row.ts';
import { openStoreFile } from '../../src/store/store-file.ts';
import { CONTESTANTS, type Contestant } from './contestants.ts';
import { type Running, startContestant, startUpstream } from './processes.ts';
import { verdictTable } from './report.ts';
import { spread } from './statistics.ts';
import { type Verdict, verdictOf } from './targets.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAYS = 30;
const AT_ONCE = 10_000;
const MODELS = [
  'claude-haiku-4-5',
  'claude-sonnet-5',
  'claude-opus-4-8',
  'claude-sonnet-4-6',
  'claude-haiku-4-6',
];
const PATIENCE_MS = 300_000;
/** Until it listens. */
const START_LIMIT_MS = 2_000;

/** One every so many milliseconds for thirty days, until now. */
function fill(path: string, samples: number, now: number): void {
  const begin = now - DAYS * DAY_MS;
  using file = openStoreFile(path);
  for (let from = 0; from < samples; from += AT_ONCE) {
    const count = Math.min(AT_ONCE, samples - from);
    const rows = Array.from({ length: count }, (_, at) =>
      rowAt(from + at, begin + Math.floor(((from + at) / samples) * DAYS * DAY_MS)),
    );
    file.write({ samples: rows, cooldowns: [], hits: [] });
    while (file.rollups.advance(AT_ONCE) > 0);
  }
}

function rowAt(index: number, ts: number): SampleRow {
  const model = MODELS[index % MODELS.length] ?? '';
  const zai = model.includes('haiku');
  return [
    index.toString(16).padStart(16, '0'),
    ts,
    zai ? 'zai' : 'anthropic',
    zai ? 'zai' : 'anth',
    model,
    zai ? 'glm-4.7' : model,
    'stream',
    zai ? 'to_zai' : 'to_anthropic',
    'ok',
    200,
    null,
    900 + ((index * 7919) % 20_000) / 3,
    180 + (index % 997),
    700,
    14,
    320,
    21_000,
    400,
    0,
    124_000,
    31_333,
    1,
    zai ? 0 : 1,
    zai ? 'x-api-key' : null,
  ];
}

interface Question {
  readonly name: string;
  /** The most that it may take, milliseconds; null where nothing was promised. */
  readonly limit: number | null;
  readonly path: (now: number) => string;
  /** The same facts, as SQLite itself gives them. */
  readonly sql: string;
  readonly since: (now: number) => number;
}

const stored = (granularity: string): string =>
  `SELECT * FROM rollups WHERE granularity = '${granularity}' AND start >= ?`;

const QUESTIONS: readonly Question[] = [
  {
    name: '/v1/usage, a day',
    limit: 50,
    path: () => '/v1/usage',
    sql: stored('hour'),
    since: (now) => now - DAY_MS,
  },
  {
    name: '/v1/usage, 30 days',
    limit: 50,
    path: () => `/v1/usage?since=-${DAYS}d`,
    sql: stored('hour'),
    since: (now) => now - DAYS * DAY_MS,
  },
  {
    name: 'rollups by day, all',
    limit: 100,
    path: () => '/v1/usage/rollups?granularity=day',
    sql: stored('day'),
    since: () => 0,
  },
  {
    name: 'rollups by hour, a week',
    limit: 100,
    path: () => '/v1/usage/rollups?granularity=hour&since=-7d',
    sql: stored('hour'),
    since: (now) => now - 7 * DAY_MS,
  },
  {
    name: 'samples, newest 100',
    limit: null,
    path: () => '/v1/usage/samples?limit=100',
    sql: 'SELECT * FROM samples WHERE ts >= ? ORDER BY ts DESC, seq DESC LIMIT 100',
    since: () => 0,
  },
];

function onStore(settings: Readonly<Record<string, string>>): Contestant {
  const ccp = CONTESTANTS.find(({ name }) => name === 'ccp');
  if (ccp === undefined) throw new Error('no contestant ccp');
  return {
    ...ccp,
    launch(place) {
      const launch = ccp.launch(place);
      return launch === null ? null : { ...launch, env: { ...launch.env, ...settings } };
    },
  };
}

const elapsed = async (act: () => unknown): Promise<number> => {
  const begin = performance.now();
  await act();
  return performance.now() - begin;
};

async function ask(running: Running, path: string): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${running.port}${path}`);
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

/** Until the windows of the quotas have what the store knows. */
async function windowsFilled(running: Running): Promise<void> {
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await sleep(20)) {
    const { rebuilding }: { rebuilding?: boolean } = Object(await ask(running, '/v1/quotas'));
    if (rebuilding === false) return;
  }
  throw new Error('the quotas were not rebuilt in time');
}

interface Start {
  readonly listening: number;
  readonly filled: number;
}

async function measureStart(
  settings: Readonly<Record<string, string>>,
  upstreamPort: number,
): Promise<Start> {
  const begin = performance.now();
  const running = await startContestant(onStore(settings), upstreamPort);
  try {
    const listening = performance.now() - begin;
    await windowsFilled(running);
    return { listening, filled: performance.now() - begin };
  } finally {
    await running.stop();
  }
}

interface Asked {
  readonly question: string;
  readonly limit: number | null;
  readonly ms: readonly number[];
  readonly sqlMs: readonly number[];
}

async function measureQuestions(
  settings: Readonly<Record<string, string>>,
  upstreamPort: number,
  repetitions: number,
): Promise<readonly Asked[]> {
  const running = await startContestant(onStore(settings), upstreamPort);
  const db = new Database(settings['CCP_DB_PATH'] ?? '', { readonly: true });
  try {
    await windowsFilled(running);
    const results: Asked[] = [];
    for (const { name, limit, path, sql, since } of QUESTIONS) {
      const [ms, sqlMs]: [number[], number[]] = [[], []];
      // The first of each is not counted: it reads the disk.
      for (let round = 0; round <= repetitions; round += 1) {
        const now = Date.now();
        const ours = await elapsed(() => ask(running, path(now)));
        const raw = await elapsed(() => JSON.stringify(db.prepare(sql).all(since(now))));
        if (round > 0) [ms, sqlMs].forEach((list, at) => void list.push(at === 0 ? ours : raw));
      }
      results.push({ question: name, limit, ms, sqlMs });
    }
    return results;
  } finally {
    db.close();
    await running.stop();
  }
}

const target = (name: string, limit: number, ms: readonly number[]): Verdict =>
  verdictOf({ target: name, limit, atLeast: false, unit: ' ms', value: spread(ms).median });

const shown = (values: readonly number[]): string => {
  const { median, min, max } = spread(values);
  return `${median.toFixed(1)} (${min.toFixed(1)}–${max.toFixed(1)})`;
};

async function main(samples: number, repetitions: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ccp-bench-'));
  const upstream = await startUpstream();
  try {
    const [large, empty, quotas] = ['large.db', 'empty.db', 'quotas.json'].map((name) => join(folder, name));
    if (large === undefined || empty === undefined || quotas === undefined) return;
    const filled = await elapsed(() => fill(large, samples, Date.now()));
    const cap = { rolling: { requests: 1e12 }, weekly: { tokens: 1e15 } };
    writeFileSync(quotas, JSON.stringify({ quotas: [{ model: '*haiku*', lane: 'zai', ...cap }] }));
    const starts: [name: string, settings: Record<string, string>, measured: Start[]][] = [
      ['empty store', { CCP_DB_PATH: empty }, []],
      ['this store', { CCP_DB_PATH: large }, []],
      ['this store, with a quota', { CCP_DB_PATH: large, CCP_QUOTAS_FILE: quotas }, []],
    ];
    for (let round = 0; round < 3; round += 1) {
      for (const [, settings, measured] of starts) measured.push(await measureStart(settings, upstream.port));
    }
    const asked = await measureQuestions({ CCP_DB_PATH: large }, upstream.port, repetitions);
    const megabytes = statSync(large).size / 1e6;
    const lines = [
      `${samples} samples of ${DAYS} days, ${megabytes.toFixed(0)} MB, made and rolled up in ${(filled / 1000).toFixed(0)} s. Milliseconds, medians, range in brackets.`,
      '',
      '| start of `ccp serve` | until it listens | until its quotas know the store |',
      '| --- | --- | --- |',
      ...starts.map(
        ([name, , measured]) =>
          `| ${name} | ${shown(measured.map(({ listening }) => listening))} | ${shown(measured.map((one) => one.filled))} |`,
      ),
      '',
      '| question | ccp | SQLite and JSON alone | ratio |',
      '| --- | --- | --- | --- |',
      ...asked.map(
        ({ question, ms, sqlMs }) =>
          `| ${question} | ${shown(ms)} | ${shown(sqlMs)} | ${(spread(ms).median / spread(sqlMs).median).toFixed(1)} |`,
      ),
      '',
      verdictTable([
        ...starts.map(([name, , measured]) =>
          target(
            `start, ${name}`,
            START_LIMIT_MS,
            measured.map((one) => one.listening),
          ),
        ),
        ...asked.flatMap(({ question, limit, ms }) => (limit === null ? [] : [target(question, limit, ms)])),
      ]),
      '',
    ];
    process.stdout.write(lines.join('\n'));
  } finally {
    await upstream.stop();
    rmSync(folder, { recursive: true });
  }
}

const [samples = 10_000_000, repetitions = 20] = process.argv.slice(2).map(Number);
await main(samples, repetitions);
