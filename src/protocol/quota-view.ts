/** Quotas as they are shown, beside what upstreams say of their own limits (contract, 6). */
import type { BestHours } from './hours.ts';
import type { LimitHit } from './meter.ts';

/** How full one cap is. Without a cap only what was used is known. */
export interface Fill {
  readonly used: number;
  readonly cap: number | null;
  /** Per cent of the cap, may exceed 100; null without a cap. */
  readonly pct: number | null;
}

/** One sliding window of a quota, as it stands; what is under way is not in it. */
export interface QuotaWindow {
  readonly span_seconds: number;
  readonly tokens: Fill;
  readonly requests: Fill;
  /** Sum of the durations of the exchanges, in hours. */
  readonly hours: Fill;
  /** The fullest of its caps; null where it has none. */
  readonly pct: number | null;
}

/** One window of its own that an upstream told of. Null is what it did not say. */
export interface ProviderWindow {
  /** As the upstream names it: `5h`, `7d`, `requests`, `input-tokens`, … */
  readonly name: string;
  readonly status: string | null;
  /** Per cent. */
  readonly used_pct: number | null;
  readonly limit: number | null;
  readonly remaining: number | null;
  /** Epoch milliseconds. */
  readonly resets_at: number | null;
}

/** What the upstream of a lane last said of its own limits. */
export interface ProviderLimits {
  readonly lane: string;
  /** Epoch milliseconds at which it said so. */
  readonly at: number;
  /** `allowed`, `allowed_warning` or `rejected`, for the whole; null where it did not say. */
  readonly status: string | null;
  readonly windows: readonly ProviderWindow[];
  /** Its last refusal for a limit; null where there was none since the start. */
  readonly refused: {
    readonly at: number;
    readonly kind: LimitHit['kind'];
    /** Epoch milliseconds, as stated; null where it was not. */
    readonly until: number | null;
  } | null;
}

/** What real limit hits teach of our caps. Null where there was none to learn from. */
export interface Calibration {
  /** Per cent of our caps at which a warning would have come before nine of ten hits. */
  readonly warn_pct_auto: number | null;
  /** 0..1; grows with the number of hits, and with how well they agree. */
  readonly warn_pct_confidence: number;
  /** Seconds from our `warn_pct` to the hit. */
  readonly gap_seconds_p50: number | null;
  readonly gap_seconds_p95: number | null;
  readonly gap_samples: number;
}

/** A quota in a few figures, for who asks often. What it does counts what is under way, as the gate does. */
export interface QuotaFill extends Pick<QuotaView, 'lane' | 'model' | 'rolling_pct' | 'weekly_pct'> {
  /** Whether it is past its `warn_pct`. */
  readonly warns: boolean;
  /** Whether the next exchange would be turned away; never in a mode that turns none away. */
  readonly blocks: boolean;
}

/**
 * Why a quota counts nothing: its lane is not there, no route leads such a model to it, or none that matches came or is
 * known.
 */
export const IDLE = ['no_lane', 'no_route', 'no_match'] as const;
export type Idle = (typeof IDLE)[number];

/** One quota as it stands, with the best of the clock hours (UTC) of the last seven days. Times in epoch milliseconds. */
export interface QuotaView extends Calibration, BestHours {
  /** The glob, which with the lane is the key. */
  readonly model: string;
  readonly lane: string;
  /** Null where it may count. */
  readonly idle: Idle | null;
  readonly rolling: QuotaWindow;
  readonly weekly: QuotaWindow;
  readonly rolling_pct: number | null;
  readonly weekly_pct: number | null;
  readonly warn_pct: number;
  readonly block_pct: number;
  readonly warn: boolean;
  /** Whether the count has reached `block_pct`; whether that turns anything away is the mode's business. */
  readonly block: boolean;
  /** What exchanges under way are expected to use; the gate counts it in. */
  readonly reserved: { readonly requests: number; readonly tokens: number };
  /** Until `block_pct` at the present pace; where it is reached, until there is room again. Null: not in sight. */
  readonly eta_seconds: number | null;
  /** Tokens left until `block_pct`, the fullest window counts; null without a cap on tokens. */
  readonly headroom_tokens: number | null;
  /** Output tokens a second of streaming, over the rolling window; null where nothing streamed. */
  readonly tps_elr: number | null;
  /** Output tokens a second since the oldest exchange of the rolling window began; null where there is none. */
  readonly tps_dirty: number | null;
  readonly cooldown_until: number | null;
  readonly provider_limits: ProviderLimits | null;
}
