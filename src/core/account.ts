/**
 * The account of one exchange: what is learned on the way, and the lines that are made of it. Records are
 * made here and nowhere else: one decision, one start per stream, one completion whatever happened.
 */
import type { IncomingMessage } from 'node:http';
import { type Clock, rfc3339, roundMs } from '../platform/clock.ts';
import type { Anomaly, AnomalyKind } from '../protocol/anomaly.ts';
import type { UpstreamError } from '../protocol/upstream-error.ts';
import {
  type AttemptRecord,
  type CompletionEvent,
  type Decision,
  MAX_MODEL_LENGTH,
  type Op,
} from '../protocol/usage-event.ts';
import type { Ending } from './ending.ts';
import { headerValue } from './header-policy.ts';
import type { AnswerHead, RelayCounts } from './relay.ts';
import type { Step } from './steps.ts';
import type { AttemptFacts, ExchangeObserver, Provider, TapResult } from './types.ts';

/** Exchanges that were refused before a route was chosen are counted under this label. */
export const NOWHERE = { lane: 'none', provider: 'none', upstream: 'none', decision: 'to_none' } as const;

const MAX_PATH_LENGTH = 1024;

export interface Account {
  readonly rid: string;
  /** Monotonic time at which the request was read. */
  readonly startedAt: number;
  op: Op;
  model: string | null;
  bytesIn: number;
  /** Body bytes of an answer of our own. */
  ownBytes: number;
  readonly attempts: AttemptRecord[];
  decide(step: Step, alternatives: readonly Provider[]): void;
  /** Another attempt is to follow. */
  plan(step: Step): void;
  /** Starts the record of one attempt; the attempt fills it in. */
  openAttempt(step: Step): AttemptRecord;
  /** The head of the last attempt's answer came. */
  answered(head: AnswerHead): void;
  /** The last attempt was refused; a limit is told of. `sentOn`: another provider takes over. */
  refused(error: UpstreamError, sentOn: boolean): void;
  /** The answer of the last attempt starts towards the client. */
  streamStarts(headAt: number): void;
  anomaly(kind: AnomalyKind, detail: string): void;
  complete(ending: Ending, answer: AnsweredFacts | null): void;
}

export interface AnsweredFacts {
  readonly head: AnswerHead;
  readonly headAt: number;
  readonly counts: RelayCounts;
  readonly tap: TapResult | null;
}

export interface AccountOptions {
  readonly rid: string;
  readonly clock: Clock;
  readonly request: IncomingMessage;
  readonly path: string;
  readonly profile: string | null;
  readonly observers: readonly ExchangeObserver[];
}

