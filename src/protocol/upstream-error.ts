/** What an upstream's refusal means: who has to wait, until when, and whether another lane could serve. */
import { ANTHROPIC_ERROR_TYPES, type ErrorFacts, readErrorBody } from './error-body.ts';
import { parseJson } from './json.ts';
import type { ErrType } from './usage-event.ts';

/** For which failures of a lane one more attempt is made on its fallback (`CCP_FALLBACK`). */
export type FallbackCause = 'auth' | 'limit' | 'overload' | 'net';

export type UpstreamErrorKind =
  /** The credential is missing, wrong or expired. */
  | 'auth'
  /** The credential is good and not for this. */
  | 'permission'
  /** Too fast or too many at once: seconds will do. */
  | 'throttle'
  /** A plan's window of hours or days is used up. */
  | 'window'
  /** No money and no package. */
  | 'balance'
  /** The plan lacks the model, or its fair use is exceeded: waiting does not help. */
  | 'plan'
  | 'overload'
  /** The request itself is at fault: no other lane would do better. */
  | 'request'
  | 'server'
  /** An error body with a success status that says nothing known. */
  | 'unknown';

export interface UpstreamError {
  readonly kind: UpstreamErrorKind;
  readonly errType: ErrType;
  /** Null where no other lane would do better. */
  readonly cause: FallbackCause | null;
  /** As stated by the upstream, in milliseconds from now; absent where it is not stated. */
  readonly retryAfterMs?: number;
  /** When the window opens again, as stated by the upstream, in epoch milliseconds. */
  readonly resetsAt?: number;
}

export interface UpstreamAnswer {
  readonly status: number;
  /** The value of a header, by its lower-case name. */
  readonly headers: (name: string) => string | undefined;
  /** The answer's body without its content coding, or the data of one event; null where it was not kept. */
  readonly body: Buffer | null;
  /** What the body says, where somebody has read it already. */
  readonly error?: ErrorFacts | undefined;
  /** Epoch milliseconds, for dates in `retry-after`. */
  readonly now: number;
}

const MEANING: Readonly<Record<UpstreamErrorKind, { errType: ErrType; cause: FallbackCause | null }>> = {
  auth: { errType: 'auth', cause: 'auth' },
  permission: { errType: 'auth', cause: 'auth' },
  throttle: { errType: 'limit', cause: 'limit' },
  window: { errType: 'limit', cause: 'limit' },
  balance: { errType: 'limit', cause: 'limit' },
  plan: { errType: 'limit', cause: 'limit' },
  overload: { errType: 'overloaded', cause: 'overload' },
  request: { errType: 'http_4xx', cause: null },
  server: { errType: 'http_5xx', cause: 'net' },
  unknown: { errType: 'protocol', cause: null },
};

/** Z.AI's codes (docs.z.ai, "Error codes", and recorded bodies), whatever status they come with. */
const ZAI_CODES: ReadonlyMap<string, UpstreamErrorKind> = new Map([
  ['401', 'auth'],
  ['500', 'server'],
  ['1001', 'auth'],
  ['1113', 'balance'],
  ['1210', 'request'],
  ['1211', 'request'],
  ['1214', 'request'],
  ['1261', 'request'],
  ['1301', 'request'],
  ['1302', 'throttle'],
  ['1305', 'overload'],
  ['1308', 'window'],
  ['1310', 'window'],
  ['1311', 'plan'],
  ['1313', 'plan'],
  ['1316', 'window'],
  ['1317', 'window'],
]);

const STATUS_OF_TYPE: ReadonlyMap<string, number> = new Map(
  Object.entries(ANTHROPIC_ERROR_TYPES).map(([status, type]) => [type, Number(status)]),
);

/** Which header states the end of the window that a subscription ran into, by its representative claim. */
const CLAIM_RESETS: ReadonlyMap<string, string> = new Map([
  ['five_hour', 'anthropic-ratelimit-unified-5h-reset'],
  ['seven_day', 'anthropic-ratelimit-unified-7d-reset'],
]);

