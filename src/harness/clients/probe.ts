/**
 * The raw client: one HTTP/1.1 exchange on a connection of its own, with every header and byte as told and
 * every misbehaviour a client is capable of. What went over the wire comes back as a transcript.
 */
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { systemClock } from '../../platform/clock.ts';
import { type ConnectionRecorder, createConnectionRecorder } from '../http1/recorder.ts';
import type { BodyPiece, ProbeAnswer, ProbeRequest } from '../types/client.ts';

const CRLF = '\r\n';
let connections = 0;

/** Sends `request` to an `http://` origin. Rejects only where its signal was aborted before; whatever happens is in the answer. */
export async function sendProbe(url: string, request: ProbeRequest): Promise<ProbeAnswer> {
  request.signal?.throwIfAborted();
  connections += 1;
  const { hostname, port } = new URL(url);
  const socket = net.connect({ host: hostname, port: Number(port || 80), noDelay: true });
  const exchange = watchExchange(socket, request, `probe-${connections}`);
  try {
    // What keeps it from being written ends the exchange too, and is told there.
    writeRequest(socket, request, exchange.recorder).catch(() => {});
    return await exchange.over;
  } finally {
    exchange.stop();
  }
}

interface WatchedExchange {
  readonly recorder: ConnectionRecorder;
  readonly over: Promise<ProbeAnswer>;
  stop(): void;
}

/** Reads the answer, and ends the exchange when it is whole, when told to leave, or when the time is up. */
function watchExchange(socket: net.Socket, request: ProbeRequest, connection: string): WatchedExchange {
  const { promise: over, resolve } = Promise.withResolvers<ProbeAnswer>();
  const { leave = { how: 'close' }, signal } = request;
  const informational: number[] = [];
  let problem: string | undefined;
  let received = 0;

  const recorder = createConnectionRecorder({
    observer: 'probe',
    connection,
    onTranscript: (transcript) =>
      resolve({ transcript, informational, ...(problem !== undefined && { problem }) }),
    onInformational: (status) => informational.push(status),
    onProblem: note,
    onBody: (bytes) => {
      received += bytes.length;
      if (received >= (leave.afterBytes ?? Number.POSITIVE_INFINITY)) goAway();
    },
    // The rest of a request that was answered already interests nobody.
    onAnswered: () => recorder.over('ended_by_self'),
  });

  function note(what: string): void {
    problem ??= what;
  }
  function goAway(): void {
    recorder.over('ended_by_self');
    if (leave.how === 'reset') socket.resetAndDestroy();
    else socket.destroy();
  }

  const stops = [
    after(request.timeoutMs, () => recorder.over('timeout')),
    after(leave.afterMs, goAway),
    readFrom(socket, request.slowRead, (bytes) => recorder.received(bytes)),
  ];
  signal?.addEventListener('abort', goAway, { once: true });
  socket.on('end', () => recorder.receivedEnd());
  socket.on('error', (error) => note(error.message));
  socket.on('close', () => recorder.over('cut_by_peer'));

  return {
    recorder,
    over,
    stop() {
      for (const stop of stops) stop();
      signal?.removeEventListener('abort', goAway);
      socket.destroy();
    },
  };
}

async function writeRequest(
  socket: net.Socket,
  request: ProbeRequest,
  recorder: ConnectionRecorder,
): Promise<void> {
  const write = async (bytes: Buffer) => {
    recorder.sent(bytes);
    if (!socket.write(bytes)) await once(socket, 'drain');
  };
  const head = [
    `${request.method} ${request.target} HTTP/1.1`,
    ...request.headers.map(([name, value]) => `${name}: ${value}`),
    CRLF,
  ].join(CRLF);
  await write(Buffer.from(head, 'latin1'));
  for (const { bytes, afterMs } of piecesOf(request.body)) {
    if (afterMs !== undefined) await setTimeout(afterMs);
    await write(request.framing === 'chunked' ? frame(Buffer.from(bytes)) : Buffer.from(bytes));
  }
  if (request.framing === 'chunked') await write(Buffer.from(`0${CRLF}${CRLF}`));
}

function piecesOf(body: ProbeRequest['body']): readonly BodyPiece[] {
  if (body === undefined) return [];
  return typeof body === 'string' || Buffer.isBuffer(body) ? [{ bytes: body }] : body;
}

function frame(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(bytes.length.toString(16) + CRLF), bytes, Buffer.from(CRLF)]);
}

/** Hands on what arrives, at most so much at a time where told to be slow; returns how to stop. */
function readFrom(
  socket: net.Socket,
  slow: ProbeRequest['slowRead'],
  onBytes: (bytes: Buffer) => void,
): () => void {
  if (slow === undefined) {
    socket.on('data', onBytes);
    return () => socket.off('data', onBytes);
  }
  // A listener for 'readable' keeps the socket from flowing: the rest waits in the kernel, and then at the sender.
  socket.on('readable', () => {});
  const timer = setInterval(() => {
    const bytes: unknown = socket.read(Math.min(slow.bytes, socket.readableLength));
    if (Buffer.isBuffer(bytes)) onBytes(bytes);
  }, slow.everyMs);
  return () => clearInterval(timer);
}

/** Calls back after `ms`, never where that is not given; returns how to cancel. */
function after(ms: number | undefined, callback: () => void): () => void {
  return ms === undefined ? () => {} : systemClock.after(ms, callback);
}
