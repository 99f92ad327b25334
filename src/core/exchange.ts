/**
 * The life of one exchange, in order: take the request in, decide, attempt, relay, record. Whatever happens
 * on the way, it ends where the client's response closes, and there the one completion is made.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../platform/clock.ts';
import type { Ids } from '../platform/ids.ts';
import { scanBody, spliceModel } from '../protocol/body-scan.ts';
import type { AnthropicErrorType } from '../protocol/error-body.ts';
import { type Account, type AnsweredFacts, openAccount } from './account.ts';
import { isEventStream } from './answer.ts';
import { type Answer, type AttemptEnd, type RunningAttempt, startAttempt } from './attempt.ts';
import type { Deadline, Deadlines } from './deadlines.ts';
import { BROKEN, CLIENT_LEFT, type Ending, endingOf, isTorn, LEAVES_PARTIAL, WHOLE } from './ending.ts';
import { headerValue } from './header-policy.ts';
import { announcedLength, bufferedOp, isWholeAnswer, pathOf } from './inbound-request.ts';
import { takeIn } from './intake.ts';
import type { RequestBody } from './outbound-request.ts';
import { sendError } from './own-answer.ts';
import type { AnswerHead } from './relay.ts';
import type { Retained, Retention } from './retention.ts';
import { type Failure, firstStep, mayGoOn, nextStep, type Step, type StepPolicy } from './steps.ts';
import { createTap } from './tap/tap.ts';
import type { ExchangeObserver, PartialSink, Provider, Router, Tap, TapResult } from './types.ts';
import type { Upstreams } from './upstream/upstreams.ts';

/** What every exchange of a proxy shares. */
export interface ExchangePorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly router: Router;
  readonly upstreams: Upstreams;
  readonly deadlines: Deadlines;
  readonly retention: Retention;
  readonly partials: PartialSink;
  readonly observers: readonly ExchangeObserver[];
  readonly policy: StepPolicy;
  readonly limits: ExchangeLimits;
  readonly profile: string | null;
}

export interface ExchangeLimits {
  /** Bytes of a buffered body. */
  readonly maxBody: number;
  /** Milliseconds, 0 is none: until the head, for a whole answer that is no stream, of silence in a stream. */
  readonly headMs: number;
  readonly jsonMs: number;
  readonly streamIdleMs: number;
}

/** A request at the door. */
export interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Why the guard turns it away; null lets it in. */
  readonly refusal: string | null;
  /** Asks a client that waits for it (`expect: 100-continue`) to send its body. */
  readonly invite: () => void;
}

/** Carries one request through; resolves when its record is made. Never rejects. */
export async function runExchange(ports: ExchangePorts, visit: Visit): Promise<void> {
  const { refusal } = visit;
  const exchange = new Exchange(ports, visit);
  if (refusal === null) await exchange.carry();
  else exchange.refuse(403, 'permission_error', refusal, { reason: 'blocked' });
  await exchange.closed;
  await exchange.record();
}

class Exchange {
  /** Resolves when nothing more can reach the client: all was sent, or the connection is gone. */
  readonly closed: Promise<void>;
  readonly #ports: ExchangePorts;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #invite: () => void;
  readonly #target: string;
  readonly #path: string;
  readonly #account: Account;
  #body: Buffer | null = null;
  /** Whether the request can be sent a second time: a body that streams through cannot. */
  #repeatable = true;
  #modelSpan: { readonly start: number; readonly end: number } | null = null;
  #running: RunningAttempt | null = null;
  #answer: Answer | null = null;
  #tap: Tap | null = null;
  #retained: Retained | null = null;
  #ending: Ending | null = null;

  constructor(ports: ExchangePorts, { request, response, invite }: Visit) {
    this.#ports = ports;
    this.#invite = invite;
    this.#request = request;
    this.#response = response;
    this.#target = request.url ?? '/';
    this.#path = pathOf(this.#target);
    const { clock, observers, profile } = ports;
    this.#account = openAccount({
      rid: ports.ids.rid(),
      clock,
      request,
      path: this.#path,
      profile,
      observers,
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    response.once('close', () => {
      this.#running?.abandon();
      resolve();
    });
  }

