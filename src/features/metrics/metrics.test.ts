import { describe, expect, it } from 'vitest';
import type { CompletionEvent } from '../../protocol/usage-event.ts';
import { createMetrics, type Metrics, type MetricsOptions } from './metrics.ts';
import { MAX_MODELS } from './model-labels.ts';

const completed: CompletionEvent = {
  v: 1,
  ts: '2026-01-02T03:04:05.678Z',
  rid: '0123456789abcdef',
  event: 'completion',
  lane: 'zai',
  provider: 'zai',
  upstream: 'https://api.z.ai',
  method: 'POST',
  path: '/v1/messages',
  model: 'claude-haiku-4-5',
  op: 'stream',
  decision: 'to_zai',
  reason: 'ok',
  status: 200,
  latency_ms: 3_000,
  ttfb_ms: 400,
  attempts: [{ provider: 'zai', status: 200, ms: 3_000 }],
  tokens: { input: 10, output: 20, cache_read: 30, cache_write_5m: 40, cache_write_1h: 0 },
  bytes_in: 1,
  bytes_out: 2,
};

const license = () => ({ plan: 'community', kid: '', reason: 'none' });
const policy = () => ({ source: 'none', version: null, reason: null });
const bare = (): Metrics => createMetrics({ defaultMetrics: false, license, policy });

