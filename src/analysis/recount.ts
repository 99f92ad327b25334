/** Rollups by the judge's own count (contract, section 8): all exchanges of an hour or a day (UTC), a lane and a model. */
import type { Granularity, Rollup, Sample } from '../protocol/meter.ts';
import type { Tokens } from '../protocol/usage-event.ts';

const HOUR_MS = 3_600_000;
const LENGTH_MS = { hour: HOUR_MS, day: 24 * HOUR_MS } as const;
const KINDS = ['input', 'output', 'cache_read', 'cache_write_5m', 'cache_write_1h'] as const;

/** One rollup for each hour or day, lane and model that there is a sample of. */
export function recount(samples: readonly Sample[], granularity: Granularity): Rollup[] {
  const length = LENGTH_MS[granularity];
  const groups = Map.groupBy(samples, ({ ts, lane, model }) =>
    keyOf({ start: Math.floor(ts / length) * length, lane, model }),
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [rollupOf(Math.floor(first.ts / length) * length, first, group)];
  });
}

/** Names a rollup among those of one granularity. */
export function keyOf({ start, lane, model }: Pick<Rollup, 'start' | 'lane' | 'model'>): string {
  const beginning = Number.isFinite(start) ? new Date(start).toISOString() : 'no time';
  return `${beginning} ${lane} ${model ?? 'no model'}`;
}

function rollupOf(start: number, { lane, model }: Sample, group: readonly Sample[]): Rollup {
  const latencies = group.map(({ latency_ms: ms }) => ms);
  const firsts = group.flatMap(({ ttfb_ms: ms }) => ms ?? []);
  return {
    start,
    lane,
    model,
    count: group.length,
    errors: group.filter(hasFailed).length,
    uncounted: group.filter(isUncounted).length,
    tokens: sumTokens(group),
    latency_p50: nearestRank(latencies, 50),
    latency_p95: nearestRank(latencies, 95),
    ttfb_p50: nearestRank(firsts, 50),
    ttfb_p95: nearestRank(firsts, 95),
    duration_ms: sum(latencies),
    stream_ms: sum(group.map(({ stream_ms: ms }) => ms ?? 0)),
    streamed_tokens: sumTokens(group.filter(({ stream_ms: ms }) => ms !== null)).output,
  };
}

/** Its client did not get an answer: a status of 400 or more, or an answer that broke. One who left broke nothing. */
export const hasFailed = ({ status, reason }: Sample): boolean =>
  status >= 400 || (reason !== 'ok' && reason !== 'client_abort');

/**
 * An upstream was asked for a message and did not refuse it, and how many tokens that took nobody knows. 499 is a client
 * that left before there was an answer, 504 a proxy that waited no longer for one.
 */
export const isUncounted = ({
  op,
  status,
  reason,
  attempts,
  tokens,
}: Pick<Sample, 'op' | 'status' | 'reason' | 'attempts' | 'tokens'>): boolean =>
  ['stream', 'nonstream'].includes(op) &&
  attempts > 0 &&
  ((Math.floor(status / 100) === 2 && !toldAll({ op, reason, tokens })) ||
    (status === 499 && reason === 'client_abort') ||
    (status === 504 && reason === 'timeout'));

/** A stream says what it took when it ends; zeros are what Z.AI begins with, and no message takes. */
const toldAll = ({ op, reason, tokens }: Pick<Sample, 'op' | 'reason' | 'tokens'>): boolean =>
  tokens !== null && KINDS.some((kind) => tokens[kind] > 0) && (op !== 'stream' || reason === 'ok');

export function sumTokens(samples: readonly Pick<Sample, 'tokens'>[]): Tokens {
  const total = (kind: keyof Tokens): number => sum(samples.map(({ tokens }) => tokens?.[kind] ?? 0));
  const [input, output, cache_read, cache_write_5m, cache_write_1h] = KINDS.map(total);
  return {
    input: input ?? 0,
    output: output ?? 0,
    cache_read: cache_read ?? 0,
    cache_write_5m: cache_write_5m ?? 0,
    cache_write_1h: cache_write_1h ?? 0,
  };
}

/** The smallest value that at least so many per cent of the values do not exceed; null where there is none. */
function nearestRank(values: readonly number[], percent: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil((sorted.length * percent) / 100)) - 1] ?? null;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const PERCENTILES = ['latency_p50', 'latency_p95', 'ttfb_p50', 'ttfb_p95'] as const;
const COUNTS = ['count', 'errors', 'uncounted', 'streamed_tokens'] as const;
const SUMS = ['duration_ms', 'stream_ms'] as const;
/** What a percentile may be off by (contract of the rollups), and milliseconds that are told rounded. */
const RELATIVE_ERROR = 0.02;
const ROUNDING_MS = 0.01;

/** The figures of a rollup that are not those of the recount, as `name: expected, seen`. */
export function wrongFigures(expected: Rollup, seen: Readonly<Record<string, unknown>>): string[] {
  const tokens = typeof seen['tokens'] === 'object' ? new Map(Object.entries(seen['tokens'] ?? {})) : null;
  const figures: [name: string, expected: number | null, seen: unknown, slack: number][] = [
    ...COUNTS.map((name) => [name, expected[name], seen[name], 0] as const),
    ...KINDS.map((kind) => [`tokens.${kind}`, expected.tokens[kind], tokens?.get(kind), 0] as const),
    // Sums of fractions depend on their order.
    ...SUMS.map((name) => [name, expected[name], seen[name], ROUNDING_MS * expected.count] as const),
    ...PERCENTILES.map(
      (name) =>
        [name, expected[name], seen[name], RELATIVE_ERROR * (expected[name] ?? 0) + ROUNDING_MS] as const,
    ),
  ].map(([...figure]) => figure);
  return figures
    .filter(([, wanted, given, slack]) => !agree(wanted, given, slack))
    .map(([name, wanted, given]) => `${name}: ${wanted}, ${String(given)}`);
}

function agree(expected: number | null, seen: unknown, slack: number): boolean {
  if (expected === null || typeof seen !== 'number') return expected === seen;
  return Math.abs(expected - seen) <= slack;
}
