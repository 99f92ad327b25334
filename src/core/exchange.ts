/**
 * The life of one exchange, in order: take the request in, decide, attempt, relay, record. Whatever happens
 * on the way, it ends where the client's response closes, and there the one completion is made.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { scanBody } from '../protocol/body-scan.ts';
import { GAVE_UP } from '../protocol/charged.ts';
import type { AnthropicErrorType } from '../protocol/error-body.ts';
import { isPassable, OPEN } from '../protocol/standing.ts';
import { type Account, type AnsweredFacts, openAccount } from './account.ts';
import { isEventStream } from './answer.ts';
import { type Answer, type AttemptEnd, type RunningAttempt, startAttempt } from './attempt.ts';
import type { Deadline } from './deadlines.ts';
import {
  anomaliesOf,
  BROKEN,
  type Ending,
  endingOf,
  errorOf,
  finalEnding,
  isTorn,
  leavesPartial,
} from './ending.ts';
import type { ExchangePorts, Visit } from './exchange-ports.ts';
import { headerValue } from './header-policy.ts';
import { createInboundBody, type InboundBody } from './inbound-body.ts';
import { announcedLength, bufferedOp, pathOf } from './inbound-request.ts';
import { takeIn } from './intake.ts';
import { limitsFor } from './limits.ts';
import { OWN_FAULT, sendError } from './own-answer.ts';
import type { AnswerHead } from './relay.ts';
import type { Retained } from './retention.ts';
import { type Failure, firstStep, mayGoOn, nextStep, type Step } from './steps.ts';
import { createTap } from './tap/tap.ts';
import type { Provider, RequestFacts, Tap } from './types.ts';

/**
 * How long a client may take nothing of an answer that has ended. The system tells in steps of megabytes what was
 * taken, so this is more patience than it seems.
 */
const PARTING_MS = 300_000;

