/** One measurement of one contestant. Everything here gives plain numbers; medians are made later. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadResult } from './load-protocol.ts';
import type { Load, Running } from './processes.ts';
import { cpuMicros, type Memory, memory } from './procfs.ts';
import { quantile } from './statistics.ts';
import { EVENTS_PER_STREAM, type Work } from './work.ts';

/** Beyond the time that a command asks for, milliseconds. */
const GRACE_MS = 30_000;

export interface ExchangeSample {
  /** Processor time of the proxy for one exchange, microseconds; null without a proxy. */
  readonly cpuMicros: number | null;
  /** The same for one event, of streams. */
  readonly cpuMicrosPerEvent: number | null;
  readonly exchangesPerSecond: number;
  readonly firstByteP50Ms: number;
  readonly firstByteP99Ms: number;
}

export interface ExchangeOptions {
  readonly work: Work;
  readonly concurrency: number;
  readonly warmMs: number;
  readonly ms: number;
}

export interface ClientOptions extends Omit<ExchangeOptions, 'warmMs'> {
  readonly pauseMs: number;
}

/** Keeps `concurrency` connections busy for `ms` and divides what the proxy used meanwhile by what was answered. */
export async function measureExchanges(
  load: Load,
  running: Running,
  { warmMs, ms, ...options }: ExchangeOptions,
): Promise<ExchangeSample> {
  const { pid } = running;
  return connected(load, running, options, async () => {
    await run(load, warmMs);
    const before = pid === null ? null : cpuMicros(pid);
    const result = await run(load, ms);
    const used = pid === null || before === null ? null : cpuMicros(pid) - before;
    const each = used === null ? null : used / result.exchanges;
    return {
      cpuMicros: each,
      cpuMicrosPerEvent: each === null || options.work.shape === 'json' ? null : each / EVENTS_PER_STREAM,
      exchangesPerSecond: (result.exchanges * 1000) / result.wallMs,
      firstByteP50Ms: quantile(result.firstByteMs, 0.5),
      firstByteP99Ms: quantile(result.firstByteMs, 0.99),
    };
  });
}

/** What `concurrency` clients see for `ms`, each of which pauses for `pauseMs` after an answer. */
export function measureClients(
  load: Load,
  running: Running,
  { ms, pauseMs, ...options }: ClientOptions,
): Promise<LoadResult> {
  return connected(load, running, options, () => run(load, ms, pauseMs));
}

async function connected<T>(
  load: Load,
  { contestant, port, headers }: Running,
  { work, concurrency }: Pick<ExchangeOptions, 'work' | 'concurrency'>,
  act: () => Promise<T>,
): Promise<T> {
  const { verbatim } = contestant;
  await load.tell(
    { do: 'connect', work: work.name, port, connections: concurrency, headers, verbatim },
    GRACE_MS,
  );
  try {
    return await act();
  } finally {
    await load.tell({ do: 'close' }, GRACE_MS);
  }
}

export interface MemorySample {
  readonly idle: Memory;
  readonly held: Memory;
  /** Resident memory over idle for one stream, KB. */
  readonly perStreamKb: number;
  /** What one stream grew by between the first look and the second, KB. */
  readonly growthKb: number;
}

export interface MemoryOptions {
  readonly work: Work;
  /** Played once before, so that what a proxy loads for its first exchange counts as idle. */
  readonly warmWork: Work;
  readonly streams: number;
  /** From the last stream opened to the first look, and from that to the second, milliseconds. */
  readonly settleMs: number;
  readonly laterMs: number;
}

/** Opens `streams` slow streams on a freshly started proxy and weighs it. Needs a contestant with a process. */
export async function measureMemory(
  load: Load,
  { contestant, port, pid, headers }: Running,
  { work, warmWork, streams, settleMs, laterMs }: MemoryOptions,
): Promise<MemorySample> {
  if (pid === null) throw new Error(`${contestant.name} has no process to weigh`);
  const { verbatim } = contestant;
  await load.tell({ do: 'connect', work: warmWork.name, port, connections: 1, headers, verbatim }, GRACE_MS);
  await run(load, 1);
  await load.tell({ do: 'close' }, GRACE_MS);
  await sleep(1000);
  const idle = memory(pid);
  await load.tell(
    { do: 'connect', work: work.name, port, connections: streams, headers, verbatim },
    GRACE_MS,
  );
  try {
    await load.tell({ do: 'hold' }, GRACE_MS);
    await sleep(settleMs);
    const held = memory(pid);
    await sleep(laterMs);
    const later = memory(pid);
    return {
      idle,
      held: later,
      perStreamKb: (later.rssKb - idle.rssKb) / streams,
      growthKb: (later.rssKb - held.rssKb) / streams,
    };
  } finally {
    await load.tell({ do: 'close' }, GRACE_MS);
  }
}

async function run(load: Load, ms: number, pauseMs = 0): Promise<LoadResult> {
  const result = await load.tell({ do: 'run', ms, pauseMs }, ms + GRACE_MS);
  if (result === undefined) throw new Error('the load process ran and told nothing');
  return result;
}
