/** What is kept of exchanges and asked for again: the words that the store, the quotas and the views share (contract, 6 and 8). */
import type { CompletionEvent, ErrType, HeaderMode, Tokens } from './usage-event.ts';

/** One completion, as the store keeps it. */
export interface Sample {
  readonly rid: string;
  /** Epoch milliseconds at which the exchange ended. */
  readonly ts: number;
  readonly lane: string;
  readonly provider: string;
  /** Null where the request named none. */
  readonly model: string | null;
  readonly served_model: string | null;
  readonly op: CompletionEvent['op'];
  readonly decision: CompletionEvent['decision'];
  readonly reason: CompletionEvent['reason'];
  readonly status: number;
  readonly err_type: ErrType | null;
  /** Milliseconds, as `ttfb_ms` and `stream_ms`. */
  readonly latency_ms: number;
  readonly ttfb_ms: number | null;
  /** From the first to the last piece of a stream. */
  readonly stream_ms: number | null;
  /** Null where the upstream counted none. */
  readonly tokens: Tokens | null;
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly attempts: number;
  readonly h2: boolean | null;
  readonly header_mode: HeaderMode | null;
}

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

/** Newest first. */
export interface SamplePage {
  readonly samples: readonly Sample[];
  /** Null on the last page. */
  readonly next_cursor: string | null;
}

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

/** A lane that is skipped for a model until a time. */
export interface Cooldown {
  readonly lane: string;
  /** The glob of the quota, or the model itself where no quota names it. */
  readonly key: string;
  /** Epoch milliseconds. */
  readonly until: number;
  /** Who said how long: the upstream, or our default. */
  readonly stated: 'retry_after' | 'reset' | 'default';
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
  /** Seconds since our count passed `warn_pct`; null where it had not. */
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
 * was taken before it. Where the file cannot be used, answers are empty and `status` says why; only a mistake of
 * the asker rejects, with an `OperatorError` of code `USAGE`: a cursor that no page named, more rollups than the query allows.
 */
export interface MeterStore {
  /** Takes what the upstreams' limits did; written with the next batch. */
  saveCooldown(cooldown: Cooldown): void;
  saveLimitHit(hit: LimitHit): void;
  /** Those that are not over, of this and earlier processes. */
  cooldowns(): Promise<readonly Cooldown[]>;
  limitHits(): Promise<readonly LimitHit[]>;
  /** Every sample that ended at `since` (epoch milliseconds) or later, oldest first, some hundred at a time. */
  samplesSince(since: number): AsyncIterable<readonly Sample[]>;
  samples(query: SampleQuery): Promise<SamplePage>;
  rollups(query: RollupQuery): Promise<readonly Rollup[]>;
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
  readonly pending: number;
  /** Of the file and its write-ahead log. */
  readonly bytes: number;
}
