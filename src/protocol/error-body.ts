import { isRecord, type JsonRecord } from './json.ts';

/** Which error type goes with which status (platform.claude.com, "Errors"). */
export const ANTHROPIC_ERROR_TYPES = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  504: 'timeout_error',
  529: 'overloaded_error',
} as const;

export type AnthropicErrorType = (typeof ANTHROPIC_ERROR_TYPES)[keyof typeof ANTHROPIC_ERROR_TYPES];

/** An error of our own in Anthropic's shape, as JSON text. */
export function errorBody(type: AnthropicErrorType, message: string, requestId?: string): string {
  return JSON.stringify({ type: 'error', error: { type, message }, request_id: requestId });
}

/** What an error body, or the data of an `event: error`, says. */
export interface ErrorFacts {
  readonly type: string;
  readonly code?: string;
  readonly message: string;
  /** Seconds, as one recorded Z.AI body carries them in place of the header. */
  readonly retryAfter?: string;
}

/**
 * Reads an error in the shapes that upstreams send: Anthropic's `{type:"error",error:{…}}`, the same
 * without the outer type, and Z.AI's `{code,msg,success:false}`. Null for anything else.
 */
export function readErrorBody(value: unknown): ErrorFacts | null {
  if (!isRecord(value)) return null;
  const { error } = value;
  if (typeof error === 'string') return { type: 'error', message: error };
  if (isRecord(error)) return readFields(error, value);
  if (value['type'] === 'error' || value['success'] === false) return readFields(value, value);
  return null;
}

function readFields(error: JsonRecord, body: JsonRecord): ErrorFacts {
  const code = scalar(error['code']);
  const retryAfter = scalar(error['retry-after'] ?? body['retry-after']);
  return {
    type: scalar(error['type']) ?? 'error',
    ...(code !== undefined && { code }),
    message: scalar(error['message'] ?? error['msg']) ?? '',
    ...(retryAfter !== undefined && { retryAfter }),
  };
}

function scalar(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