export function openAccount(options: AccountOptions): Account {
  const { rid, clock, request, observers } = options;
  const startedAt = clock.monotonic();
  let current: Step | null = null;

  const common = () => ({
    v: 1 as const,
    ts: rfc3339(clock.now()),
    rid,
    lane: current?.provider.lane ?? NOWHERE.lane,
    provider: current?.provider.id ?? NOWHERE.provider,
    model: modelName(),
  });

  const modelName = () => (account.model === null ? null : account.model.slice(0, MAX_MODEL_LENGTH));

  const attemptFacts = ({ provider, decision }: Step): AttemptFacts => ({
    rid,
    lane: provider.lane,
    provider: provider.id,
    model: modelName(),
    op: account.op,
    decision,
  });

  const account: Account = {
    rid,
    startedAt,
    op: 'other',
    model: null,
    bytesIn: 0,
    ownBytes: 0,
    attempts: [],

    decide(step, alternatives) {
      current = step;
      const event = {
        ...common(),
        event: 'decision' as const,
        op: account.op,
        decision: step.decision,
        alternatives: alternatives.map(({ id }) => id),
      };
      for (const observer of observers) observer.onDecision?.(event);
    },

    plan(step) {
      const facts = attemptFacts(step);
      for (const observer of observers) observer.onPlan?.(facts);
    },

    openAttempt(step) {
      current = step;
      const { provider } = step;
      const record: AttemptRecord = { provider: provider.id, ms: 0 };
      if (provider.auth.kind === 'key') record.header_mode = provider.auth.headerMode;
      account.attempts.push(record);
      const facts = attemptFacts(step);
      for (const observer of observers) observer.onAttempt?.(facts);
      return record;
    },

    answered({ status, headers }) {
      if (current === null) return;
      const facts = { ...attemptFacts(current), status, headers };
      for (const observer of observers) observer.onAnswer?.(facts);
    },

    refused(error, sentOn) {
      if (current === null || error.errType !== 'limit') return;
      const facts = { ...attemptFacts(current), error, sentOn, ms: account.attempts.at(-1)?.ms ?? 0 };
      for (const observer of observers) observer.onLimit?.(facts);
    },

    streamStarts(headAt) {
      const event = {
        ...common(),
        event: 'stream_start' as const,
        reason: 'streaming' as const,
        ttfb_ms: roundMs(headAt - startedAt),
      };
      for (const observer of observers) observer.onStreamStart?.(event);
    },

    anomaly(kind, detail) {
      reportAnomaly(options, { rid, lane: current?.provider.lane ?? NOWHERE.lane, kind, detail });
    },

    complete(ending, answer) {
      const last = account.attempts.at(-1);
      // An error that was passed on is its attempt's as much as one that was not.
      if (last !== undefined && ending.errType !== undefined) last.err_type ??= ending.errType;
      const event: CompletionEvent = {
        ...common(),
        event: 'completion',
        upstream: current?.provider.origin ?? NOWHERE.upstream,
        method: request.method ?? '',
        path: options.path.slice(0, MAX_PATH_LENGTH),
        op: account.op,
        decision: decisionOf(current),
        reason: ending.reason,
        status: ending.status,
        latency_ms: roundMs(clock.monotonic() - startedAt),
        attempts: account.attempts,
        bytes_in: account.bytesIn,
        bytes_out: answer?.counts.bytes ?? account.ownBytes,
      };
      if (ending.errType !== undefined) event.err_type = ending.errType;
      if (last?.h2 !== undefined) event.h2 = last.h2;
      if (last?.header_mode !== undefined) event.header_mode = last.header_mode;
      if (answer !== null) addAnswer(event, answer, startedAt);
      addClient(event, request, options.profile);
      for (const observer of observers) observer.onCompletion?.(event);
    },
  };
  return account;
}

/** Tells the observers of something that should not happen. */
export function reportAnomaly(
  { clock, observers }: Pick<AccountOptions, 'clock' | 'observers'>,
  what: Omit<Anomaly, 'v' | 'ts'>,
): void {
  const anomaly: Anomaly = { v: 1, ts: rfc3339(clock.now()), ...what };
  for (const observer of observers) observer.onAnomaly?.(anomaly);
}

function decisionOf(step: Step | null): Decision {
  return step?.decision ?? NOWHERE.decision;
}

function addAnswer(
  event: CompletionEvent,
  { head, headAt, counts, tap }: AnsweredFacts,
  startedAt: number,
): void {
  event.ttfb_ms = roundMs(headAt - startedAt);
  const requestId = headerValue(head.headers, 'request-id');
  if (requestId !== undefined) event.upstream_request_id = requestId;
  if (tap === null) return;
  if (tap.servedModel !== undefined) event.served_model = tap.servedModel.slice(0, MAX_MODEL_LENGTH);
  if (tap.tokens !== undefined) event.tokens = tap.tokens;
  if (tap.sse === undefined) return;
  event.sse = {
    events: tap.sse.events,
    chunks: counts.reads,
    bytes: counts.bytes,
    duration_ms: roundMs(counts.lastAt - counts.firstAt),
    max_gap_ms: roundMs(tap.sse.maxGapMs),
    finished: tap.sse.finished,
  };
}

function addClient(event: CompletionEvent, request: IncomingMessage, profile: string | null): void {
  const { 'user-agent': agent, 'x-client-request-id': requestId } = request.headers;
  const product = /^\S{1,64}/.exec(agent ?? '')?.[0];
  if (product !== undefined) event.client = product;
  if (typeof requestId === 'string') event.client_request_id = requestId.slice(0, 128);
  if (profile !== null) event.profile = profile;
}
