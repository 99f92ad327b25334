import type { Sample } from '../../../protocol/meter.ts';
import type { CompletionEvent, Tokens } from '../../../protocol/usage-event.ts';

export const tokens = (counts: Partial<Tokens>): Tokens => ({
  input: 0,
  output: 0,
  cache_read: 0,
  cache_write_5m: 0,
  cache_write_1h: 0,
  ...counts,
});

let last = 0;

/** A whole haiku message on lane `zai`, unless told otherwise; `ts` in epoch milliseconds. */
export function sampleOf(ts: number, given: Partial<Sample> = {}): Sample {
  last += 1;
  return {
    rid: `r${last}`,
    ts,
    lane: 'zai',
    provider: 'zai',
    model: 'claude-haiku-4-5',
    served_model: null,
    op: 'nonstream',
    decision: 'to_zai',
    reason: 'ok',
    status: 200,
    err_type: null,
    latency_ms: 1000,
    ttfb_ms: null,
    stream_ms: null,
    tokens: tokens({ input: 10 }),
    bytes_in: 1,
    bytes_out: 1,
    attempts: 1,
    h2: null,
    header_mode: null,
    ...given,
  };
}

/** The record that becomes such a sample. */
export function completionOf(sample: Sample): CompletionEvent {
  const { rid, ts, lane, provider, model, op, decision, reason, status, latency_ms } = sample;
  return {
    v: 1,
    event: 'completion',
    ts: new Date(ts).toISOString(),
    rid,
    lane,
    provider,
    model,
    op,
    decision,
    reason,
    status,
    latency_ms,
    upstream: 'https://upstream.example',
    method: 'POST',
    path: '/v1/messages',
    attempts: Array.from({ length: sample.attempts }, () => ({ provider, ms: 1 })),
    bytes_in: 1,
    bytes_out: 1,
    ...(sample.tokens !== null && { tokens: sample.tokens }),
    ...(sample.stream_ms !== null && {
      sse: {
        events: 1,
        chunks: 1,
        bytes: 1,
        duration_ms: sample.stream_ms,
        max_gap_ms: 0,
        finished: true,
      },
    }),
  };
}
