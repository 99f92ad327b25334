/** What is kept of exchanges and asked for again: the words that the store, the quotas and the views share (contract, 6 and 8). */
import { z } from 'zod';
import type { BestHours } from './hours.ts';
import {
  decisionSchema,
  ERR_TYPES,
  HEADER_MODES,
  OPS,
  REASONS,
  type Tokens,
  tokensSchema,
} from './usage-event.ts';

const count = z.int().nonnegative();
const milliseconds = z.number().nonnegative().describe('milliseconds');
const name = z.string().min(1);

/** One completion, as the store keeps it; exports and answers write the same with the time as text. */
export const sampleSchema = z.object({
  rid: name,
  ts: z.int().describe('when the exchange ended, epoch milliseconds'),
  lane: name,
  provider: name,
  model: z.string().nullable().describe('null where the request named none'),
  served_model: z.string().nullable(),
  op: z.enum(OPS),
  decision: decisionSchema,
  reason: z.enum(REASONS),
  status: z.int(),
  err_type: z.enum(ERR_TYPES).nullable(),
  latency_ms: milliseconds,
  ttfb_ms: milliseconds.nullable(),
  stream_ms: milliseconds.nullable().describe('from the first to the last piece of a stream, milliseconds'),
  tokens: tokensSchema.nullable().describe('null where the upstream counted none'),
  bytes_in: count,
  bytes_out: count,
  attempts: count,
  h2: z.boolean().nullable(),
  header_mode: z.enum(HEADER_MODES).nullable(),
});

export type Sample = Readonly<z.infer<typeof sampleSchema>>;

export interface SampleQuery {
  /** Epoch milliseconds, inclusive. */
  readonly since?: number;
  /** Epoch milliseconds, exclusive. */
  readonly until?: number;
  readonly model?: string;
  readonly lane?: string;
  readonly limit: number;
  /** Opaque: where the page before ended. */
  readonly cursor?: string;
}

/** Newest first. Fewer than the limit, or none, where a lane or a model is rare: then the cursor leads to more. */
export interface SamplePage {
  readonly samples: readonly Sample[];
  /** Null on the last page. */
  readonly next_cursor: string | null;
}

/** What quotas count of a sample, of one that counts (`charged.ts`). */
export type SampleUse = Pick<Sample, 'rid' | 'ts' | 'lane' | 'model' | 'latency_ms' | 'stream_ms' | 'tokens'>;

export interface HistoryQuery {
  /** Epoch milliseconds at which the oldest ended. */
  readonly since: number;
  readonly lanes: readonly string[];
  /** Where the page before ended; null for the first. */
  readonly cursor: string | null;
}

export interface HistoryPage {
  readonly uses: readonly SampleUse[];
  readonly next_cursor: string | null;
}

export interface DiversionsQuery {
  /** Epoch milliseconds, inclusive. */
  readonly since: number;
  /** Exclusive. */
  readonly until: number;
  /** The most of them that are told apart; the others are counted only. */
  readonly limit: number;
}

/** Exchanges of one model that ended on one lane for one reason, which is not that a route leads there. */
export interface Diversion extends Pick<Sample, 'model' | 'lane' | 'decision'> {
  readonly count: number;
  /** How many of them ccp itself refused: nobody was asked. */
  readonly refused: number;
}

export interface Diversions {
  /** How many exchanges were looked at: those that are kept, and of many the newest. */
  readonly looked_at: number;
  /** When the oldest of them ended, epoch milliseconds; null where there was none. */
  readonly oldest: number | null;
  /** Most frequent first. */
  readonly diversions: readonly Diversion[];
  /** Those beyond the limit. */
  readonly others: number;
}

export const NO_DIVERSIONS: Diversions = { looked_at: 0, oldest: null, diversions: [], others: 0 };

export const GRANULARITIES = ['hour', 'day'] as const;
export type Granularity = (typeof GRANULARITIES)[number];

export interface RollupQuery {
  readonly granularity: Granularity;
  /**
   * What makes a rollup of its own beside the time and the lane: the model that was asked for, or with it the one that
   * served, as prices need it. The latter come without percentiles, which nobody adds up.
   */
  readonly by?: 'model' | 'served_model';
  readonly model?: string;
  readonly lane?: string;
  /** Epoch milliseconds, inclusive: the hour or day that it lies in is the first. */
  readonly since?: number;
  /** Exclusive: what begins then or later is left out. */
  readonly until?: number;
  /** The most that may be found; more is refused. */
  readonly limit?: number;
}

/** A time and the spans that it is summed by: as long as prices stay the same nothing else matters. */
export interface SpanQuery {
  /** Epoch milliseconds, inclusive: the hour that it lies in is the first; the day where hours are forgotten. */
  readonly since: number;
  /** Exclusive: the hours that begin then or later are left out. */
  readonly until: number;
  /** Where one span ends and another begins: beginnings of days (UTC), epoch milliseconds, ascending. */
  readonly cuts: readonly number[];
  /** The most that may be found, of span, lane, model and model that served; more is refused. */
  readonly limit: number;
}

export interface HoursQuery {
  /** The models that were asked for; null for what named none. */
  readonly models: readonly (string | null)[];
  /** Epoch milliseconds, as in `SpanQuery`. */
  readonly since: number;
  readonly until: number;
}

/** When a model was used, on all lanes together, by clock hours (UTC). Of hours that are forgotten none is the best. */
export interface ModelHours extends BestHours {
  readonly model: string | null;
  /** Beginning of its first hour, or day where hours are forgotten; epoch milliseconds. */
  readonly first: number;
}

