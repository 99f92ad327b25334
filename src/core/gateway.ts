/**
 * The gateway door: clients point their base URL at it. Guards every request, answers our own endpoints and
 * gives everything else to an exchange.
 */
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Log } from '../platform/log.ts';
import { errorBody } from '../protocol/error-body.ts';
import { NOWHERE, reportAnomaly } from './account.ts';
import { runExchange } from './exchange.ts';
import type { ExchangePorts, Visit } from './exchange-ports.ts';
import { createGuard, sameSecret } from './guard.ts';
import { pathOf } from './inbound-request.ts';
import { takeIn } from './intake.ts';
import { discardUpload, OWN_FAULT, sendError, sendStream, sendText } from './own-answer.ts';
import { createOwnPaths } from './own-paths.ts';
import type { Endpoint, EndpointStream } from './types.ts';

export interface GatewayOptions extends ExchangePorts {
  readonly endpoints: readonly Endpoint[];
  /** Where set, every request must carry it in `x-ccp-token`. */
  readonly clientToken: string | null;
  /** The bearer that every POST of our own needs. */
  readonly controlToken: string;
  readonly log: Log;
}

export interface Gateway {
  /** Starts to listen; rejects with the system's error (`EADDRINUSE`, …). Gives the port, also for port 0. */
  readonly listen: (port: number, host: string) => Promise<number>;
  /** Exchanges under way. */
  readonly inflight: () => number;
  /** Takes no more requests and waits until those under way are recorded; cuts them after `graceMs`. */
  readonly drain: (graceMs: number) => Promise<void>;
  /** Cuts what is under way; its records are still made. */
  readonly cut: () => void;
}

/** More than any client sends; a flood gets 431. */
const MAX_HEADER_BYTES = 64 * 1024;
/** Node's own default, which it gives up together with the limit on whole requests. */
const HEAD_MS = 60_000;
const MAX_OWN_BODY_BYTES = 1024 * 1024;
/** Longer than clients and their pools keep a connection, so that the closing side is not us. */
const CLIENT_IDLE_MS = 72_000;

