/**
 * What a line of `usage.jsonl` must look like (contract, section 5), held by the judge itself: the schema
 * that the proxy writes by can't vouch for what the proxy writes. The types tie the keys to the protocol.
 */
import type {
  AttemptRecord,
  CompletionEvent,
  DecisionEvent,
  ErrType,
  HeaderMode,
  Op,
  Reason,
  StreamStartEvent,
  Tokens,
} from '../protocol/usage-event.ts';
import { isJsonObject } from './json.ts';

/** Says what is wrong with a value, or undefined. Messages never quote the value. */
type Rule = { readonly optional?: true; readonly check: (value: unknown) => string | undefined };
type Shape<T> = { readonly [Key in keyof Required<T>]: Rule };

/** What is wrong with a parsed line, as `key: problem`; undefined for a valid event. */
export function problemOfLine(value: unknown): string | undefined {
  if (!isJsonObject(value)) return 'not an object';
  switch (value['event']) {
    case 'decision':
      return problemOfShape(value, DECISION);
    case 'stream_start':
      return problemOfShape(value, STREAM_START);
    case 'completion':
      return problemOfShape(value, COMPLETION);
    default:
      return 'event: neither decision, stream_start nor completion';
  }
}

function problemOfShape(value: unknown, shape: Readonly<Record<string, Rule>>): string | undefined {
  if (!isJsonObject(value)) return 'not an object';
  const stranger = Object.keys(value).find((key) => !Object.hasOwn(shape, key));
  if (stranger !== undefined) return `${stranger.slice(0, 40)}: no such key`;
  for (const [key, { optional, check }] of Object.entries(shape)) {
    const field = value[key];
    if (field === undefined && optional) continue;
    const problem = field === undefined ? 'missing' : check(field);
    if (problem !== undefined) return `${key}: ${problem}`;
  }
  return undefined;
}

const rule = (expected: string, holds: (value: unknown) => boolean): Rule => ({
  check: (value) => (holds(value) ? undefined : `not ${expected}`),
});
const optional = ({ check }: Rule): Rule => ({ optional: true, check });
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

const text = rule('a string', (value) => typeof value === 'string');
const name = rule('a non-empty string', (value) => typeof value === 'string' && value !== '');
const textOrNull = rule('a string or null', (value) => value === null || typeof value === 'string');
const flag = rule('true or false', (value) => typeof value === 'boolean');
const integer = rule('an integer', Number.isSafeInteger);
const count = rule('a count', isCount);
const milliseconds = rule('a duration in ms', (value) => Number.isFinite(value) && Number(value) >= 0);
const timestamp = rule(
  'an RFC 3339 time with milliseconds in UTC',
  (value) =>
    typeof value === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) &&
    !Number.isNaN(Date.parse(value)),
);
const exactly = (literal: string | number): Rule =>
  rule(JSON.stringify(literal), (value) => value === literal);

/** A record as argument, so that the compiler holds the words against the type in both directions. */
const oneOf = <Word extends string>(words: Readonly<Record<Word, true>>): Rule =>
  rule('a listed word', (value) => typeof value === 'string' && Object.hasOwn(words, value));
const shaped = (shape: Readonly<Record<string, Rule>>): Rule => ({
  check: (value) => problemOfShape(value, shape),
});
const listOf = ({ check }: Rule): Rule => ({
  check(value) {
    if (!Array.isArray(value)) return 'not a list';
    return value.map((item: unknown) => check(item)).find((problem) => problem !== undefined);
  },
});

const op = oneOf<Op>({ stream: true, nonstream: true, count_tokens: true, models: true, other: true });
const headerMode = oneOf<HeaderMode>({ 'x-api-key': true, authorization: true });
const errType = oneOf<ErrType>({
  auth: true,
  limit: true,
  overloaded: true,
  net: true,
  tls: true,
  dns: true,
  idle_timeout: true,
  timeout: true,
  protocol: true,
  http_4xx: true,
  http_5xx: true,
});
const reason = oneOf<Reason>({
  ok: true,
  streaming: true,
  client_abort: true,
  stream_timeout: true,
  upstream_error: true,
  upstream_reset: true,
  truncated: true,
  timeout: true,
  too_large: true,
  blocked: true,
});
const FIXED_DECISIONS = oneOf({
  manual_override: true,
  offload_paused: true,
  license_block: true,
  quota_block: true,
  quota_warn_attempt: true,
  cooldown: true,
  no_credential: true,
  fallback_auth: true,
  fallback_limit: true,
  fallback_overload: true,
  fallback_net: true,
});
const decision: Rule = {
  check: (value) =>
    typeof value === 'string' && /^to_./.test(value) ? undefined : FIXED_DECISIONS.check(value),
};

const SHARED = {
  v: exactly(1),
  ts: timestamp,
  rid: name,
  lane: name,
  provider: name,
  model: textOrNull,
} as const;

const DECISION: Shape<DecisionEvent> = {
  ...SHARED,
  event: exactly('decision'),
  op,
  decision,
  alternatives: listOf(text),
};

const STREAM_START: Shape<StreamStartEvent> = {
  ...SHARED,
  event: exactly('stream_start'),
  reason: exactly('streaming'),
  ttfb_ms: milliseconds,
};

const ATTEMPT: Shape<AttemptRecord> = {
  provider: name,
  status: optional(integer),
  err_type: optional(errType),
  header_mode: optional(headerMode),
  h2: optional(flag),
  ms: milliseconds,
};

const TOKENS: Shape<Tokens> = {
  input: count,
  output: count,
  cache_read: count,
  cache_write_5m: count,
  cache_write_1h: count,
};

const SSE: Shape<NonNullable<CompletionEvent['sse']>> = {
  events: count,
  chunks: count,
  bytes: count,
  duration_ms: milliseconds,
  max_gap_ms: milliseconds,
  finished: flag,
};

const COMPLETION: Shape<CompletionEvent> = {
  ...SHARED,
  event: exactly('completion'),
  upstream: text,
  method: text,
  path: text,
  served_model: optional(text),
  op,
  decision,
  reason,
  status: integer,
  err_type: optional(errType),
  latency_ms: milliseconds,
  ttfb_ms: optional(milliseconds),
  h2: optional(flag),
  header_mode: optional(headerMode),
  attempts: listOf(shaped(ATTEMPT)),
  tokens: optional(shaped(TOKENS)),
  sse: optional(shaped(SSE)),
  bytes_in: count,
  bytes_out: count,
  client: optional(text),
  client_request_id: optional(text),
  upstream_request_id: optional(text),
  profile: optional(text),
};