/** The samples of one metric, as Prometheus would read them. */
async function samples(metrics: Metrics, name: string): Promise<string[]> {
  const { body } = await metrics.render();
  return body.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

describe('metrics', () => {
  it('count exchanges by lane, op, status and final decision', async () => {
    const metrics = bare();
    metrics.onCompletion?.(completed);
    metrics.onCompletion?.(completed);
    metrics.onCompletion?.({ ...completed, lane: 'anthropic', status: 529, decision: 'fallback_auth' });
    expect(await samples(metrics, 'ccp_requests_total')).toEqual([
      'ccp_requests_total{lane="zai",op="stream",status="200",decision="to_zai"} 2',
      'ccp_requests_total{lane="anthropic",op="stream",status="529",decision="fallback_auth"} 1',
    ]);
  });

  it('count attempts past a warning, and what a real limit cost', async () => {
    const metrics = bare();
    const attempt = {
      rid: 'r',
      lane: 'zai',
      provider: 'zai',
      model: null,
      op: 'stream',
      decision: 'quota_warn_attempt',
    } as const;
    const limit = {
      ...attempt,
      error: { kind: 'window', errType: 'limit', cause: 'limit' },
      sentOn: true,
      ms: 40,
    } as const;
    metrics.onAttempt?.(attempt);
    metrics.onAttempt?.({ ...attempt, decision: 'to_zai' });
    metrics.onLimit?.(limit);
    metrics.onLimit?.({ ...limit, sentOn: false });
    const refused = { provider: 'local', err_type: 'limit', ms: 1 } as const;
    const again = { provider: 'zai', err_type: 'limit', ms: 1 } as const;
    const good = { provider: 'anth', ms: 1 };
    // An exchange is one, however many refused it; one that was only tried again there was not taken over.
    metrics.onCompletion?.({ ...completed, attempts: [refused, again, good] });
    metrics.onCompletion?.({ ...completed, attempts: [again, again] });
    metrics.onCompletion?.({ ...completed, attempts: [{ ...refused, err_type: 'net' }, good] });
    const values = await Promise.all(
      ['ccp_preferred_attempt_total', 'ccp_rerouted_on_limit_total', 'ccp_wasted_retry_seconds_total'].map(
        (name) => samples(metrics, name),
      ),
    );
    expect(values.flat()).toEqual([
      'ccp_preferred_attempt_total 1',
      'ccp_rerouted_on_limit_total 1',
      'ccp_wasted_retry_seconds_total 0.04',
    ]);
  });

  it('count by lane of whose tokens nothing is known', async () => {
    const metrics = bare();
    const { tokens: _, ...silent } = completed;
    metrics.onCompletion?.(completed);
    metrics.onCompletion?.({ ...silent, attempts: [{ provider: 'zai', status: 200, ms: 1 }] });
    metrics.onCompletion?.({ ...silent, op: 'count_tokens' });
    expect(await samples(metrics, 'ccp_uncounted_total')).toEqual(['ccp_uncounted_total{lane="zai"} 1']);
  });

  it('measure duration and first byte in seconds', async () => {
    const metrics = bare();
    metrics.onCompletion?.(completed);
    expect(await samples(metrics, 'ccp_request_duration_seconds_sum')).toEqual([
      'ccp_request_duration_seconds_sum{lane="zai",op="stream"} 3',
    ]);
    expect(await samples(metrics, 'ccp_ttfb_seconds_sum')).toEqual([
      'ccp_ttfb_seconds_sum{lane="zai",op="stream"} 0.4',
    ]);
    const buckets = await samples(metrics, 'ccp_request_duration_seconds_bucket');
    expect(buckets).toContain('ccp_request_duration_seconds_bucket{le="2.5",lane="zai",op="stream"} 0');
    expect(buckets).toContain('ccp_request_duration_seconds_bucket{le="5",lane="zai",op="stream"} 1');
  });

  it('name the policy pack in effect, and no other', async () => {
    let state: ReturnType<MetricsOptions['policy']> = { source: 'cache', version: 3, reason: 'timeout' };
    const metrics = createMetrics({ defaultMetrics: false, license, policy: () => state });
    expect(await samples(metrics, 'ccp_policy_info')).toEqual([
      'ccp_policy_info{source="cache",version="3",reason="timeout"} 1',
    ]);
    state = { source: 'embedded', version: null, reason: 'expired' };
    expect(await samples(metrics, 'ccp_policy_info')).toEqual([
      'ccp_policy_info{source="embedded",version="",reason="expired"} 1',
    ]);
  });

  it('leave the first byte out where there was none', async () => {
    const metrics = bare();
    const { ttfb_ms: _, tokens: __, ...refused } = completed;
    metrics.onCompletion?.(refused);
    expect(await samples(metrics, 'ccp_ttfb_seconds_count')).toEqual([]);
  });

  it('count tokens by lane, model and kind', async () => {
    const metrics = bare();
    metrics.onCompletion?.(completed);
    metrics.onCompletion?.(completed);
    metrics.onCompletion?.({ ...completed, model: null });
    const found = await samples(metrics, 'ccp_tokens_total');
    expect(found).toContain('ccp_tokens_total{lane="zai",model="claude-haiku-4-5",kind="cache_write_5m"} 80');
    expect(found).toContain('ccp_tokens_total{lane="zai",model="none",kind="input"} 10');
    expect(found.filter((line) => line.includes('cache_write_1h'))).toEqual([]);
  });

  it('show what is under way, what is ready, and what went wrong', async () => {
    const metrics = bare();
    metrics.onInflight?.(3);
    metrics.onInflight?.(2);
    metrics.lanesReady(new Map([['gone', true]]));
    metrics.lanesReady(
      new Map([
        ['zai', false],
        ['anthropic', true],
      ]),
    );
    metrics.partialWritten();
    const { v, ts, rid } = completed;
    metrics.onAnomaly?.({ v, ts, rid, lane: 'zai', kind: 'truncated', detail: 'cut' });
    expect(await samples(metrics, 'ccp_inflight')).toEqual(['ccp_inflight 2']);
    expect(await samples(metrics, 'ccp_lane_ready')).toEqual([
      'ccp_lane_ready{lane="zai"} 0',
      'ccp_lane_ready{lane="anthropic"} 1',
    ]);
    expect(await samples(metrics, 'ccp_partial_writes_total')).toEqual(['ccp_partial_writes_total 1']);
    expect(await samples(metrics, 'ccp_anomalies_total')).toEqual(
      expect.arrayContaining([
        'ccp_anomalies_total{kind="truncated"} 1',
        'ccp_anomalies_total{kind="tap_gave_up"} 0',
      ]),
    );
  });

  it('include those of the process, unless told not to', async () => {
    const full = await createMetrics({ license, policy }).render();
    expect(full.contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(full.body).toMatch(/^process_resident_memory_bytes \d+/m);
    expect((await bare().render()).body).not.toContain('process_resident_memory_bytes');
  });

  it('name the licence as it is when they are asked for, and never two of them', async () => {
    let info = license();
    const metrics = createMetrics({ defaultMetrics: false, license: () => info, policy });
    expect(await samples(metrics, 'ccp_license_info')).toEqual([
      'ccp_license_info{plan="community",kid="",reason="none"} 1',
    ]);
    info = { plan: 'trial', kid: 'k1', reason: '' };
    expect(await samples(metrics, 'ccp_license_info')).toEqual([
      'ccp_license_info{plan="trial",kid="k1",reason=""} 1',
    ]);
  });

  it('show how full each window of a quota is, as it is when they are asked for', async () => {
    let fill = {
      lane: 'zai',
      model: '*haiku*',
      rolling_pct: 70 as number | null,
      weekly_pct: 12.5 as number | null,
      warns: false,
      blocks: false,
    };
    const metrics = createMetrics({ defaultMetrics: false, license, policy, quotas: () => [fill] });
    expect(await samples(metrics, 'ccp_quota_used_ratio')).toEqual([
      'ccp_quota_used_ratio{lane="zai",quota="*haiku*",window="rolling"} 0.7',
      'ccp_quota_used_ratio{lane="zai",quota="*haiku*",window="weekly"} 0.125',
    ]);
    fill = { ...fill, rolling_pct: 101, weekly_pct: null };
    expect(await samples(metrics, 'ccp_quota_used_ratio')).toEqual([
      'ccp_quota_used_ratio{lane="zai",quota="*haiku*",window="rolling"} 1.01',
    ]);
  });

  it('say of each quota whether it warns and whether it turns exchanges away, by its own per cents', async () => {
    let fill = {
      lane: 'zai',
      model: '*haiku*',
      rolling_pct: 75,
      weekly_pct: null,
      warns: true,
      blocks: true,
    };
    const metrics = createMetrics({ defaultMetrics: false, license, policy, quotas: () => [fill] });
    const states = async () => [
      ...(await samples(metrics, 'ccp_quota_warning')),
      ...(await samples(metrics, 'ccp_quota_blocked')),
    ];
    expect(await states()).toEqual([
      'ccp_quota_warning{lane="zai",quota="*haiku*"} 1',
      'ccp_quota_blocked{lane="zai",quota="*haiku*"} 1',
    ]);
    fill = { ...fill, model: '*', blocks: false };
    expect(await states()).toEqual([
      'ccp_quota_warning{lane="zai",quota="*"} 1',
      'ccp_quota_blocked{lane="zai",quota="*"} 0',
    ]);
  });

  it('say whether the quota file is refused, as it is when they are asked for', async () => {
    let isRefused = true;
    const metrics = createMetrics({
      defaultMetrics: false,
      license,
      policy,
      quotaFileRefused: () => isRefused,
    });
    expect(await samples(metrics, 'ccp_quota_file_refused')).toEqual(['ccp_quota_file_refused 1']);
    isRefused = false;
    expect(await samples(metrics, 'ccp_quota_file_refused')).toEqual(['ccp_quota_file_refused 0']);
  });

  it('say what the store counted when they are asked, and how long it took to roll up', async () => {
    let numbers = { writes: 3, writeErrors: 0, dropped: 0, begunAnew: 0, pending: 2, bytes: 4096 };
    const metrics = createMetrics({ defaultMetrics: false, license, policy, store: () => numbers });
    expect(await samples(metrics, 'ccp_store_writes_total')).toEqual(['ccp_store_writes_total 3']);
    numbers = { writes: 5, writeErrors: 1, dropped: 7, begunAnew: 2, pending: 0, bytes: 8192 };
    metrics.rolledUp(0.25);
    const { body } = await metrics.render();
    expect(
      body.split('\n').filter((line) => /^ccp_(store|rollup_duration_seconds_(sum|count))/.test(line)),
    ).toEqual([
      'ccp_rollup_duration_seconds_sum 0.25',
      'ccp_rollup_duration_seconds_count 1',
      'ccp_store_writes_total 5',
      'ccp_store_write_errors_total 1',
      'ccp_store_dropped_total 7',
      'ccp_store_begun_anew_total 2',
      'ccp_store_pending 0',
      'ccp_store_size_bytes 8192',
    ]);
  });

  it('of two proxies in one process are apart', async () => {
    const [one, other] = [createMetrics({ license, policy }), createMetrics({ license, policy })];
    one.partialWritten();
    expect(await samples(other, 'ccp_partial_writes_total')).toEqual(['ccp_partial_writes_total 0']);
  });
});

describe('the model label', () => {
  it('is bounded whatever clients send', async () => {
    const known = await labels(Array.from({ length: 10_000 }, (_, n) => `model-${n}`));
    expect(known.size).toBe(MAX_MODELS + 1);
    expect(known).toContain('model-0');
    expect(known).toContain('other');
  });

  it('is not spent on models that no upstream answered for', async () => {
    const metrics = bare();
    const { tokens: _, ...refused } = completed;
    for (let n = 0; n < 200; n += 1) metrics.onCompletion?.({ ...refused, status: 404, model: `m-${n}` });
    metrics.onCompletion?.(completed);
    expect((await samples(metrics, 'ccp_tokens_total'))[0]).toContain('model="claude-haiku-4-5"');
  });

  it('never carries a control character, and quotes what Prometheus wants quoted', async () => {
    expect(await labels(['a\nb\u0000\u001b[31m\u2028\ud800', 'quote"back\\slash'])).toEqual(
      new Set(['a?b??[31m??', 'quote\\"back\\\\slash']),
    );
  });

  it('does not repeat a name that is no name', async () => {
    expect(await labels(['x'.repeat(1_000_000)])).toEqual(new Set(['other']));
  });
});

/** The model labels that result from exchanges with these models. */
async function labels(models: readonly string[]): Promise<Set<string>> {
  const metrics = bare();
  for (const model of models) metrics.onCompletion?.({ ...completed, model });
  const found = await samples(metrics, 'ccp_tokens_total');
  return new Set(found.map((line) => /model="((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? 'no label'));
}
