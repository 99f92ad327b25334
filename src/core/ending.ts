/** How an exchange ended, in the words of its completion: pure rules. */
import type { ServerResponse } from 'node:http';
import type { AnomalyKind } from '../protocol/anomaly.ts';
import { CLIENT_LEFT, isSuccess } from '../protocol/charged.ts';
import { readUpstreamError, type UpstreamError } from '../protocol/upstream-error.ts';
import { sumOf } from '../protocol/usage-count.ts';
import type { ErrType, Reason } from '../protocol/usage-event.ts';
import { headerValue } from './header-policy.ts';
import type { AnswerHead } from './relay.ts';
import type { TapResult } from './types.ts';

export interface Ending {
  readonly reason: Reason;
  readonly errType?: ErrType;
  /** What the client got; 499 where it left before there was one. */
  readonly status: number;
}

/** What the client saw the start of, and then the break. */
export const BROKEN = {
  reset: { reason: 'upstream_reset', errType: 'net' },
  truncated: { reason: 'truncated', errType: 'protocol' },
  idle: { reason: 'stream_timeout', errType: 'idle_timeout' },
  timeout: { reason: 'timeout', errType: 'timeout' },
} as const;

/** Reasons that claim that the client got everything; `timeout` does not: it may have struck half-way. */
const WHOLE: ReadonlySet<string> = new Set(['ok', 'upstream_error', 'blocked', 'too_large']);

/** A client that left has no use for the rest; every other unfinished stream is worth keeping. */
const LEAVES_PARTIAL: ReadonlySet<string> = new Set([
  'upstream_reset',
  'truncated',
  'stream_timeout',
  'timeout',
  'upstream_error',
]);

/** What the error means that an answer is, or holds; null where there is none. `now` in epoch milliseconds. */
export function errorOf(
  { status, headers }: AnswerHead,
  read: TapResult | undefined,
  now: number,
): UpstreamError | null {
  const valueOf = (name: string) => headerValue(headers, name);
  return readUpstreamError({ status, headers: valueOf, body: null, now, error: read?.error });
}

/** How an answer ended that was relayed to the end. */
export function endingOf(read: TapResult | undefined, error: UpstreamError | null): Omit<Ending, 'status'> {
  if (error !== null) return { reason: 'upstream_error', errType: error.errType };
  if (read?.sse !== undefined && !read.sse.finished && read.gaveUp === undefined) {
    return { reason: 'truncated', errType: 'protocol' };
  }
  return { reason: 'ok' };
}

/** Whether an answer whose framing proves nothing lacks its own end: the last event, or the last brace. */
export function isTorn(read: TapResult | undefined): boolean {
  if (read === undefined || read.gaveUp !== undefined) return false;
  return read.torn === true || read.sse?.finished === false;
}

/** How it ended after all, now that nothing more can reach the client. `known` is what was thought so far. */
export function finalEnding(known: Ending | null, response: ServerResponse): Ending {
  const status = response.headersSent ? response.statusCode : CLIENT_LEFT;
  if (known === null) {
    // The door itself answered, in the middle of a malformed body.
    if (response.writableFinished) return { reason: 'blocked', errType: 'protocol', status };
    return { reason: 'client_abort', status };
  }
  // What we thought delivered did not reach the client.
  if (!response.writableFinished && WHOLE.has(known.reason)) return { reason: 'client_abort', status };
  return known;
}

/** Whether what the client had been sent of a stream is worth keeping. */
export function leavesPartial(ending: Ending, read: TapResult | null): boolean {
  return LEAVES_PARTIAL.has(ending.reason) && read?.sse?.finished !== true;
}

/** What of the answer to a message should not happen. */
export function anomaliesOf(ending: Ending, read: TapResult): readonly (readonly [AnomalyKind, string])[] {
  const found: [AnomalyKind, string][] = [];
  if (ending.reason === 'truncated')
    found.push(['truncated', 'the answer ended before its last event or byte']);
  // An answer that was cut short is no JSON: that is told already.
  const gaveUp = read.gaveUp ?? (read.torn === true ? 'the body is not JSON' : undefined);
  if (gaveUp !== undefined && WHOLE.has(ending.reason)) found.push(['tap_gave_up', gaveUp]);
  else if (ending.reason === 'ok' && isSuccess(ending.status) && sumOf(read.tokens) === 0)
    found.push(['uncounted', 'the answer is whole and does not say how many tokens it used']);
  if (read.violation !== undefined) found.push(['protocol_violation', read.violation]);
  if (read.unknownEvents.length > 0) {
    found.push(['unknown_event', `unknown event types: ${read.unknownEvents.join(', ')}`]);
  }
  return found;
}
