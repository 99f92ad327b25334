/**
 * The lines of `usage.jsonl`, schema version 1: what the proxy says of each exchange. Up to three lines share
 * a `rid`: `decision` (the first choice), `stream_start` (streams only), and exactly one `completion`.
 * A key that does not apply is absent; `null` is kept for "looked, and there was none".
 */
import { z } from 'zod';

export const OPS = ['stream', 'nonstream', 'count_tokens', 'models', 'other'] as const;

export const FIXED_DECISIONS = [
  'manual_override',
  'offload_paused',
  'license_block',
  'quota_block',
  'quota_warn_attempt',
  'cooldown',
  'no_credential',
  'fallback_auth',
  'fallback_limit',
  'fallback_overload',
  'fallback_net',
] as const;

export const REASONS = [
  'ok',
  'streaming',
  'client_abort',
  'stream_timeout',
  'upstream_error',
  'upstream_reset',
  'truncated',
  'timeout',
  'too_large',
  'blocked',
] as const;

export const ERR_TYPES = [
  'auth',
  'limit',
  'overloaded',
  'net',
  'tls',
  'dns',
  'idle_timeout',
  'timeout',
  'protocol',
  'http_4xx',
  'http_5xx',
] as const;

/** Longer than any real name: a body may name a model of megabytes, which no line of the log should be. */
export const MAX_MODEL_LENGTH = 256;

export const HEADER_MODES = ['x-api-key', 'authorization'] as const;

export const decisionSchema = z.union([
  z.enum(FIXED_DECISIONS),
  z.templateLiteral(['to_', z.string()]).describe('to_<lane>: the route table chose this lane'),
]);
const milliseconds = z.number().nonnegative().describe('milliseconds');
const count = z.int().nonnegative();

const shared = {
  v: z.literal(1),
  ts: z.iso.datetime({ precision: 3 }).describe('when this line was made, UTC'),
  rid: z.string().min(1).describe('the id of the exchange, shared by its lines'),
  lane: z.string(),
  provider: z.string(),
  model: z.string().nullable().describe('the top-level model of the request body, null where it has none'),
};

export const decisionEventSchema = z.strictObject({
  ...shared,
  event: z.literal('decision'),
  op: z.enum(OPS),
  decision: decisionSchema,
  alternatives: z.array(z.string()).describe('provider ids that a failure may fall back to, in order'),
});

export const streamStartEventSchema = z.strictObject({
  ...shared,
  event: z.literal('stream_start'),
  reason: z.literal('streaming'),
  ttfb_ms: milliseconds,
});

export const tokensSchema = z.strictObject({
  input: count,
  output: count,
  cache_read: count,
  cache_write_5m: count,
  cache_write_1h: count,
});

export const attemptSchema = z.strictObject({
  provider: z.string(),
  status: z.int().optional(),
  err_type: z.enum(ERR_TYPES).optional(),
  header_mode: z.enum(HEADER_MODES).optional(),
  h2: z.boolean().optional(),
  ms: milliseconds,
});

export const completionEventSchema = z.strictObject({
  ...shared,
  event: z.literal('completion'),
  upstream: z.string().describe('origin of the upstream'),
  method: z.string(),
  path: z.string().describe('without the query string'),
  served_model: z.string().optional().describe('the model that the answer names'),
  op: z.enum(OPS),
  decision: decisionSchema,
  reason: z.enum(REASONS),
  status: z.int().describe('what the client got; 499 where it left before a status was known'),
  err_type: z.enum(ERR_TYPES).optional(),
  latency_ms: milliseconds,
  ttfb_ms: milliseconds.optional(),
  h2: z.boolean().optional().describe('whether the last attempt spoke HTTP/2; absent where none connected'),
  header_mode: z.enum(HEADER_MODES).optional().describe('non-Anthropic lanes only'),
  attempts: z.array(attemptSchema),
  tokens: tokensSchema.optional(),
  sse: z
    .strictObject({
      events: count,
      chunks: count,
      bytes: count,
      duration_ms: milliseconds,
      max_gap_ms: milliseconds,
      finished: z.boolean().describe('message_stop or an error event was seen'),
    })
    .optional(),
  bytes_in: count.describe('request body bytes received from the client'),
  bytes_out: count.describe('response body bytes handed to the client'),
  client: z.string().optional().describe('first product of the user agent'),
  client_request_id: z.string().optional(),
  upstream_request_id: z.string().optional(),
  profile: z.string().optional(),
});

export const usageEventSchema = z.discriminatedUnion('event', [
  decisionEventSchema,
  streamStartEventSchema,
  completionEventSchema,
]);

export type Op = (typeof OPS)[number];
export type Decision = z.infer<typeof decisionSchema>;
export type Reason = (typeof REASONS)[number];
export type ErrType = (typeof ERR_TYPES)[number];
export type HeaderMode = (typeof HEADER_MODES)[number];
export type Tokens = z.infer<typeof tokensSchema>;
export type AttemptRecord = z.infer<typeof attemptSchema>;
export type DecisionEvent = z.infer<typeof decisionEventSchema>;
export type StreamStartEvent = z.infer<typeof streamStartEventSchema>;
export type CompletionEvent = z.infer<typeof completionEventSchema>;
export type UsageEvent = z.infer<typeof usageEventSchema>;
