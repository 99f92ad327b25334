/**
 * A relay of one connection to one connection, on bytes: what either side sends passes unchanged and at
 * once, a FIN as a FIN and a reset as a reset. It can write down what passes, in front of a client that
 * keeps no record of its own, and it can break what passes, for saboteurs.
 */
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import type { Transcript } from '../protocol/transcript.ts';
import { type ConnectionRecorder, createConnectionRecorder } from './http1/recorder.ts';
import { createConnectionRewriter } from './http1/rewriter.ts';
import { listen } from './ports.ts';
import type { ExchangeRewriter } from './types/saboteur.ts';

export interface RelayOptions {
  /** Origin to connect to, asked for each connection; over https its certificate is checked against `ca` (PEM). */
  readonly to: string | (() => string);
  readonly ca?: string;
  /** Listens with TLS (HTTP/1.1 only) under this certificate. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Records what passes, as the client sees it, under this name. */
  readonly observer?: string;
  /** Breaks what passes. */
  readonly rewriter?: ExchangeRewriter;
}

export interface WireRelay extends AsyncDisposable {
  /** `http(s)://127.0.0.1:PORT`; `localhost` where TLS names matter. */
  readonly url: string;
  transcripts(): readonly Transcript[];
  openSockets(): number;
}

export async function startRelay(options: RelayOptions): Promise<WireRelay> {
  const transcripts: Transcript[] = [];
  const sockets = new Set<net.Socket>();
  let connections = 0;

  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (raw) => {
    connections += 1;
    const connection = `${options.observer ?? 'relay'}-${connections}`;
    const client = accept(raw, options.tls);
    const upstream = connect(typeof options.to === 'string' ? options.to : options.to(), options.ca);
    for (const socket of [raw, upstream.raw]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    }
    const recorder =
      options.observer === undefined
        ? undefined
        : createConnectionRecorder({
            observer: options.observer,
            connection,
            onTranscript: (transcript) => transcripts.push(transcript),
          });
    join({ client, upstream, recorder, rewriter: options.rewriter });
  });
  const port = await listen(server);

  return {
    url: options.tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
    transcripts: () => transcripts,
    openSockets: () => sockets.size,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

/** One side of a relayed connection. `raw` is the TCP socket, which alone can send a reset. */
interface Side {
  readonly socket: net.Socket;
  readonly raw: net.Socket;
}

function accept(raw: net.Socket, identity: RelayOptions['tls']): Side {
  if (identity === undefined) return { socket: raw, raw };
  const socket = new tls.TLSSocket(raw, { isServer: true, ...identity, ALPNProtocols: ['http/1.1'] });
  return { socket, raw };
}

function connect(to: string, ca: string | undefined): Side {
  const { hostname, port, protocol } = new URL(to);
  const raw = net.connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true });
  if (protocol === 'http:') return { socket: raw, raw };
  const options = { socket: raw, servername: hostname, ALPNProtocols: ['http/1.1'] };
  return { socket: tls.connect(ca === undefined ? options : { ...options, ca }), raw };
}

interface Joint {
  readonly client: Side;
  readonly upstream: Side;
  readonly recorder: ConnectionRecorder | undefined;
  readonly rewriter: ExchangeRewriter | undefined;
}

function join({ client, upstream, recorder, rewriter }: Joint): void {
  const rewrite = rewriter && createConnectionRewriter(rewriter);
  let firstGone: 'client' | 'upstream' | undefined;

  const toClient = (pieces: readonly Buffer[]) => {
    for (const piece of pieces) {
      recorder?.received(piece);
      if (!client.socket.write(piece)) upstream.socket.pause();
    }
  };
  const upstreamGone = (cut: boolean) => {
    firstGone ??= 'upstream';
    const last = rewrite?.responseOver(cut) ?? { bytes: [], clean: !cut };
    toClient(last.bytes);
    if (!last.clean) return reset(client);
    recorder?.receivedEnd();
    client.socket.end();
  };

  client.socket.on('data', (bytes: Buffer) => {
    recorder?.sent(bytes);
    for (const piece of rewrite?.request(bytes) ?? [bytes]) {
      if (!upstream.socket.write(piece)) client.socket.pause();
    }
  });
  upstream.socket.on('data', (bytes: Buffer) => toClient(rewrite?.response(bytes) ?? [bytes]));
  client.socket.on('drain', () => upstream.socket.resume());
  upstream.socket.on('drain', () => client.socket.resume());

  client.socket.on('end', () => {
    firstGone ??= 'client';
    if (rewriter?.outlivesClient) client.socket.end();
    else upstream.socket.end();
  });
  client.socket.on('error', () => {
    firstGone ??= 'client';
    if (rewriter?.outlivesClient) upstream.socket.resume();
    else reset(upstream);
  });
  upstream.socket.on('end', () => upstreamGone(false));
  upstream.socket.on('error', () => upstreamGone(true));

  const over = () => recorder?.over(firstGone === 'upstream' ? 'cut_by_peer' : 'ended_by_self');
  client.socket.on('close', over);
  upstream.socket.on('close', over);
}

function reset({ socket, raw }: Side): void {
  if (!raw.destroyed) raw.resetAndDestroy();
  socket.destroy();
}
