/**
 * One try of an exchange on one provider: dispatches the request, judges the start of the answer where a
 * failure may still go elsewhere, and relays the rest. Nothing reaches the client before `commit`.
 */
import type { ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import { type Clock, roundMs } from '../platform/clock.ts';
import { readUpstreamError } from '../protocol/upstream-error.ts';
import type { AttemptRecord } from '../protocol/usage-event.ts';
import { isEventStream, promisedLength, readHead } from './answer.ts';
import type { Deadline, Overdue } from './deadlines.ts';
import { BROKEN } from './ending.ts';
import { headerValue, responseHeaders } from './header-policy.ts';
import { evidenceOf, type Hold, heldEnough, holdFor } from './holdback.ts';
import { dispatchOptions, type OutboundRequest, type RequestBody } from './outbound-request.ts';
import { type AnswerHead, type Relay, startRelay, type Valve } from './relay.ts';
import type { Retained } from './retention.ts';
import type { Failure, Step } from './steps.ts';
import type { Tap } from './types.ts';
import { failureType, isClientFault, provablyUnprocessed } from './upstream/failure.ts';
import type { Upstreams } from './upstream/upstreams.ts';

export interface AttemptPorts {
  /** Filled in as facts become known. */
  readonly record: AttemptRecord;
  readonly clock: Clock;
  readonly upstreams: Upstreams;
  readonly response: ServerResponse;
  readonly deadline: Deadline;
  /**
   * Milliseconds from the start, 0 is none: until the head, and for the whole of an answer that is no stream.
   * `streamIdleMs` bounds the silence of one that is.
   */
  readonly limits: { readonly headMs: number; readonly jsonMs: number; readonly streamIdleMs: number };
  /** Whether an answer that fails is worth holding back. */
  readonly mayGoOn: boolean;
  /** Asked once per failure that the client has not seen: true when another attempt follows. */
  readonly goesOn: (failure: Failure) => boolean;
  /** Called with the head of the answer, whatever becomes of it. */
  readonly onHead: (head: AnswerHead) => void;
  /** Called when the answer starts towards the client; from here there is no other attempt. */
  readonly onCommit: (head: AnswerHead, headAt: number) => { tap: Tap | null; retained: Retained | null };
}

export type AttemptEnd =
  /** Relayed to its end, as the upstream's framing promised; not `certain`: the relay is still to be ended. */
  | { readonly kind: 'relayed'; readonly answer: Answer; readonly certain: boolean }
  /** The client got the start, and then the break. */
  | {
      readonly kind: 'broken';
      readonly answer: Answer;
      readonly cause: 'reset' | 'truncated' | 'idle' | 'timeout';
    }
  /** The client got nothing. */
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** The client left, or we are asked to end. */
  | { readonly kind: 'abandoned'; readonly answer: Answer | null };

export interface Answer {
  readonly head: AnswerHead;
  readonly relay: Relay;
  /** Monotonic time of the head. */
  readonly headAt: number;
}

/** An attempt under way. */
export interface RunningAttempt {
  /** Rejects with a fault of our own. */
  readonly ended: Promise<AttemptEnd>;
  /** Ends it at once, towards the upstream too. */
  abandon(): void;
}

/** Starts one attempt. */
export function startAttempt(step: Step, request: OutboundRequest, ports: AttemptPorts): RunningAttempt {
  const { promise: ended, resolve } = Promise.withResolvers<AttemptEnd>();
  const attempt = new Attempt(step, ports, request.body.kind, resolve);
  ports.upstreams.dispatch(step.provider, dispatchOptions(step.provider, request), attempt);
  return { ended, abandon: () => attempt.abandon() };
}

class Attempt implements Dispatcher.DispatchHandler, Overdue, Valve {
  readonly #step: Step;
  readonly #ports: AttemptPorts;
  readonly #body: RequestBody['kind'];
  readonly #resolve: (end: AttemptEnd | Promise<never>) => void;
  readonly #startedAt: number;
  #controller: Dispatcher.DispatchController | null = null;
  #head: AnswerHead | null = null;
  #headAt = 0;
  #hold: Hold | null = null;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #answer: Answer | null = null;
  #streaming = false;
  /** Milliseconds that were left of the limit when the client began to hold the answer up. */
  #left: number | null = null;
  #over = false;

  constructor(
    step: Step,
    ports: AttemptPorts,
    body: RequestBody['kind'],
    resolve: (end: AttemptEnd | Promise<never>) => void,
  ) {
    this.#step = step;
    this.#ports = ports;
    this.#body = body;
    this.#resolve = resolve;
    this.#startedAt = ports.clock.monotonic();
    const limit = body === 'stream' ? Number.POSITIVE_INFINITY : orNever(ports.limits.headMs);
    ports.deadline.at = this.#startedAt + limit;
    ports.deadline.owner = this;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    const h2 = this.#ports.upstreams.speaksH2(this.#step.provider);
    if (h2 !== undefined) this.#ports.record.h2 = h2;
    if (this.#over) controller.abort(new Error('the exchange is over'));
  }

  /** What the upstream takes to answer counts from here: an upload may take its time. */
  onRequestSent(): void {
    if (this.#over || this.#head !== null) return;
    this.#ports.deadline.at = this.#ports.clock.monotonic() + orNever(this.#ports.limits.headMs);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    message?: string,
  ): void {
    // Informational answers are between us and the upstream.
    if (status < 200 || this.#over) return;
    const head = readHead(status, message, controller.rawHeaders);
    this.#head = head;
    this.#headAt = this.#ports.clock.monotonic();
    this.#ports.record.status = status;
    this.#ports.record.h2 = head.h2;
    this.#ports.onHead(head);
    this.#streaming = isEventStream(head);
    if (this.#streaming) this.#pulse(this.#headAt);
    else this.#ports.deadline.at = this.#startedAt + orNever(this.#ports.limits.jsonMs);
    if (status >= 300 && status < 400 && status !== 304 && this.#step.provider.auth.kind === 'key') {
      // The client would follow it with its own Anthropic key.
      this.#fail({
        errType: 'protocol',
        cause: null,
        unprocessed: false,
        message: `${this.#step.provider.id} answered with a redirect`,
      });
      return;
    }
    this.#hold =
      this.#ports.mayGoOn && (this.#step.provider.auth.kind === 'key' || status >= 400)
        ? holdFor(head)
        : null;
    if (this.#hold === null) this.#commit(head);
  }

  onResponseData(_controller: Dispatcher.DispatchController, piece: Buffer): void {
    if (this.#over) return;
    if (this.#answer !== null) {
      this.#answer.relay.write(piece);
      return;
    }
    const now = this.#ports.clock.monotonic();
    if (this.#streaming) this.#pulse(now);
    this.#held.push(piece);
    this.#heldBytes += piece.length;
    if (this.#hold === null || this.#head === null) return;
    const held = { head: this.#head, pieces: this.#held, bytes: this.#heldBytes, ms: now - this.#headAt };
    if (heldEnough(this.#hold, held)) this.#judge();
  }

  onResponseEnd(): void {
    if (this.#over) return;
    if (this.#answer === null) this.#judge();
    if (this.#over || this.#answer === null) return;
    const { head, relay } = this.#answer;
    const promised = promisedLength(head);
    if (
      promised !== undefined &&
      relay.counts.bytes < promised &&
      this.#ports.response.req.method !== 'HEAD'
    ) {
      this.#break('truncated');
      return;
    }
    // Over HTTP/2 a reset can look like an end (undici reports both alike): whoever has read the answer decides.
    const certain = !head.h2 || promised !== undefined;
    if (certain) relay.end();
    this.#finish({ kind: 'relayed', answer: this.#answer, certain });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#over) return;
    if (this.#answer !== null) {
      this.#break('reset');
      return;
    }
    const clientFault = isClientFault(error);
    this.#fail({
      errType: failureType(error),
      cause: clientFault ? null : 'net',
      clientFault,
      // What has no body undici has repeated by itself where that was safe: once is enough.
      unprocessed: this.#head === null && this.#body !== 'none' && provablyUnprocessed(error),
      message: error.message,
    });
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  abandon(): void {
    if (this.#over) return;
    this.#finish({ kind: 'abandoned', answer: this.#answer });
    this.#cancelUpstream();
  }

  /** A held answer is whole, or held long enough: it goes to the client unless another attempt follows. */
  #judge(): void {
    const head = this.#head;
    if (head === null) return;
    if (this.#hold !== null) {
      const failure = failureOf(head, evidenceOf(this.#hold, head, this.#held), this.#ports.clock.now());
      if (failure !== null && this.#ports.goesOn(failure)) {
        this.#ports.record.err_type = failure.errType;
        this.#finish({ kind: 'failed', failure });
        this.#cancelUpstream();
        return;
      }
    }
    this.#commit(head);
    for (const piece of this.#held) this.#answer?.relay.write(piece);
    this.#held = [];
  }

  #commit(head: AnswerHead): void {
    const { response, clock } = this.#ports;
    this.#hold = null;
    let watchers: ReturnType<AttemptPorts['onCommit']>;
    try {
      watchers = this.#ports.onCommit(head, this.#headAt);
    } catch (fault) {
      // Thrown on, it would pass for a failure of the upstream.
      this.#finish(Promise.reject(fault));
      this.#cancelUpstream();
      return;
    }
    try {
      const relay = startRelay({
        response,
        clock,
        head,
        headers: responseHeaders(head.headers),
        valve: this,
        ...watchers,
        onPulse: (at) => (this.#streaming ? this.#pulse(at) : this.#rest(at)),
      });
      this.#answer = { head, relay, headAt: this.#headAt };
    } catch (error) {
      // A head that Node refuses to write: nothing of it went out.
      this.#fail({ errType: 'protocol', cause: null, unprocessed: false, message: messageOf(error) });
    }
  }

  /** A stream has no total limit, only one on its silence; `at` is Infinity while the client holds it up. */
  #pulse(at: number): void {
    this.#ports.deadline.at = at + orNever(this.#ports.limits.streamIdleMs);
  }

  /** The limit of a whole answer does not run while the client holds it up. */
  #rest(at: number): void {
    const { deadline } = this.#ports;
    if (at === Number.POSITIVE_INFINITY) {
      this.#left = deadline.at - this.#ports.clock.monotonic();
      deadline.at = at;
    } else if (this.#left !== null) {
      deadline.at = at + this.#left;
      this.#left = null;
    }
  }

  overdue(): void {
    if (this.#over) return;
    if (this.#answer !== null) {
      this.#break(this.#streaming ? 'idle' : 'timeout');
      return;
    }
    this.#fail({ errType: 'timeout', cause: 'net', unprocessed: false, message: 'no answer in time' });
  }

  #break(cause: 'reset' | 'truncated' | 'idle' | 'timeout'): void {
    const answer = this.#answer;
    if (answer === null) return;
    this.#ports.record.err_type = BROKEN[cause].errType;
    this.#finish({ kind: 'broken', answer, cause });
    this.#cancelUpstream();
  }

  #fail(failure: Failure): void {
    this.#ports.record.err_type = failure.errType;
    this.#finish({ kind: 'failed', failure });
    this.#cancelUpstream();
  }

  /** A rejection is a fault of our own. */
  #finish(end: AttemptEnd | Promise<never>): void {
    this.#over = true;
    this.#held = [];
    this.#ports.deadline.at = Number.POSITIVE_INFINITY;
    this.#ports.record.ms = roundMs(this.#ports.clock.monotonic() - this.#startedAt);
    this.#resolve(end);
  }

  #cancelUpstream(): void {
    this.#controller?.abort(new Error('the exchange is over'));
  }
}

function failureOf(head: AnswerHead, body: Buffer | null, now: number): Failure | null {
  const error = readUpstreamError({
    status: head.status,
    headers: (name) => headerValue(head.headers, name),
    body,
    now,
  });
  if (error === null) return null;
  return {
    errType: error.errType,
    cause: error.cause,
    status: head.status,
    upstream: error,
    unprocessed: false,
    message: `the upstream answered ${head.status}`,
  };
}

function orNever(limitMs: number): number {
  return limitMs === 0 ? Number.POSITIVE_INFINITY : limitMs;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
