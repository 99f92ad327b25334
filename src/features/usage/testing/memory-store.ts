/** A meter store that keeps everything in memory, for tests of what reads one. It counts by itself, in plain words. */
import type { ExchangeObserver } from '../../../core/types.ts';
import type { MeterStore, Rollup, RollupQuery, Sample } from '../../../protocol/meter.ts';
import type { CompletionEvent, Tokens } from '../../../protocol/usage-event.ts';

const LENGTHS = { hour: 3_600_000, day: 86_400_000 } as const;

export interface MemoryStore extends MeterStore, ExchangeObserver {
  readonly kept: Sample[];
}

export function createMemoryStore(): MemoryStore {
  const kept: Sample[] = [];
  const newestFirst = (): Sample[] => kept.toSorted((a, b) => b.ts - a.ts || (a.rid < b.rid ? 1 : -1));
  return {
    kept,
    onCompletion: (event) => void kept.push(sampleOf(event)),
    saveCooldown: () => {},
    saveLimitHit: () => {},
    cooldowns: async () => [],
    limitHits: async () => [],
    history: async (since) => ({
      samples: newestFirst().filter(({ ts }) => ts >= since),
      next_cursor: null,
    }),
    async samples({ limit, cursor, ...query }) {
      const found = newestFirst().filter((sample) => within(sample.ts, query) && named(sample, query));
      const from = cursor === undefined ? 0 : found.findIndex(({ rid }) => rid === cursor) + 1;
      const samples = found.slice(from, from + limit);
      return { samples, next_cursor: from + limit < found.length ? (samples.at(-1)?.rid ?? null) : null };
    },
    async rollups(query) {
      const groups = Map.groupBy(
        kept.filter((sample) => named(sample, query)),
        ({ ts, lane, model, served_model: served }) =>
          `${ts - (ts % LENGTHS[query.granularity])} ${lane} ${model} ${query.by === 'served_model' && served}`,
      );
      return [...groups.values()]
        .map((samples) => rollupOf(samples, query))
        .filter(({ start }) => within(start, query));
    },
    status: async () => ({
      path: ':memory:',
      schema_version: 1,
      bytes: 0,
      samples: kept.length,
      oldest: null,
      newest: null,
      pending: 0,
      writes: kept.length,
      write_errors: 0,
      trouble: null,
    }),
    flush: async () => {},
  };
}

export function sampleOf(event: CompletionEvent): Sample {
  return {
    rid: event.rid,
    ts: Date.parse(event.ts),
    lane: event.lane,
    provider: event.provider,
    model: event.model,
    served_model: event.served_model ?? null,
    op: event.op,
    decision: event.decision,
    reason: event.reason,
    status: event.status,
    err_type: event.err_type ?? null,
    latency_ms: event.latency_ms,
    ttfb_ms: event.ttfb_ms ?? null,
    stream_ms: event.sse?.duration_ms ?? null,
    tokens: event.tokens ?? null,
    bytes_in: event.bytes_in,
    bytes_out: event.bytes_out,
    attempts: event.attempts.length,
    h2: event.h2 ?? null,
    header_mode: event.header_mode ?? null,
  };
}

interface Range {
  readonly since?: number;
  readonly until?: number;
}

const within = (at: number, { since = 0, until = Number.POSITIVE_INFINITY }: Range): boolean =>
  at >= since && at < until;

const named = (
  sample: Sample,
  { lane, model }: { readonly lane?: string; readonly model?: string },
): boolean => (lane === undefined || sample.lane === lane) && (model === undefined || sample.model === model);

function rollupOf(samples: readonly Sample[], { granularity, by }: RollupQuery): Rollup {
  const [first] = samples;
  if (first === undefined) throw new Error('a group of none');
  const sum = (of: (sample: Sample) => number | null): number =>
    samples.reduce((total, sample) => total + (of(sample) ?? 0), 0);
  const kind = (name: keyof Tokens): number => sum(({ tokens }) => tokens?.[name] ?? 0);
  return {
    start: first.ts - (first.ts % LENGTHS[granularity]),
    lane: first.lane,
    model: first.model,
    ...(by === 'served_model' && { served_model: first.served_model }),
    count: samples.length,
    errors: samples.filter(({ status, reason }) => status >= 400 || reason !== 'ok').length,
    tokens: {
      input: kind('input'),
      output: kind('output'),
      cache_read: kind('cache_read'),
      cache_write_5m: kind('cache_write_5m'),
      cache_write_1h: kind('cache_write_1h'),
    },
    latency_p50: null,
    latency_p95: null,
    ttfb_p50: null,
    ttfb_p95: null,
    duration_ms: sum(({ latency_ms }) => latency_ms),
    stream_ms: sum(({ stream_ms }) => stream_ms),
    streamed_tokens: sum(({ stream_ms, tokens }) => (stream_ms === null ? 0 : (tokens?.output ?? 0))),
  };
}