export function createGateway(options: GatewayOptions): Gateway {
  const { observers, clock, deadlines } = options;
  const guard = createGuard(options);
  const ownPaths = createOwnPaths(options.endpoints);
  let inflight = 0;
  let draining = false;
  let onIdle = (): void => {};
  /** The answer that a connection is waiting for, should its request turn out to be malformed half-way. */
  const answering = new WeakMap<Duplex, ServerResponse>();
  /** Streams of our own: no exchanges, and nothing that a closing door waits for. */
  const streams = new Set<ServerResponse>();

  const server = createServer({
    noDelay: true,
    keepAlive: true,
    keepAliveTimeout: CLIENT_IDLE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    // A large upload over a slow line is no attack on a loopback door; a head that never ends is.
    requestTimeout: 0,
    headersTimeout: HEAD_MS,
    highWaterMark: 64 * 1024,
    // The guard refuses a request without one, and says so in the shape that clients know.
    requireHostHeader: false,
  });
  // By default Node drops headers past the two thousandth in silence; the size limit is enough.
  server.maxHeadersCount = 0;
  server.on('request', (request, response) => void contained(request, response, false));
  server.on('checkContinue', (request, response) => void contained(request, response, true));
  // Node's own answer has no body; an expectation that nobody knows may be ignored (RFC 9110 section 10.1.1).
  server.on('checkExpectation', (request, response) => void contained(request, response, false));
  server.on(
    'connect',
    (request, socket: Socket) => void contained(request, answerTo(request, socket), false),
  );
  server.on('clientError', refuseMalformed);

  /** A fault of ours in one request must not reach another: it ends here, with an answer where none was begun. */
  async function contained(
    request: IncomingMessage,
    response: ServerResponse,
    expectsContinue: boolean,
  ): Promise<void> {
    try {
      await serve(request, response, expectsContinue);
    } catch (error) {
      options.log.error(
        `a request failed inside the proxy: ${error instanceof Error ? error.stack : String(error)}`,
      );
      if (response.headersSent) response.destroy();
      else sendError(response, 500, 'api_error', `ccp: ${OWN_FAULT}`);
    }
  }

  async function serve(
    request: IncomingMessage,
    response: ServerResponse,
    expectsContinue: boolean,
  ): Promise<void> {
    if (draining) response.shouldKeepAlive = false;
    const refusal = guard(request.headers);
    const path = pathOf(request.url ?? '');
    const invite = (): void => {
      if (expectsContinue) response.writeContinue();
    };
    if (refusal === null && ownPaths.owns(path)) {
      try {
        await answerOwn({ request, response, refusal, invite }, path);
      } finally {
        discardUpload(request);
      }
      return;
    }
    answering.set(request.socket, response);
    count(1);
    try {
      await runExchange(options, { request, response, refusal, invite });
    } finally {
      count(-1);
      discardUpload(request);
      if (draining) closeSpare();
    }
  }

  /**
   * Ends the connections that nobody needs while the door closes: idle ones, and with the last exchange all.
   * Node does not call one idle that has never sent a whole head, as browsers open them in advance.
   */
  function closeSpare(): void {
    if (inflight === 0) server.closeAllConnections();
    else server.closeIdleConnections();
  }

  function count(change: 1 | -1): void {
    inflight += change;
    if (inflight === 0) onIdle();
    for (const observer of observers) observer.onInflight?.(inflight);
  }

  async function answerOwn({ request, response, invite }: Visit, path: string): Promise<void> {
    const { method = '' } = request;
    const endpoint = ownPaths.find(method, path);
    if (endpoint === undefined) {
      const methods = ownPaths.methodsOf(path);
      const message = `ccp: no ${method} ${path} here, but ${ownPaths.beneathRootOf(path).join(', ')}`;
      if (methods.length === 0) sendError(response, 404, 'not_found_error', message);
      else sendError(response, 405, 'invalid_request_error', message, ['allow', methods.join(', ')]);
      return;
    }
    if (method === 'POST' && !sameSecret(request.headers.authorization, `Bearer ${options.controlToken}`)) {
      sendError(
        response,
        401,
        'authentication_error',
        'ccp: the control token is missing or wrong (use the ccp command, or read control.token)',
      );
      return;
    }
    const deadline = deadlines.watch();
    const intake = await takeIn(request, {
      announced: undefined,
      cap: MAX_OWN_BODY_BYTES,
      invite,
      clock,
      deadline,
    });
    deadlines.drop(deadline);
    if (intake.kind === 'too_large')
      sendError(response, 413, 'request_too_large', `ccp: at most ${MAX_OWN_BODY_BYTES} bytes here`);
    if (intake.kind === 'stalled')
      sendError(response, 408, 'timeout_error', 'ccp: the rest of the body did not come');
    if (intake.kind !== 'whole') return;
    const query = new URL(request.url ?? '/', 'http://ccp').searchParams;
    const answer = await endpoint.handle({ query, body: Buffer.concat(intake.pieces) });
    if ('body' in answer) sendText(response, answer.status, answer.contentType, answer.body);
    else keepStream(response, answer);
  }

  function keepStream(response: ServerResponse, stream: EndpointStream): void {
    streams.add(response);
    answering.set(response.req.socket, response);
    response.once('close', () => streams.delete(response));
    sendStream(response, stream);
    if (draining) response.end();
  }

  /** Answers what is no HTTP in Anthropic's error shape, where that is still possible. */
  function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
    // The client left, or never came to the end of a head: nobody waits for an answer.
    if (!socket.writable || error.code === 'ECONNRESET' || error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
      socket.destroy();
      return;
    }
    const flood = error.code === 'HPE_HEADER_OVERFLOW';
    const message = flood
      ? `more than ${MAX_HEADER_BYTES} bytes of headers`
      : `malformed HTTP (${error.code ?? error.message})`;
    const response = answering.get(socket);
    if (response?.headersSent === true && !response.closed) {
      socket.destroy();
      return;
    }
    if (response !== undefined && !response.closed) {
      // In the middle of a body: its exchange makes the record. Nothing after it can be read.
      response.shouldKeepAlive = false;
      response.once('close', () => response.req.destroy());
      sendError(response, 400, 'invalid_request_error', `ccp: ${message}`);
      return;
    }
    const body = errorBody('invalid_request_error', `ccp: ${message}`);
    const status = flood ? '431 Request Header Fields Too Large' : '400 Bad Request';
    socket.end(
      `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
    reportAnomaly(options, {
      rid: options.ids.rid(),
      lane: NOWHERE.lane,
      kind: 'protocol_violation',
      detail: `from a client: ${message}`,
    });
  }

  return {
    async listen(port, host) {
      await listening(server, port, host);
      const address = server.address();
      return typeof address === 'object' && address !== null ? address.port : port;
    },
    inflight: () => inflight,
    async drain(graceMs) {
      draining = true;
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      // What a client has not taken by now it does not get: nobody waits for a reader.
      for (const stream of streams) stream.end();
      closeSpare();
      const stop = clock.after(graceMs, () => server.closeAllConnections());
      await closed;
      stop();
      if (inflight > 0) await new Promise<void>((resolve) => void (onIdle = resolve));
    },
    cut: () => server.closeAllConnections(),
  };
}

/** For CONNECT, where Node hands over the bare connection: one answer, and its end. */
function answerTo(request: IncomingMessage, socket: Socket): ServerResponse {
  // Node takes its own listener off: without one, a client that resets the connection would end the process.
  socket.on('error', () => {});
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once('finish', () => socket.destroySoon());
  return response;
}

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