/** Carries one request through; settles when its record is made, and rejects with a fault of our own. */
export async function runExchange(ports: ExchangePorts, visit: Visit): Promise<void> {
  const { refusal } = visit;
  const exchange = new Exchange(ports, visit);
  try {
    if (refusal === null) await exchange.carry();
    else exchange.refuse(403, 'permission_error', refusal, { reason: 'blocked' });
  } catch (fault) {
    exchange.fail();
    throw fault;
  } finally {
    exchange.seeOff();
    await exchange.closed;
    await exchange.record();
  }
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
  readonly #deadline: Deadline;
  readonly #body: InboundBody;
  #running: RunningAttempt | null = null;
  #answer: Answer | null = null;
  #tap: Tap | null = null;
  #retained: Retained | null = null;
  #ending: Ending | null = null;
  /** What follows the last failure. */
  #planned: { readonly failure: Failure; readonly next: Step | null } | null = null;

  constructor(ports: ExchangePorts, { request, response, invite }: Visit) {
    this.#ports = ports;
    this.#invite = invite;
    this.#request = request;
    this.#response = response;
    this.#target = request.url ?? '/';
    this.#path = pathOf(this.#target);
    this.#deadline = ports.deadlines.watch();
    const { clock, observers, profile } = ports;
    this.#account = openAccount({
      rid: ports.ids.rid(),
      clock,
      request,
      path: this.#path,
      profile,
      observers,
    });
    this.#body = createInboundBody(request, invite, (bytes) => {
      this.#account.bytesIn += bytes;
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

  /** Ends after a fault of our own. */
  fail(): void {
    this.#running?.abandon();
    if (this.#response.headersSent) {
      this.#ending ??= { ...BROKEN.truncated, status: this.#response.statusCode };
      this.#response.destroy();
    } else {
      this.refuse(500, 'api_error', OWN_FAULT, {
        reason: 'blocked',
        errType: 'protocol',
      });
    }
  }

  /** What is left to send goes at the client's pace, but not to one that takes nothing. */
  seeOff(): void {
    const { clock } = this.#ports;
    const { socket } = this.#response;
    // What waits in our memory counts as written, but is not taken.
    const handedOn = (): number => (socket === null ? 0 : socket.bytesWritten - socket.writableLength);
    let taken = handedOn();
    const wait = (): void => {
      this.#deadline.at = clock.monotonic() + PARTING_MS;
    };
    this.#deadline.owner = {
      overdue: () => {
        if (handedOn() === taken) this.#response.destroy();
        taken = handedOn();
        wait();
      },
    };
    wait();
  }

  /** Answers ourselves; only where the client has been sent nothing. */
  refuse(
    status: number,
    type: AnthropicErrorType,
    message: string,
    ending: Omit<Ending, 'status'>,
    headers: readonly string[] = [],
  ): void {
    this.#ending ??= { ...ending, status };
    this.#account.ownBytes = sendError(this.#response, status, type, `ccp: ${message}`, headers);
  }

  async #takeIn(op: 'messages' | 'count_tokens'): Promise<boolean> {
    const { maxBody } = this.#ports.limits;
    const intake = await takeIn(this.#request, {
      announced: announcedLength(this.#request),
      cap: maxBody,
      invite: this.#invite,
      clock: this.#ports.clock,
      deadline: this.#deadline,
    });
    if (intake.kind !== 'whole') {
      this.#account.op = op === 'messages' ? 'nonstream' : op;
      this.#account.bytesIn = intake.bytes;
      if (intake.kind === 'too_large') {
        this.refuse(413, 'request_too_large', `the body is larger than ${maxBody} bytes (CCP_MAX_BODY)`, {
          reason: 'too_large',
        });
      } else if (intake.kind === 'stalled') {
        this.refuse(408, 'timeout_error', 'the rest of the body did not come', {
          reason: 'timeout',
          errType: 'timeout',
        });
      }
      return false;
    }
    const facts = scanBody(intake.pieces);
    this.#body.hold(intake.pieces, facts);
    this.#account.bytesIn = intake.bytes;
    this.#account.model = facts.model;
    this.#account.op = op === 'count_tokens' ? op : facts.stream ? 'stream' : 'nonstream';
    return true;
  }

  #decide(): Step | null {
    const route = this.#ports.router(this.#facts());
    const step = firstStep(route);
    this.#account.decide(step, route.alternatives);
    if (route.refusal === undefined) return step;
    const { status, type, message, errType, headers } = route.refusal;
    this.refuse(status, type, message, { reason: 'blocked', errType }, headers);
    return null;
  }

  #facts(): RequestFacts {
    const { op, model } = this.#account;
    return { method: this.#request.method ?? '', path: this.#path, op, model };
  }

  async #attempt(first: Step): Promise<void> {
    let step: Step | null = first;
    while (step !== null) {
      if (step.delayMs > 0) await Promise.race([this.#pause(step.delayMs), this.closed]);
      if (this.#response.closed) break;
      this.#running = this.#start(step);
      const end = await this.#running.ended;
      this.#running = null;
      const next: Step | null = end.kind === 'failed' ? this.#next(step, end.failure) : null;
      if (end.kind === 'failed' && end.failure.upstream !== undefined) {
        this.#account.refused(end.failure.upstream, next !== null && next.provider.id !== step.provider.id);
      }
      if (next === null) await this.#conclude(step, end);
      step = next;
    }
  }

  /** Asked by the attempt, and again once it has ended: in between a gate may change its mind, and we must not. */
  #next(step: Step, failure: Failure): Step | null {
    if (this.#planned?.failure !== failure) this.#planned = { failure, next: this.#plan(step, failure) };
    return this.#planned.next;
  }

  #plan(step: Step, failure: Failure): Step | null {
    if (!this.#body.repeatable()) return null;
    const alternatives = step.alternatives.filter(({ lane }) => this.#mayTakeOver(lane, step.provider.lane));
    const next = nextStep({ ...step, alternatives }, failure, this.#ports.policy);
    if (next !== null) this.#account.plan(next);
    return next;
  }

  #mayTakeOver(lane: string, from: string): boolean {
    const standing = this.#ports.gate?.(lane, this.#facts()) ?? OPEN;
    // On the lane that it is on, this very exchange has taken the room that is missing.
    return isPassable(standing) || (standing.kind === 'block' && lane === from);
  }

  #start(step: Step): RunningAttempt {
    const { clock, upstreams, policy, limits } = this.#ports;
    const account = this.#account;
    const request = {
      method: this.#request.method ?? 'GET',
      target: this.#target,
      headers: this.#request.rawHeaders,
      body: this.#body.forProvider(step.provider),
    };
    return startAttempt(step, request, {
      record: account.openAttempt(step),
      clock,
      upstreams,
      response: this.#response,
      deadline: this.#deadline,
      limits: limitsFor(account.op, limits),
      mayGoOn: this.#body.repeatable() && mayGoOn(step, policy),
      goesOn: (failure) => this.#next(step, failure) !== null,
      onHead: (head) => account.answered(head),
      onCommit: (head, headAt) => this.#commit(head, headAt),
    });
  }

  #commit(head: AnswerHead, headAt: number): { tap: Tap | null; retained: Retained | null } {
    const { op } = this.#account;
    // From here no other attempt can follow.
    this.#body.release();
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
    const error = errorOf(head, read, this.#ports.clock.now());
    if (error !== null) this.#account.refused(error, false);
    const ending = torn ? BROKEN.truncated : endingOf(read, error);
    this.#ending = { ...ending, status: head.status };
  }

  #answerFailure({ id }: Provider, failure: Failure): void {
    const { errType, message } = failure;
    if (failure.clientFault === true) {
      this.refuse(400, 'invalid_request_error', message, { reason: 'blocked', errType });
    } else if (errType === 'timeout') {
      this.refuse(GAVE_UP, 'timeout_error', `${id} gave no answer in time`, { reason: 'timeout', errType });
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
    this.#ports.deadlines.drop(this.#deadline);
    const read = (await this.#tap?.end()) ?? null;
    const ending = finalEnding(this.#ending, this.#response);
    const answer = this.#answer;
    const facts: AnsweredFacts | null =
      answer === null
        ? null
        : { head: answer.head, headAt: answer.headAt, counts: answer.relay.counts, tap: read };
    if (leavesPartial(ending, read)) this.#leavePartial();
    for (const [kind, detail] of read === null ? [] : anomaliesOf(ending, read)) {
      this.#account.anomaly(kind, detail);
    }
    this.#account.complete(ending, facts);
    this.#retained?.release();
  }

  #leavePartial(): void {
    const pieces = this.#retained?.pieces() ?? [];
    if (pieces.length === 0 || this.#ports.partials.write(this.#account.rid, pieces)) return;
    this.#account.anomaly('partial_not_written', 'the start of a broken stream could not be kept');
  }
}
