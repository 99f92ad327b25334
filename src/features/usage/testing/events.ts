/** Records of one exchange, as the core makes them. */
import type { CompletionEvent, DecisionEvent, StreamStartEvent } from '../../../protocol/usage-event.ts';

const shared = {
  v: 1,
  ts: '2026-11-02T10:20:30.456Z',
  rid: '0123456789abcdef',
  lane: 'zai',
  provider: 'zai',
  model: 'claude-haiku-4-5',
} as const;

export const decision = (part: Partial<DecisionEvent> = {}): DecisionEvent => ({
  ...shared,
  event: 'decision',
  op: 'stream',
  decision: 'to_zai',
  alternatives: ['anth'],
  ...part,
});

export const streamStart = (part: Partial<StreamStartEvent> = {}): StreamStartEvent => ({
  ...shared,
  event: 'stream_start',
  reason: 'streaming',
  ttfb_ms: 400,
  ...part,
});

export const completion = (part: Partial<CompletionEvent> = {}): CompletionEvent => ({
  ...shared,
  event: 'completion',
  upstream: 'https://api.z.ai',
  method: 'POST',
  path: '/v1/messages',
  op: 'stream',
  decision: 'to_zai',
  reason: 'ok',
  status: 200,
  latency_ms: 3_000,
  ttfb_ms: 400,
  attempts: [{ provider: 'zai', status: 200, ms: 3_000 }],
  tokens: { input: 10, output: 20, cache_read: 30, cache_write_5m: 40, cache_write_1h: 50 },
  sse: { events: 9, chunks: 9, bytes: 900, duration_ms: 2_000, max_gap_ms: 100, finished: true },
  bytes_in: 1,
  bytes_out: 900,
  ...part,
});
