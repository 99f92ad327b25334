/** One port on the loopback for HTTP/1.1 and HTTP/2 over TLS (by ALPN), or for plain HTTP/1.1. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type IncomingHttpHeaders, performServerHandshake, type ServerHttp2Stream } from 'node:http2';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { Certificate } from '../certs.ts';
import { createTransport } from './transport.ts';
import { type Arrival, pairs } from './wire.ts';
import { createH1Wire } from './wire-h1.ts';
import { createH2Wire } from './wire-h2.ts';

export interface Listener extends AsyncDisposable {
  readonly port: number;
  openSockets(): number;
}

export interface ListenOptions {
  /** Absent: plain HTTP/1.1. */
  readonly certificate: Certificate | undefined;
  readonly h2: boolean;
  readonly onArrival: (arrival: Arrival) => void;
  /** Bytes that were no HTTP, and a handshake that failed. */
  readonly onMalformed: (problem: string) => void;
}

interface Connection {
  readonly raw: Socket;
  /** In order of arrival. */
  readonly number: number;
}

/** Five hundred clients may knock in one tick. */
const BACKLOG = 1024;

export async function listen({ certificate, h2, onArrival, onMalformed }: ListenOptions): Promise<Listener> {
  const open = new Set<Connection>();
  const http1 = createHttp1(onArrival, onMalformed);
  let count = 0;
  const serve = (socket: Socket, connection: Connection): void => {
    if ('alpnProtocol' in socket && socket.alpnProtocol === 'h2') {
      serveHttp2(socket, connection, onArrival, onMalformed);
    } else http1.serve(socket, connection);
  };
  const tls = certificate && createTls(certificate, h2, serve, onMalformed);

  // A half-closed HTTP/1.1 client still gets its answer; over TLS, node:tls sees to the end itself.
  const tcpServer = createTcpServer({ noDelay: true, allowHalfOpen: tls === undefined }, (raw) => {
    count += 1;
    const connection = { raw, number: count };
    open.add(connection);
    raw.on('close', () => open.delete(connection));
    if (tls === undefined) serve(raw, connection);
    else tls.serve(connection);
  });
  tcpServer.listen({ port: 0, host: '127.0.0.1', backlog: BACKLOG });
  await once(tcpServer, 'listening');
  const address = tcpServer.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP');
  return {
    port: address.port,
    openSockets: () => open.size,
    async [Symbol.asyncDispose]() {
      const closed = [...open].map(({ raw }) => once(raw, 'close'));
      for (const { raw } of open) raw.destroy();
      await Promise.all([tcpServer[Symbol.asyncDispose](), ...closed]);
    },
  };
}

type Serve = (socket: Socket, connection: Connection) => void;

function createTls(
  { certPem, keyPem }: Certificate,
  h2: boolean,
  serve: Serve,
  onMalformed: ListenOptions['onMalformed'],
): { serve(connection: Connection): void } {
  const handshaking = new Map<number | undefined, Connection>();
  const server = createTlsServer({
    cert: certPem,
    key: keyPem,
    ALPNProtocols: h2 ? ['h2', 'http/1.1'] : ['http/1.1'],
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    const connection = handshaking.get(socket.remotePort);
    if (connection === undefined) socket.destroy();
    else serve(socket, connection);
  });
  server.on('tlsClientError', (error) => onMalformed(`TLS: ${error.message}`));
  return {
    serve(connection) {
      const { raw } = connection;
      const { remotePort } = raw;
      handshaking.set(remotePort, connection);
      raw.on('close', () => handshaking.delete(remotePort));
      server.emit('connection', raw);
    },
  };
}

function createHttp1(
  onArrival: ListenOptions['onArrival'],
  onMalformed: ListenOptions['onMalformed'],
): { readonly serve: Serve } {
  const connections = new WeakMap<Socket, Connection>();
  const server = createHttpServer((request, response) => {
    const connection = connections.get(request.socket);
    if (connection === undefined) throw new Error('a request on a socket that was never served');
    onArrival({
      connection: connection.number,
      method: request.method ?? '',
      target: request.url ?? '',
      headers: pairs(request.rawHeaders),
      body: request,
      bodyIsWhole: () => request.complete,
      wire: createH1Wire(request, response, connection.raw),
    });
  });
  // A mock has no patience of its own: whoever leaves first is the other side, or the scenario.
  Object.assign(server, { headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0 });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code?.startsWith('HPE_') === true) onMalformed(`${error.code}: ${error.message}`);
    socket.destroy();
  });
  return {
    serve(socket, connection) {
      connections.set(socket, connection);
      server.emit('connection', socket);
    },
  };
}

function serveHttp2(
  socket: Socket,
  { raw, number }: Connection,
  onArrival: ListenOptions['onArrival'],
  onMalformed: ListenOptions['onMalformed'],
): void {
  // The session must not own the TLS handle: two writers on it abort the process (an assertion of Node 24).
  const transport = createTransport(socket);
  const session = performServerHandshake(transport);
  session.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ECONNRESET') onMalformed(`HTTP/2: ${error.message}`);
  });
  session.on(
    'stream',
    (
      stream: ServerHttp2Stream,
      headers: IncomingHttpHeaders & { readonly ':method'?: string; readonly ':path'?: string },
      _flags: number,
      rawHeaders: readonly string[],
    ) =>
      onArrival({
        connection: number,
        method: headers[':method'] ?? '',
        target: headers[':path'] ?? '',
        headers: pairs(rawHeaders),
        body: stream,
        bodyIsWhole: () => stream.readableEnded && !stream.aborted,
        wire: createH2Wire(stream, transport, raw),
      }),
  );
}
