import { describe, expect, it } from 'vitest';
import type { LimitHit } from '../../protocol/meter.ts';
import { calibrate } from './calibration.ts';

const hit = (rolling_pct: number | null, given: Partial<LimitHit> = {}): LimitHit => ({
  rid: 'r',
  ts: 0,
  lane: 'zai',
  key: '*haiku*',
  kind: 'window',
  rolling_pct,
  weekly_pct: null,
  since_warn_s: null,
  resets_at: null,
  ...given,
});

describe('calibration', () => {
  it('knows nothing of no hits', () => {
    expect(calibrate([])).toEqual({
      warn_pct_auto: null,
      warn_pct_confidence: 0,
      gap_seconds_p50: null,
      gap_seconds_p95: null,
      gap_samples: 0,
    });
  });

  it('warns a tenth before one hit, and trusts it a quarter', () => {
    expect(calibrate([hit(90)])).toMatchObject({ warn_pct_auto: 81, warn_pct_confidence: 0.25 });
  });

  it('trusts hits that agree by their number', () => {
    const agree = (n: number) => calibrate(Array.from({ length: n }, () => hit(50))).warn_pct_confidence;
    expect([1, 3, 9, 20].map(agree)).toEqual([0.25, 0.5, 0.75, 0.87]);
  });

  it('trusts hits less that do not agree', () => {
    // Median 50 (nearest rank), distances 0, 0, 40: their median is 0; of 10, 50, 90 it is 40.
    expect(calibrate([hit(50), hit(50), hit(90)]).warn_pct_confidence).toBe(0.5);
    expect(calibrate([hit(10), hit(50), hit(90)]).warn_pct_confidence).toBe(0.1);
  });

  it('warns before nine of ten hits', () => {
    const hits = Array.from({ length: 20 }, (_, index) => hit(100 - index));
    // The second lowest of 81…100 is 82.
    expect(calibrate(hits).warn_pct_auto).toBe(73.8);
  });

  it('goes by the latest twenty, in whatever order they come', () => {
    const old = Array.from({ length: 30 }, (_, index) => hit(10, { ts: index }));
    const late = Array.from({ length: 20 }, (_, index) => hit(100, { ts: 100 + index }));
    expect(calibrate([...late, ...old])).toMatchObject({ warn_pct_auto: 90 });
  });

  it('takes the fuller window for the one that was hit, and leaves out what had no cap', () => {
    expect(calibrate([hit(40, { weekly_pct: 100 }), hit(null)])).toMatchObject({
      warn_pct_auto: 90,
      warn_pct_confidence: 0.25,
    });
  });

  it.each(['throttle', 'balance', 'plan'] as const)('learns nothing of a window from %s', (kind) => {
    expect(calibrate([hit(90, { kind, since_warn_s: 5 })])).toMatchObject({
      warn_pct_auto: null,
      gap_samples: 0,
    });
  });

  it('gives the percentiles of the gaps that there were', () => {
    const hits = [100, 20, 60, 40, 80].map((since_warn_s) => hit(90, { since_warn_s }));
    expect(calibrate([...hits, hit(70)])).toMatchObject({
      gap_seconds_p50: 60,
      gap_seconds_p95: 100,
      gap_samples: 5,
    });
  });
});
