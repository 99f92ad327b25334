/** Samples and completions for tests of the store. */
import type { Sample } from '../../protocol/meter.ts';
import type { CompletionEvent } from '../../protocol/usage-event.ts';

/** Noon of a day, UTC. */
export const NOON = Date.parse('2026-01-02T12:00:00Z');

/** An exchange that went well; its id is made of a number. */
export function sample(id: number, given: Partial<Sample> = {}): Sample {
  return {
    rid: id.toString(16).padStart(16, '0'),
    ts: NOON + id,
    lane: 'zai',
    provider: 'zai',
    model: 'claude-haiku-4-5',
    served_model: 'glm-4.6',
    op: 'stream',
    decision: 'to_zai',
    reason: 'ok',
    status: 200,
    err_type: null,
    latency_ms: 1234.5,
    ttfb_ms: 321.1,
    stream_ms: 900.4,
    tokens: { input: 10, output: 20, cache_read: 30, cache_write_5m: 40, cache_write_1h: 50 },
    bytes_in: 1000,
    bytes_out: 2000,
    attempts: 1,
    h2: true,
    header_mode: 'x-api-key',
    ...given,
  };
}

/** The completion of the same. */
export function completion(id: number, given: Partial<CompletionEvent> = {}): CompletionEvent {
  const { rid, ts, ...rest } = sample(id);
  return {
    v: 1,
    ts: new Date(ts).toISOString(),
    rid,
    event: 'completion',
    lane: rest.lane,
    provider: rest.provider,
    upstream: 'https://api.z.ai',
    method: 'POST',
    path: '/v1/messages',
    model: rest.model,
    served_model: 'glm-4.6',
    op: rest.op,
    decision: rest.decision,
    reason: rest.reason,
    status: rest.status,
    latency_ms: rest.latency_ms,
    ttfb_ms: 321.1,
    h2: true,
    header_mode: 'x-api-key',
    attempts: [{ provider: 'zai', status: 200, ms: 1200 }],
    tokens: { input: 10, output: 20, cache_read: 30, cache_write_5m: 40, cache_write_1h: 50 },
    sse: { events: 9, chunks: 3, bytes: 2000, duration_ms: 900.4, max_gap_ms: 10, finished: true },
    bytes_in: rest.bytes_in,
    bytes_out: rest.bytes_out,
    ...given,
  };
}
