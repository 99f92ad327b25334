/** Adds hours up to what `/v1/usage` answers: per model and lane what was used, how full its quotas are, what it cost. */
import { rfc3339 } from '../../platform/clock.ts';
import { compileGlob } from '../../protocol/glob.ts';
import type { Rollup } from '../../protocol/meter.ts';
import type { Charge, Prices } from '../../protocol/money.ts';
import type { QuotaView } from '../../protocol/quota-view.ts';
import type { Tokens } from '../../protocol/usage-event.ts';
import type { ModelUsage, Totals, UsageAnswer } from './answers.ts';
import { hoursOf } from './quota-views.ts';

/** All but how the store fares. */
export type UsageReport = Omit<UsageAnswer, 'store'>;

export interface ReportInput {
  /** Hours, in any order. */
  readonly rollups: readonly Rollup[];
  readonly views: readonly QuotaView[];
  readonly prices: Prices;
  /** Epoch milliseconds, as `until` and `now`. */
  readonly since: number;
  readonly until: number;
  readonly now: number;
}

/** Requests that name no model, such as `GET /v1/models`. */
const NO_MODEL = '(none)';

export function usageReport({ rollups, views, prices, since, until, now }: ReportInput): UsageReport {
  const total = createSum(prices);
  const lanes = createSums(prices);
  const models = new Map<string, ModelSum>();
  const modelSum = (model: string): ModelSum => getOrMake(models, model, () => createModelSum(prices));
  for (const day of byDay(rollups)) {
    const { lane, model, served_model: servedModel, tokens, start: at } = day;
    const part = { ...day, charge: prices.chargeOf({ lane, model, servedModel, tokens, at }) };
    total.add(part);
    lanes.add(part.lane, part);
    modelSum(part.model ?? NO_MODEL).add(part);
  }
  for (const rollup of rollups) modelSum(rollup.model ?? NO_MODEL).addHour(rollup);
  // A quota that nothing was counted for yet stands under its glob.
  for (const { model, lane } of views) {
    const matches = compileGlob(model);
    const used = rollups.some((rollup) => rollup.lane === lane && matches(rollup.model ?? ''));
    if (!used) modelSum(model);
  }
  return {
    generated_at: rfc3339(now),
    since: rfc3339(since),
    until: rfc3339(until),
    total: total.totals(),
    models: Object.fromEntries([...models].map(([model, sum]) => [model, sum.usage(model, views)])),
    lanes: lanes.totals(),
  };
}

/** What of one lane and model was used in one day. */
type Day = Pick<
  Rollup,
  'start' | 'lane' | 'model' | 'count' | 'errors' | 'tokens' | 'duration_ms' | 'stream_ms'
> & {
  readonly served_model: string | null;
};

/** The same, with what it cost. */
type Part = Day & { readonly charge: Charge };

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const DAY_MS = 86_400_000;

/**
 * The hours of a day added up, which is as fine as prices go by: a year of hours would be priced for longer than a
 * stream may pause.
 */
function byDay(rollups: readonly Rollup[]): Iterable<Day> {
  const parts = new Map<string, Writable<Day>>();
  for (const rollup of rollups) {
    const { lane, model, served_model: served = null } = rollup;
    const start = rollup.start - (rollup.start % DAY_MS);
    const key = `${start} ${lane} ${model === null} ${model} ${served}`;
    const part = parts.get(key);
    if (part === undefined) {
      parts.set(key, { ...rollup, start, served_model: served, tokens: { ...rollup.tokens } });
      continue;
    }
    part.count += rollup.count;
    part.errors += rollup.errors;
    part.duration_ms += rollup.duration_ms;
    part.stream_ms += rollup.stream_ms;
    for (const kind of KINDS) part.tokens[kind] += rollup.tokens[kind];
  }
  return parts.values();
}

const KINDS = ['input', 'output', 'cache_read', 'cache_write_5m', 'cache_write_1h'] as const;

interface Sum {
  add(part: Part): void;
  totals(): Totals;
}

function createSum(prices: Prices): Sum {
  let [requests, errors, durationMs, streamMs] = [0, 0, 0, 0];
  let tokens = NO_TOKENS;
  const bill = prices.open();
  return {
    add(part) {
      requests += part.count;
      errors += part.errors;
      durationMs += part.duration_ms;
      streamMs += part.stream_ms;
      tokens = addTokens(tokens, part.tokens);
      bill.add(part.charge);
    },
    totals: () => ({
      requests,
      errors,
      tokens,
      ...bill.sum(),
      duration_ms: oneDecimal(durationMs),
      stream_ms: oneDecimal(streamMs),
    }),
  };
}

interface Sums {
  add(name: string, part: Part): void;
  totals(): Record<string, Totals>;
  names(): Iterable<string>;
}

function createSums(prices: Prices): Sums {
  const sums = new Map<string, Sum>();
  return {
    add: (name, part) => getOrMake(sums, name, () => createSum(prices)).add(part),
    totals: () => Object.fromEntries([...sums].map(([name, sum]) => [name, sum.totals()])),
    names: () => sums.keys(),
  };
}