/** What a store counts under that came under more names than it tells apart. A client that sends this very name is there, too. */
export const OTHER_MODELS = '(other)';

/** All exchanges of one hour or day (UTC), lane and model. */
export interface Rollup {
  /** Epoch milliseconds of its beginning. */
  readonly start: number;
  readonly lane: string;
  /** `(other)` for what came under more names than are told apart: about a hundred of an hour or day and lane. */
  readonly model: string | null;
  /** Only by `served_model`; null also for what was rolled up before the store told them apart. */
  readonly served_model?: string | null;
  readonly count: number;
  /** Those whose client did not get an answer: a status of 400 or more, or a `reason` other than `ok` and `client_abort`. */
  readonly errors: number;
  /**
   * Those that used tokens which nobody counted (`charged.ts`) and `tokens` lacks; none for what was rolled up before the
   * store told.
   */
  readonly uncounted: number;
  readonly tokens: Tokens;
  /** Milliseconds; null where there was nothing to measure. Within 2 % of the exact value, however often merged. */
  readonly latency_p50: number | null;
  readonly latency_p95: number | null;
  readonly ttfb_p50: number | null;
  readonly ttfb_p95: number | null;
  /** Sum over the exchanges, milliseconds. */
  readonly duration_ms: number;
  readonly stream_ms: number;
  /** Output tokens of the exchanges that streamed. */
  readonly streamed_tokens: number;
}

/** Who said how long a lane is skipped: its upstream, or our default, where it said nothing or what cannot be. */
export const STATED = ['retry_after', 'reset', 'default', 'implausible'] as const;
export type Stated = (typeof STATED)[number];

/** A lane that is skipped for a model until a time. */
export interface Cooldown {
  readonly lane: string;
  /** The glob of the quota, or the model itself where no quota names it. */
  readonly key: string;
  /** Epoch milliseconds. */
  readonly until: number;
  readonly stated: Stated;
}

/** A limit that an upstream really had, and how our own count looked then. */
export interface LimitHit {
  readonly rid: string;
  readonly ts: number;
  readonly lane: string;
  readonly key: string;
  readonly kind: 'throttle' | 'window' | 'balance' | 'plan';
  /** Per cent of our caps; null where there is no such cap. */
  readonly rolling_pct: number | null;
  readonly weekly_pct: number | null;
  /** Seconds since our count passed `warn_pct`; null where it had not, or before this process looked. */
  readonly since_warn_s: number | null;
  /** Epoch milliseconds, as stated; null where it was not. */
  readonly resets_at: number | null;
}

export interface StoreStatus {
  readonly path: string;
  readonly schema_version: number;
  readonly bytes: number;
  readonly samples: number;
  /** Epoch milliseconds of the oldest and the newest sample; null in an empty store. */
  readonly oldest: number | null;
  readonly newest: number | null;
  /** Rows taken and not yet committed. */
  readonly pending: number;
  /** Since the start: rows committed, attempts that failed. */
  readonly writes: number;
  readonly write_errors: number;
  /** Why nothing can be kept, a sentence; null while all is well. */
  readonly trouble: string | null;
}

/**
 * The store as the rest of the proxy sees it. Nothing here throws into, or waits in, an exchange. A question finds all that
 * was taken before it. Where the file cannot be used, what is only looked at (`samples`, `diversions`, `rollups`, `spans`,
 * `hoursOf`) is empty and `status` says why. What budgets and limits are counted from rejects: nothing read is not nothing there. A
 * mistake of the asker rejects with an `OperatorError` of code `USAGE`: a cursor that no page named, more rollups or sums
 * than the query allows.
 */
export interface MeterStore {
  /** Takes what the upstreams' limits did; written with the next batch. */
  saveCooldown(cooldown: Cooldown): void;
  saveLimitHit(hit: LimitHit): void;
  /** Those that are not over, of this and earlier processes. Rejects where the file cannot be read, as the next two. */
  cooldowns(): Promise<readonly Cooldown[]>;
  limitHits(): Promise<readonly LimitHit[]>;
  /** What windows are rebuilt from, newest first, some thousand at a time; none at times, with a cursor for more. */
  history(query: HistoryQuery): Promise<HistoryPage>;
  samples(query: SampleQuery): Promise<SamplePage>;
  /** What did not go where its route leads, and why. */
  diversions(query: DiversionsQuery): Promise<Diversions>;
  rollups(query: RollupQuery): Promise<readonly Rollup[]>;
  /** Sums by the model that served, in which `start` is that of the span: `since`, or the last cut that is not after it. */
  spans(query: SpanQuery): Promise<readonly Rollup[]>;
  /** Those of the models that were used at all. */
  hoursOf(query: HoursQuery): Promise<readonly ModelHours[]>;
  /** Whether anything was ever counted under a lane; true also where that cannot be told. */
  knowsLane(lane: string): Promise<boolean>;
  status(): Promise<StoreStatus>;
  /** Resolves once all that was taken before is committed, or has failed and was counted. */
  flush(): Promise<void>;
}

/** What the store counted since the start, for the metrics. */
export interface StoreNumbers {
  /** Rows committed. */
  readonly writes: number;
  /** Attempts that failed. */
  readonly writeErrors: number;
  /** Rows given up because too many waited; the log has them. */
  readonly dropped: number;
  /** How often its file was damaged, deleted or replaced in use, and another was gone on with. */
  readonly begunAnew: number;
  readonly pending: number;
  /** Of the file and its write-ahead log. */
  readonly bytes: number;
}
