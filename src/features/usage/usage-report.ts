/** Adds up what `/v1/usage` answers: per model and lane what was used, how full its quotas are, what it cost. */
import { setImmediate as turn } from 'node:timers/promises';
import { rfc3339 } from '../../platform/clock.ts';
import { compileGlob, type Matcher } from '../../protocol/glob.ts';
import { perSecond } from '../../protocol/hours.ts';
import { type HoursQuery, type ModelHours, OTHER_MODELS, type Rollup } from '../../protocol/meter.ts';
import type { Charge, Prices } from '../../protocol/money.ts';
import type { QuotaView } from '../../protocol/quota-view.ts';
import type { Tokens } from '../../protocol/usage-event.ts';
import type { ModelUsage, Totals, UsageAnswer } from './answers.ts';
import { hoursOf } from './quota-views.ts';

/** All but how the store fares. */
export type UsageReport = Omit<UsageAnswer, 'store'>;

export interface ReportInput {
  /** Of spans in which no price changes, in any order. */
  readonly spans: readonly Rollup[];
  /** Asked once, for the models that no quota tells of, if there are any. */
  readonly askHours: (models: HoursQuery['models']) => Promise<readonly ModelHours[]>;
  readonly views: readonly QuotaView[];
  readonly prices: Prices;
  /** Epoch milliseconds, as `until` and `now`. */
  readonly since: number;
  readonly until: number;
  readonly now: number;
}

/** Requests that name no model, such as `GET /v1/models`. */
const NO_MODEL = '(none)';
/** Names come from clients, who may invent them: the models beyond are one sum. */
export const MOST_MODELS = 100;

/** Gives the thread away between slices, however many spans there are. */
export async function usageReport({
  spans,
  askHours,
  views,
  prices,
  since,
  until,
  now,
}: ReportInput): Promise<UsageReport> {
  const used = new Map<string, Used>();
  await inSlices(spans, (span) => addUse(used, span));
  const shown = mostUsed(used);

  const total = createSum(prices);
  const lanes = createSums(prices);
  const models = new Map(shown.map((name) => [name, createModelSum(prices)]));
  const rest = createSum(prices);
  const quotas = views.map((view): Quota => ({ view, matches: compileGlob(view.model) }));
  const idle = new Set(quotas);
  await inSlices(spans, (span) => {
    const { lane, model, served_model: servedModel = null, tokens, uncounted, start: at } = span;
    const charge = prices.chargeOf({ lane, model, servedModel, tokens, uncounted, at });
    const part = { ...span, charge };
    total.add(part);
    lanes.add(lane, part);
    (models.get(nameOf(span)) ?? rest).add(part);
    for (const quota of idle) if (isUnder(quota, span)) idle.delete(quota);
  });
  // A quota that nothing was counted for yet stands under its glob.
  for (const { view } of idle) getOrMake(models, view.model, () => createModelSum(prices));
  const shownQuotas = new Map(
    [...models].map(([model, sum]) => [model, fullest(model, sum.lanes(), quotas)]),
  );
  const unwatched = [...models.keys()].filter((model) => shownQuotas.get(model) === null);
  const told = unwatched.length === 0 ? [] : await askHours(unwatched.map(modelOf));
  const hours = new Map(told.map((one) => [nameOf(one), one]));
  const end = Math.min(until, now);
  const usageOf = (model: string, sum: ModelSum): ModelUsage => {
    const view = shownQuotas.get(model) ?? null;
    return sum.usage(view === null ? withoutQuota(sum.speeds(), hours.get(model), end) : fieldsOf(view));
  };
  return {
    generated_at: rfc3339(now),
    since: rfc3339(since),
    until: rfc3339(until),
    total: total.totals(),
    models: Object.fromEntries([...models].map(([model, sum]) => [model, usageOf(model, sum)])),
    other_models: shown.length === used.size ? null : { models: beyond(used, shown), ...rest.totals() },
    lanes: lanes.totals(),
  };
}

/** About 5 ms of work: what is relayed meanwhile may wait so long. */
const SLICE = 500;

async function inSlices<T>(items: Iterable<T>, act: (item: T) => void): Promise<void> {
  let done = 0;
  for (const item of items) {
    act(item);
    done += 1;
    if (done % SLICE === 0) await turn();
  }
}

