/** What real limit hits teach of our own caps: where to warn, and how long it takes from there. Pure. */
import type { LimitHit } from '../../protocol/meter.ts';
import type { Calibration } from '../../protocol/quota-view.ts';

/** Limits change with plans: only so many of the latest hits count. */
const LATEST = 20;
/** The warning should come a tenth before the limit. */
const MARGIN = 0.9;
/** With so many hits that agree, half of the confidence is there. */
const HALF_AT = 3;

/**
 * Learns from the hits of one quota, in any order. Only those of a plan's window count (`kind` `window`): too many
 * requests at once, or no balance, says nothing of how much a window holds. How full we thought it was is the
 * larger of the two percentages: the fuller window is the one that was hit.
 *
 * - `warn_pct_auto`: nine tenths of the 10th percentile (nearest rank) of how full it looked;
 * - `warn_pct_confidence`: `n / (n + 3)` × `1 - MAD / median`, where MAD is the median distance from the median;
 * - `gap_seconds_p50`, `p95`: nearest-rank percentiles of the seconds from `warn_pct` to the hit, of those hits that
 *   a warning preceded; `gap_samples` is their number.
 */
export function calibrate(hits: readonly LimitHit[]): Calibration {
  const latest = latestOf(hits.filter(teaches));
  const full = latest.map(fullest).toSorted(ascending);
  const gaps = latest.flatMap(({ since_warn_s }) => since_warn_s ?? []).toSorted(ascending);
  const low = percentile(full, 10);
  return {
    warn_pct_auto: low === null ? null : round(low * MARGIN),
    warn_pct_confidence: round(confidence(full)),
    gap_seconds_p50: percentile(gaps, 50),
    gap_seconds_p95: percentile(gaps, 95),
    gap_samples: gaps.length,
  };
}

/** Whether a hit says anything of a cap: nothing was counted where no quota named the exchange. */
export const teaches = (hit: LimitHit): boolean => hit.kind === 'window' && fullest(hit) > 0;

/** Those of one quota that count, oldest first. */
export const latestOf = (hits: readonly LimitHit[]): readonly LimitHit[] =>
  hits.toSorted((a, b) => a.ts - b.ts).slice(-LATEST);

function fullest({ rolling_pct, weekly_pct }: LimitHit): number {
  return Math.max(rolling_pct ?? 0, weekly_pct ?? 0);
}

function confidence(full: readonly number[]): number {
  const median = percentile(full, 50);
  if (median === null) return 0;
  const spread = percentile(full.map((pct) => Math.abs(pct - median)).toSorted(ascending), 50) ?? 0;
  return (full.length / (full.length + HALF_AT)) * Math.max(1 - spread / median, 0);
}

/** Nearest rank (the smallest value that `percent` of all do not exceed) of values in order; null of none. */
function percentile(values: readonly number[], percent: number): number | null {
  return values[Math.max(Math.ceil((values.length * percent) / 100), 1) - 1] ?? null;
}

const ascending = (a: number, b: number): number => a - b;
const round = (value: number): number => Math.round(value * 100) / 100;