interface ModelSum {
  add(part: Part): void;
  addHour(rollup: Rollup): void;
  usage(model: string, views: readonly QuotaView[]): ModelUsage;
}

function createModelSum(prices: Prices): ModelSum {
  const sum = createSum(prices);
  const lanes = createSums(prices);
  const hours = new Map<number, Hour>();
  return {
    add(part) {
      sum.add(part);
      lanes.add(part.lane, part);
    },
    addHour(rollup) {
      const hour = getOrMake(hours, rollup.start, () => ({ tokens: 0, streamed: 0, streamMs: 0 }));
      hour.tokens += countTokens(rollup.tokens);
      hour.streamed += rollup.streamed_tokens;
      hour.streamMs += rollup.stream_ms;
    },
    usage(model, views) {
      const totals = sum.totals();
      const view = fullest(model, new Set(lanes.names()), views);
      return {
        ...totals,
        lanes: lanes.totals(),
        ...(view === null ? withoutQuota(hours) : fieldsOf(view)),
      };
    },
  };
}

interface Hour {
  tokens: number;
  streamed: number;
  streamMs: number;
}

type QuotaFields = Omit<ModelUsage, keyof Totals | 'lanes'>;

const fieldsOf = (view: QuotaView): QuotaFields => ({
  rolling_pct: view.rolling_pct,
  weekly_pct: view.weekly_pct,
  warn: view.warn,
  block: view.block,
  eta_seconds: view.eta_seconds,
  headroom_tokens: view.headroom_tokens,
  tps_elr: view.tps_elr,
  tps_dirty: view.tps_dirty,
  ...hoursOf(view),
  warn_pct_auto: view.warn_pct_auto,
  warn_pct_confidence: view.warn_pct_confidence,
  gap_seconds_p50: view.gap_seconds_p50,
  gap_seconds_p95: view.gap_seconds_p95,
  gap_samples: view.gap_samples,
});

/** What the hours themselves tell of a model that no quota watches. */
const withoutQuota = (hours: ReadonlyMap<number, Hour>): QuotaFields => ({
  rolling_pct: null,
  weekly_pct: null,
  warn: false,
  block: false,
  eta_seconds: null,
  headroom_tokens: null,
  tps_elr: perSecond(
    sumOf(hours, ({ streamed }) => streamed),
    sumOf(hours, ({ streamMs }) => streamMs),
  ),
  tps_dirty: null,
  ...hoursOf({
    peak_hour: best(hours, ({ tokens: count }, start) => ({ start, tokens: count, mark: count })),
    fastest_hour: best(hours, ({ streamed, streamMs }, start) => {
      const tps = streamMs < LEAST_STREAM_MS ? 0 : (perSecond(streamed, streamMs) ?? 0);
      return { start, tps, mark: tps };
    }),
  }),
  warn_pct_auto: null,
  warn_pct_confidence: 0,
  gap_seconds_p50: null,
  gap_seconds_p95: null,
  gap_samples: 0,
});

const sumOf = (hours: ReadonlyMap<number, Hour>, value: (hour: Hour) => number): number =>
  [...hours.values()].reduce((sum, hour) => sum + value(hour), 0);

/** Less streaming than that says nothing of a speed. */
const LEAST_STREAM_MS = 10_000;

/** The hour with the highest mark above zero, the earliest of equals; null without one. */
function best<T extends { readonly start: number; readonly mark: number }>(
  hours: ReadonlyMap<number, Hour>,
  describe: (hour: Hour, start: number) => T,
): Omit<T, 'mark'> | null {
  const [first] = [...hours]
    .map(([start, hour]) => describe(hour, start))
    .filter(({ mark }) => mark > 0)
    .toSorted((a, b) => b.mark - a.mark || a.start - b.start);
  if (first === undefined) return null;
  const { mark: _, ...rest } = first;
  return rest;
}

/** Of the quotas that a model falls under, on the lanes it used, the one that is fullest; null without any. */
function fullest(model: string, lanes: ReadonlySet<string>, views: readonly QuotaView[]): QuotaView | null {
  const mine = views.filter(
    (view) => view.model === model || (lanes.has(view.lane) && compileGlob(view.model)(model)),
  );
  return mine.toSorted((a, b) => fullness(b) - fullness(a))[0] ?? null;
}

const fullness = ({ rolling_pct, weekly_pct }: QuotaView): number =>
  Math.max(rolling_pct ?? 0, weekly_pct ?? 0);

const NO_TOKENS: Tokens = { input: 0, output: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 };

const addTokens = (one: Tokens, other: Tokens): Tokens => ({
  input: one.input + other.input,
  output: one.output + other.output,
  cache_read: one.cache_read + other.cache_read,
  cache_write_5m: one.cache_write_5m + other.cache_write_5m,
  cache_write_1h: one.cache_write_1h + other.cache_write_1h,
});

const countTokens = (tokens: Tokens): number =>
  tokens.input + tokens.output + tokens.cache_read + tokens.cache_write_5m + tokens.cache_write_1h;

const perSecond = (tokens: number, ms: number): number | null =>
  ms > 0 ? oneDecimal((tokens * 1000) / ms) : null;

const oneDecimal = (value: number): number => Math.round(value * 10) / 10;

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