const nameOf = ({ model }: Pick<Rollup, 'model'>): string => model ?? NO_MODEL;
const modelOf = (name: string): string | null => (name === NO_MODEL ? null : name);

interface Used {
  tokens: number;
  requests: number;
}

function addUse(used: Map<string, Used>, span: Rollup): void {
  const sum = getOrMake(used, nameOf(span), () => ({ tokens: 0, requests: 0 }));
  sum.tokens += countTokens(span.tokens);
  sum.requests += span.count;
}

/** The names with most tokens, then most requests; last the one that is no model. */
function mostUsed(used: ReadonlyMap<string, Used>): string[] {
  const models = [...used]
    .filter(([name]) => name !== NO_MODEL && name !== OTHER_MODELS)
    .toSorted(([, a], [, b]) => b.tokens - a.tokens || b.requests - a.requests)
    .slice(0, MOST_MODELS)
    .map(([name]) => name);
  return used.has(NO_MODEL) ? [...models, NO_MODEL] : models;
}

/** How many names are not shown, as far as they are told apart. */
const beyond = (used: ReadonlyMap<string, Used>, shown: readonly string[]): number =>
  used.size - shown.length - (used.has(OTHER_MODELS) ? 1 : 0);

/** What of one lane and model was used in one span, and what it cost. */
type Part = Rollup & { readonly charge: Charge };

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
  names(): readonly string[];
}

function createSums(prices: Prices): Sums {
  const sums = new Map<string, Sum>();
  return {
    add: (name, part) => getOrMake(sums, name, () => createSum(prices)).add(part),
    totals: () => Object.fromEntries([...sums].map(([name, sum]) => [name, sum.totals()])),
    names: () => [...sums.keys()],
  };
}

/** Output tokens, those of streams, and how long these flowed, in milliseconds. */
interface Speeds {
  output: number;
  streamed: number;
  streamMs: number;
}

interface ModelSum {
  add(part: Part): void;
  lanes(): readonly string[];
  speeds(): Readonly<Speeds>;
  usage(fields: QuotaFields): ModelUsage;
}

function createModelSum(prices: Prices): ModelSum {
  const sum = createSum(prices);
  const lanes = createSums(prices);
  const speeds: Speeds = { output: 0, streamed: 0, streamMs: 0 };
  return {
    add(part) {
      sum.add(part);
      lanes.add(part.lane, part);
      speeds.output += part.tokens.output;
      speeds.streamed += part.streamed_tokens;
      speeds.streamMs += part.stream_ms;
    },
    lanes: () => lanes.names(),
    speeds: () => speeds,
    usage: (fields) => ({ ...sum.totals(), lanes: lanes.totals(), ...fields }),
  };
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

/** What is told of a model that no quota watches. @param end of what was counted, epoch milliseconds */
const withoutQuota = (
  { output, streamed, streamMs }: Speeds,
  hours: ModelHours | undefined,
  end: number,
): QuotaFields => ({
  rolling_pct: null,
  weekly_pct: null,
  warn: false,
  block: false,
  eta_seconds: null,
  headroom_tokens: null,
  tps_elr: perSecond(streamed, streamMs),
  tps_dirty: hours === undefined ? null : perSecond(output, end - hours.first),
  ...hoursOf(hours ?? { peak_hour: null, fastest_hour: null }),
  warn_pct_auto: null,
  warn_pct_confidence: 0,
  gap_seconds_p50: null,
  gap_seconds_p95: null,
  gap_samples: 0,
});

interface Quota {
  readonly view: QuotaView;
  readonly matches: Matcher;
}

const isUnder = ({ view, matches }: Quota, { lane, model }: Pick<Rollup, 'lane' | 'model'>): boolean =>
  model !== null && view.lane === lane && matches(model);

/** Of the quotas that a model falls under, on the lanes it used, the one that is fullest; null without any. */
function fullest(model: string, lanes: readonly string[], quotas: readonly Quota[]): QuotaView | null {
  // No quota counts what names no model.
  if (model === NO_MODEL) return null;
  const mine = quotas
    .filter(({ view, matches }) => view.model === model || (lanes.includes(view.lane) && matches(model)))
    .map(({ view }) => view);
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

const oneDecimal = (value: number): number => Math.round(value * 10) / 10;

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