/**
 * Tells what an error answer means, or an error inside a successful one. Null where there is no error: a
 * status below 400 and a body that reports none. A wait or a reset that is not stated is absent.
 */
export function readUpstreamError(answer: UpstreamAnswer): UpstreamError | null {
  const { status, headers, body, now } = answer;
  const error = answer.error ?? (body === null ? null : readErrorBody(parseJson(body.toString())));
  if (status < 400 && error === null) return null;
  const code = error === null ? undefined : zaiCode(error);
  const rejected = headers('anthropic-ratelimit-unified-status') === 'rejected';
  const kind = kindOfCode(code) ?? kindOfStatus(status, error?.type, rejected);
  const retryAfterMs = waitOf(headers('retry-after') ?? error?.retryAfter, now);
  const resetsAt = kind !== 'window' ? undefined : (zaiReset(error, code) ?? unifiedReset(headers));
  return {
    kind,
    ...MEANING[kind],
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(resetsAt !== undefined && { resetsAt }),
  };
}

/** In 2025 the code stood in `type`; since 2026 in `code` and at the start of the message. */
function zaiCode({ type, code, message }: ErrorFacts): string | undefined {
  const bracketed = /^\[(\d{3,4})\]/.exec(message)?.[1];
  return [code, type, bracketed].find((candidate) => candidate !== undefined && ZAI_CODES.has(candidate));
}

function kindOfCode(code: string | undefined): UpstreamErrorKind | undefined {
  return code === undefined ? undefined : ZAI_CODES.get(code);
}

/** A type that names a cause says more than the status; a general one says less. */
function kindOfStatus(status: number, type: string | undefined, rejected: boolean): UpstreamErrorKind {
  const byStatus = statusKind(status);
  const byType = statusKind(STATUS_OF_TYPE.get(type ?? '') ?? 0);
  const general = byType === undefined || byType === 'request' || byType === 'server';
  const kind = general ? (byStatus ?? byType ?? 'unknown') : byType;
  return kind === 'throttle' && rejected ? 'window' : kind;
}

function statusKind(status: number): UpstreamErrorKind | undefined {
  if (status < 400) return undefined;
  switch (status) {
    case 401:
      return 'auth';
    case 402:
      return 'balance';
    case 403:
      return 'permission';
    case 429:
      return 'throttle';
    case 529:
      return 'overload';
    default:
      return status < 500 ? 'request' : 'server';
  }
}

/** RFC 9110 section 10.2.3: whole seconds, or a date. */
function waitOf(stated: string | undefined, now: number): number | undefined {
  const value = stated?.trim() ?? '';
  if (/^\d+$/.test(value)) return finite(Number(value) * 1000);
  if (!value.endsWith('GMT')) return undefined;
  const date = finite(Date.parse(value));
  return date === undefined ? undefined : Math.max(date - now, 0);
}

/** `Your limit will reset at 2026-07-03 11:11:54`: Beijing time, which the stamp does not say. */
function zaiReset(error: ErrorFacts | null, code: string | undefined): number | undefined {
  const stamp = /reset at (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)/.exec(error?.message ?? '');
  if (stamp === null || code === undefined) return undefined;
  return finite(Date.parse(`${stamp[1]}T${stamp[2]}+08:00`));
}

/** Epoch seconds: the one that is stated for the whole, else that of the window named as the cause. */
function unifiedReset(headers: UpstreamAnswer['headers']): number | undefined {
  const claim = CLAIM_RESETS.get(headers('anthropic-ratelimit-unified-representative-claim') ?? '');
  const seconds =
    headers('anthropic-ratelimit-unified-reset') ?? (claim === undefined ? undefined : headers(claim));
  return seconds !== undefined && /^\d+$/.test(seconds) ? finite(Number(seconds) * 1000) : undefined;
}

/** A number that a date or a timer can hold. */
function finite(ms: number): number | undefined {
  return Number.isSafeInteger(ms) ? ms : undefined;
}