  /** Intake, decision, attempts; when it resolves, the client has its answer or is getting the rest of it. */
  async carry(): Promise<void> {
    const buffered = bufferedOp(this.#request.method, this.#path);
    if (!this.#target.startsWith('/')) {
      this.refuse(400, 'invalid_request_error', 'this is no forward proxy: send the path alone', {
        reason: 'blocked',
        errType: 'protocol',
      });
      return;
    }
    if (buffered !== null && !(await this.#takeIn(buffered))) return;
    if (buffered === null) this.#account.op = this.#path.startsWith('/v1/models') ? 'models' : 'other';
    const step = this.#decide();
    if (step !== null) await this.#attempt(step);
  }

  /** Answers ourselves; only where the client has been sent nothing. */
  refuse(status: number, type: AnthropicErrorType, message: string, ending: Omit<Ending, 'status'>): void {
    this.#ending ??= { ...ending, status };
    this.#account.ownBytes = sendError(this.#response, status, type, `ccp: ${message}`);
  }

  async #takeIn(op: 'messages' | 'count_tokens'): Promise<boolean> {
    const { maxBody } = this.#ports.limits;
    const intake = await takeIn(this.#request, {
      announced: announcedLength(this.#request),
      cap: maxBody,
      invite: this.#invite,
    });
    if (intake.kind !== 'whole') {
      this.#account.op = op === 'messages' ? 'nonstream' : op;
      this.#account.bytesIn = intake.bytes;
      if (intake.kind === 'too_large') {
        this.refuse(413, 'request_too_large', `the body is larger than ${maxBody} bytes (CCP_MAX_BODY)`, {
          reason: 'too_large',
        });
      }
      return false;
    }
    const facts = scanBody(intake.body);
    this.#body = intake.body;
    this.#modelSpan = facts.modelSpan;
    this.#account.bytesIn = intake.body.length;
    this.#account.model = facts.model;
    this.#account.op = op === 'count_tokens' ? op : facts.stream ? 'stream' : 'nonstream';
    return true;
  }

  #decide(): Step | null {
    const { op, model } = this.#account;
    const route = this.#ports.router({ method: this.#request.method ?? '', path: this.#path, op, model });
    const step = firstStep(route);
    this.#account.decide(step, route.alternatives);
    const { auth, id } = route.provider;
    if (auth.kind === 'key' && auth.key === null) {
      this.refuse(403, 'permission_error', `the key of provider ${id} is not set (${auth.env})`, {
        reason: 'blocked',
        errType: 'auth',
      });
      return null;
    }
    return step;
  }

  async #attempt(first: Step): Promise<void> {
    const { deadlines } = this.#ports;
    const deadline = deadlines.watch();
    let step: Step | null = first;
    while (step !== null) {
      if (step.delayMs > 0) await Promise.race([this.#pause(step.delayMs), this.closed]);
      if (this.#response.closed) break;
      this.#running = this.#start(step, deadline);
      const end = await this.#running.ended;
      this.#running = null;
      const next: Step | null = end.kind === 'failed' ? this.#next(step, end.failure) : null;
      if (next === null) await this.#conclude(step, end);
      step = next;
    }
    deadlines.drop(deadline);
  }

  #next(step: Step, failure: Failure): Step | null {
    return this.#repeatable ? nextStep(step, failure, this.#ports.policy) : null;
  }

  #start(step: Step, deadline: Deadline): RunningAttempt {
    const { clock, upstreams, policy, limits } = this.#ports;
    const account = this.#account;
    const request = {
      method: this.#request.method ?? 'GET',
      target: this.#target,
      headers: this.#request.rawHeaders,
      body: this.#bodyFor(step.provider),
    };
    this.#repeatable = request.body.kind !== 'stream';
    return startAttempt(step, request, {
      record: account.openAttempt(step),
      clock,
      upstreams,
      response: this.#response,
      deadline,
      limits: {
        headMs: isWholeAnswer(account.op) ? shortest(limits.headMs, limits.jsonMs) : limits.headMs,
        // What is neither a message nor a list may take its time: a download, say.
        jsonMs: account.op === 'other' ? 0 : limits.jsonMs,
        streamIdleMs: limits.streamIdleMs,
      },
      mayGoOn: this.#repeatable && mayGoOn(step, policy),
      goesOn: (failure) => this.#next(step, failure) !== null,
      onCommit: (head, headAt) => this.#commit(head, headAt),
    });
  }

  #bodyFor(provider: Provider): RequestBody {
    if (this.#body !== null) {
      if (this.#body.length === 0) return { kind: 'none' };
      const renamed =
        this.#account.model === null ? undefined : provider.rewriteModel.get(this.#account.model);
      if (renamed === undefined || this.#modelSpan === null) return { kind: 'held', bytes: this.#body };
      return { kind: 'held', bytes: spliceModel(this.#body, this.#modelSpan, renamed) };
    }
    const length = announcedLength(this.#request);
    if (length === 0 || (length === undefined && this.#request.headers['transfer-encoding'] === undefined)) {
      return { kind: 'none' };
    }
    return { kind: 'stream', pieces: this.#uploaded(), length };
  }

  async *#uploaded(): AsyncGenerator<Buffer> {
    this.#invite();
    const pieces: AsyncIterable<Buffer> = this.#request.iterator({ destroyOnReturn: false });
    for await (const piece of pieces) {
      this.#account.bytesIn += piece.length;
      yield piece;
    }
  }

  #commit(head: AnswerHead, headAt: number): { tap: Tap | null; retained: Retained | null } {
    const { op } = this.#account;
    // From here no other attempt can follow.
    this.#body = null;
    if (isEventStream(head)) {
      this.#account.streamStarts(headAt);
      this.#retained = this.#ports.retention.open();
    }
    if (op === 'stream' || op === 'nonstream') {
      this.#tap = createTap({
        contentType: headerValue(head.headers, 'content-type'),
        contentEncoding: headerValue(head.headers, 'content-encoding'),
        op,
      });
    }
    return { tap: this.#tap, retained: this.#retained };
  }

  async #conclude(step: Step, end: AttemptEnd): Promise<void> {
    switch (end.kind) {
      case 'failed':
        this.#answerFailure(step.provider, end.failure);
        return;
      case 'abandoned':
        this.#answer = end.answer;
        return;
      case 'broken':
        this.#answer = end.answer;
        this.#ending = { ...BROKEN[end.cause], status: end.answer.head.status };
        end.answer.relay.break();
        return;
      case 'relayed':
        this.#answer = end.answer;
        await this.#concludeRelayed(end.answer, end.certain);
    }
  }

  async #concludeRelayed(answer: Answer, certain: boolean): Promise<void> {
    const { head, relay } = answer;
    const read = await this.#tap?.end();
    const torn = !certain && isTorn(read);
    if (torn) relay.break();
    else if (!certain) relay.end();
    const ending = torn ? BROKEN.truncated : endingOf(head, read, this.#ports.clock.now());
    this.#ending = { ...ending, status: head.status };
  }

  #answerFailure({ id }: Provider, failure: Failure): void {
    const { errType, message } = failure;
    if (failure.clientFault === true) {
      this.refuse(400, 'invalid_request_error', message, { reason: 'blocked', errType });
    } else if (errType === 'timeout') {
      this.refuse(504, 'timeout_error', `${id} gave no answer in time`, { reason: 'timeout', errType });
    } else {
      this.refuse(502, 'api_error', `${id} failed (${errType}): ${message}`, {
        reason: 'upstream_error',
        errType,
      });
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#ports.clock.after(ms, resolve));
  }

  /** Makes the completion, and what goes with an abnormal end. */
  async record(): Promise<void> {
    const read = (await this.#tap?.end()) ?? null;
    const ending = this.#finalEnding();
    const answer = this.#answer;
    const facts: AnsweredFacts | null =
      answer === null
        ? null
        : { head: answer.head, headAt: answer.headAt, counts: answer.relay.counts, tap: read };
    this.#leavePartial(ending, read);
    if (read !== null) this.#reportAnomalies(ending, read);
    this.#account.complete(ending, facts);
    this.#retained?.release();
  }

  #finalEnding(): Ending {
    const status = this.#response.headersSent ? this.#response.statusCode : CLIENT_LEFT;
    if (this.#ending === null) {
      // The door itself answered, in the middle of a malformed body.
      if (this.#response.writableFinished) return { reason: 'blocked', errType: 'protocol', status };
      return { reason: 'client_abort', status };
    }
    // What we thought delivered did not reach the client.
    if (!this.#response.writableFinished && WHOLE.has(this.#ending.reason))
      return { reason: 'client_abort', status };
    return this.#ending;
  }

  #leavePartial(ending: Ending, read: TapResult | null): void {
    if (this.#retained === null || !LEAVES_PARTIAL.has(ending.reason) || read?.sse?.finished === true) return;
    const pieces = this.#retained.pieces();
    if (pieces.length === 0 || this.#ports.partials.write(this.#account.rid, pieces)) return;
    this.#account.anomaly('partial_not_written', 'the start of a broken stream could not be kept');
  }

  #reportAnomalies(ending: Ending, read: TapResult): void {
    if (ending.reason === 'truncated')
      this.#account.anomaly('truncated', 'the answer ended before its last event or byte');
    if (read.gaveUp !== undefined && WHOLE.has(ending.reason))
      this.#account.anomaly('tap_gave_up', read.gaveUp);
    // An answer that was cut short is no JSON: that is told already.
    if (read.torn === true && WHOLE.has(ending.reason))
      this.#account.anomaly('tap_gave_up', 'the body is not JSON');
    if (read.violation !== undefined) this.#account.anomaly('protocol_violation', read.violation);
    if (read.unknownEvents.length > 0) {
      this.#account.anomaly('unknown_event', `unknown event types: ${read.unknownEvents.join(', ')}`);
    }
  }
}

/** The shorter of two limits of which 0 is none. */
function shortest(one: number, other: number): number {
  return one === 0 || other === 0 ? one + other : Math.min(one, other);
}
