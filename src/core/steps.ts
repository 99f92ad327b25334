/**
 * What to try next when an attempt failed and the client has been sent nothing: a pure function over the
 * attempt and its failure. At most one further try per cause.
 */
import type { UpstreamError } from '../protocol/upstream-error.ts';
import type { Decision, ErrType, HeaderMode } from '../protocol/usage-event.ts';
import type { FallbackCause, Provider, Route } from './types.ts';

/** One attempt to be made. */
export interface Step {
  readonly provider: Provider;
  readonly decision: Decision;
  /** Who may still take over, in order. */
  readonly alternatives: readonly Provider[];
  /** Milliseconds to wait first. */
  readonly delayMs: number;
  /** What was already tried on this provider. */
  readonly tried: { readonly replay: boolean; readonly otherMode: boolean; readonly backoff: boolean };
}

export interface Failure {
  readonly errType: ErrType;
  /** Which fallback cause this is; null where no other lane would do better. */
  readonly cause: FallbackCause | null;
  /** Of the upstream's answer; absent where there was none. */
  readonly status?: number;
  /** What that answer means; absent where there was none. */
  readonly upstream?: UpstreamError;
  /** The upstream says, or the transport proves, that this request was never processed. */
  readonly unprocessed: boolean;
  /** The request itself cannot be sent: a path or header that HTTP does not allow. */
  readonly clientFault?: boolean;
  /** For our own error answer; never holds a credential or a body. */
  readonly message: string;
}

export interface StepPolicy {
  readonly fallback: ReadonlySet<FallbackCause>;
  readonly backoff: boolean;
}

/** A stated wait longer than this is the client's business. */
const MAX_BACKOFF_MS = 10_000;

const UNTRIED = { replay: false, otherMode: false, backoff: false } as const;

export function firstStep(route: Route): Step {
  return { ...route, delayMs: 0, tried: UNTRIED };
}

/** The next attempt, or null: then the client gets this failure. */
export function nextStep(step: Step, failure: Failure, policy: StepPolicy): Step | null {
  const { provider, tried } = step;
  if (failure.unprocessed && !tried.replay) {
    return { ...step, delayMs: 0, tried: { ...tried, replay: true } };
  }
  if (failure.status === 401 && provider.auth.kind === 'key' && !tried.otherMode) {
    const auth = { ...provider.auth, headerMode: otherMode(provider.auth.headerMode) };
    return { ...step, provider: { ...provider, auth }, delayMs: 0, tried: { ...tried, otherMode: true } };
  }
  if (policy.backoff && !tried.backoff && isWorthWaiting(failure)) {
    return { ...step, delayMs: failure.upstream?.retryAfterMs ?? 0, tried: { ...tried, backoff: true } };
  }
  const [next, ...rest] = step.alternatives;
  if (next === undefined || failure.cause === null || !policy.fallback.has(failure.cause)) return null;
  return {
    provider: next,
    decision: `fallback_${failure.cause}`,
    alternatives: rest,
    delayMs: 0,
    tried: UNTRIED,
  };
}

/** Whether an error answer of this status could lead to another attempt, so that it is worth holding back. */
export function mayGoOn(step: Step, policy: StepPolicy): boolean {
  return (step.alternatives.length > 0 && policy.fallback.size > 0) || policy.backoff || canSwitchMode(step);
}

function canSwitchMode(step: Step): boolean {
  return step.provider.auth.kind === 'key' && !step.tried.otherMode;
}

function isWorthWaiting({ status, upstream }: Failure): boolean {
  const wait = upstream?.retryAfterMs;
  return (status === 429 || status === 503) && wait !== undefined && wait <= MAX_BACKOFF_MS;
}

function otherMode(mode: HeaderMode): HeaderMode {
  return mode === 'x-api-key' ? 'authorization' : 'x-api-key';
}
