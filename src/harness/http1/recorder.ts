/**
 * Writes down the exchanges of one HTTP/1.x connection as seen from its client's end: fed with copies of
 * the bytes of both directions, it yields a transcript per exchange. It never touches the bytes.
 */
import { createHash } from 'node:crypto';
import { type Clock, systemClock } from '../../platform/clock.ts';
import type { Ending, HeaderPairs, Payload, Transcript } from '../../protocol/transcript.ts';
import { createRequestParser, createResponseParser, headerValue } from './parser.ts';

export interface ConnectionRecorder {
  /** Bytes from the client. */
  sent(bytes: Buffer): void;
  /** Bytes to the client. */
  received(bytes: Buffer): void;
  /** The server's FIN, which ends a body that has no other end. */
  receivedEnd(): void;
  /** The connection is over; what is still open ends like this. */
  over(ending: Exclude<Ending, 'complete'>): void;
}

export interface RecorderOptions {
  readonly observer: string;
  readonly connection: string;
  readonly clock?: Clock;
  onTranscript(transcript: Transcript): void;
  /** A 1xx answer. */
  onInformational?(status: number): void;
  /** The answer is whole; its request may still be on its way. */
  onAnswered?(): void;
  /** A piece of response body, as it came. */
  onBody?(bytes: Buffer): void;
  /** Something on the wire is not HTTP. */
  onProblem?(what: string): void;
}

export function createConnectionRecorder(options: RecorderOptions): ConnectionRecorder {
  const clock = options.clock ?? systemClock;
  /** Exchanges that have not ended, oldest first: answers come in the order of the requests. */
  const open: Exchange[] = [];
  const requests = createRequestParser();
  const responses = createResponseParser(() => open[0]?.request.method);
  let count = 0;
  /** The request that is being received. */
  let incoming: Exchange | undefined;

  function begin(): Exchange {
    count += 1;
    const exchange = createExchange(`${options.connection}-${count}`, clock);
    open.push(exchange);
    return exchange;
  }

  function settle(): void {
    for (let oldest = open[0]; oldest?.requestDone && oldest.responseDone; oldest = open[0])
      finish('complete');
  }

  function finish(ending: Ending): void {
    const exchange = open.shift();
    if (exchange !== undefined) options.onTranscript(transcribe(exchange, ending, options));
  }

  return {
    sent(bytes) {
      incoming ??= begin();
      for (const event of requests.push(bytes)) {
        incoming ??= begin();
        switch (event.kind) {
          case 'head':
            incoming.request = { ...event.head, body: incoming.request.body };
            break;
          case 'body':
            incoming.request.body.add(event.bytes);
            break;
          case 'end':
            incoming.requestDone = true;
            incoming = undefined;
            break;
          case 'problem':
            options.onProblem?.(`request: ${event.what}`);
            break;
          case 'informational':
            break;
        }
      }
      settle();
    },
    received(bytes) {
      for (const event of responses.push(bytes)) {
        const exchange = open[0];
        if (event.kind === 'problem') options.onProblem?.(`response: ${event.what}`);
        if (event.kind === 'informational') options.onInformational?.(event.head.status);
        if (exchange === undefined) continue;
        if (event.kind === 'head') {
          exchange.response = {
            ...event.head,
            body: createPayload(exchange.elapsed),
            headMs: exchange.elapsed(),
          };
        } else if (event.kind === 'body') {
          exchange.response?.body.add(event.bytes);
          options.onBody?.(event.bytes);
        } else if (event.kind === 'end') {
          exchange.responseDone = true;
          settle();
          options.onAnswered?.();
        }
      }
    },
    receivedEnd() {
      const [exchange] = open;
      if (responses.finish().length === 0 || exchange === undefined) return;
      exchange.responseDone = true;
      settle();
      options.onAnswered?.();
    },
    over(ending) {
      // An answer that came whole before the request did is an answer all the same.
      while (open.length > 0) finish(open[0]?.responseDone ? 'complete' : ending);
    },
  };
}

interface Exchange {
  readonly id: string;
  readonly startedAt: number;
  /** Milliseconds since the first byte of the request. */
  readonly elapsed: () => number;
  request: {
    readonly method: string;
    readonly target: string;
    readonly headers: HeaderPairs;
    readonly http: '1.0' | '1.1';
    readonly body: PayloadRecorder;
  };
  response?: {
    readonly status: number;
    readonly headers: HeaderPairs;
    readonly body: PayloadRecorder;
    readonly headMs: number;
  };
  requestDone: boolean;
  responseDone: boolean;
}

function createExchange(id: string, clock: Clock): Exchange {
  const start = clock.monotonic();
  const elapsed = () => Math.round((clock.monotonic() - start) * 1000) / 1000;
  return {
    id,
    startedAt: clock.now(),
    elapsed,
    // Stays empty where the bytes are no HTTP request.
    request: { method: '', target: '', headers: [], http: '1.1', body: createPayload(elapsed) },
    requestDone: false,
    responseDone: false,
  };
}

function transcribe(
  exchange: Exchange,
  ending: Ending,
  { observer, connection }: RecorderOptions,
): Transcript {
  const { request, response } = exchange;
  const requestId = response && headerValue(response.headers, 'request-id');
  return {
    id: exchange.id,
    side: 'client',
    observer,
    connection,
    http: request.http,
    startedAt: exchange.startedAt,
    request: {
      method: request.method,
      target: request.target,
      headers: request.headers,
      body: request.body.payload(),
    },
    ...(response && {
      response: {
        status: response.status,
        headers: response.headers,
        body: response.body.payload(),
        headMs: response.headMs,
      },
    }),
    ending,
    endedMs: exchange.elapsed(),
    ...(requestId !== undefined && { requestId }),
  };
}

interface PayloadRecorder {
  add(bytes: Buffer): void;
  payload(): Payload;
}

function createPayload(elapsed: () => number): PayloadRecorder {
  const kept: Buffer[] = [];
  const pieces: [number, number][] = [];
  return {
    add(bytes) {
      kept.push(bytes);
      pieces.push([elapsed(), bytes.length]);
    },
    payload() {
      // Hashed at the end: the bytes on their way do not wait for it.
      const whole = Buffer.concat(kept);
      return {
        bytes: whole.length,
        sha256: createHash('sha256').update(whole).digest('hex'),
        base64: whole.toString('base64'),
        pieces,
      };
    },
  };
}
