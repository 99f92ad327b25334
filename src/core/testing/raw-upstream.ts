/** An upstream over HTTP/1.1 that a test scripts byte by byte. */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { createMessageReader, type Message } from './http1-message.ts';
import { listen } from './listen.ts';
import { until } from './wait.ts';

/** One request at the upstream. */
export interface Call {
  readonly request: Message;
  readonly socket: Socket;
  /** Counts connections from 0: which one brought this request. */
  readonly connection: number;
  /** Monotonic time at which the proxy ended or reset the connection; null while it stands. */
  readonly closedAt: number | null;
  send(bytes: string | Buffer): void;
  /** A whole answer: the status line's tail (`200 OK`), header lines, a body framed by its length. */
  answer(status: string, headers: readonly string[], body?: string | Buffer): void;
  /** The same head with a chunked body, which `chunk` and `endChunks` then send. */
  open(status: string, headers: readonly string[]): void;
  chunk(bytes: string | Buffer): void;
  endChunks(): void;
  /** A whole answer in chunks of so many bytes, each its own write. */
  answerInPieces(status: string, headers: readonly string[], body: Buffer, size: number): void;
}

export interface RawUpstream extends AsyncDisposable {
  readonly origin: string;
  readonly port: number;
  readonly calls: readonly Call[];
  /** Connections accepted so far. */
  readonly connections: number;
  /** Waits for the n-th request, counted from 1, and for its whole body. */
  call(n?: number): Promise<Call>;
}

export interface RawUpstreamOptions {
  /** Answers over TLS, offering HTTP/1.1 alone; the origin then names `localhost`. */
  readonly tls?: Pick<TlsOptions, 'key' | 'cert'>;
  /** Sees each connection before anything is read from it. */
  readonly onConnection?: (socket: Socket, index: number) => void;
  /** When to respond: as soon as the head is there, or (default) when the body is whole. */
  readonly at?: 'head' | 'whole';
}

/** Starts an upstream; `respond` is called once per request, and without it nothing is ever answered. */
export async function startRawUpstream(
  respond: (call: Call, index: number) => void = () => {},
  { tls, onConnection, at = 'whole' }: RawUpstreamOptions = {},
): Promise<RawUpstream> {
  const sockets = new Set<Socket>();
  const calls: Call[] = [];
  let connections = 0;

  const accept = (socket: Socket): void => {
    const connection = connections++;
    sockets.add(socket);
    // Resets are what many tests are about.
    socket.on('error', () => {});
    const link: Link = { connection, closedAt: null };
    for (const ending of ['end', 'close']) {
      socket.once(ending, () => {
        link.closedAt ??= performance.now();
      });
    }
    let latest = (): void => {};
    const reader = createMessageReader({
      onHead(request) {
        const call = createCall(request, socket, link);
        const index = calls.push(call) - 1;
        latest = () => respond(call, index);
        if (at === 'head') latest();
      },
      onWhole() {
        if (at === 'whole') latest();
      },
    });
    onConnection?.(socket, connection);
    socket.on('data', (bytes) => reader.feed(bytes));
  };

  const server: Server =
    tls === undefined
      ? createServer({ noDelay: true }, accept)
      : createTlsServer({ ...tls, ALPNProtocols: ['http/1.1'] }, accept);
  const port = await listen(server);

  return {
    origin: tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
    port,
    calls,
    get connections() {
      return connections;
    },
    call: (n = 1) =>
      until(
        () => (calls[n - 1]?.request.whole === true ? calls[n - 1] : null),
        `request ${n} at the upstream`,
      ),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The connection of a call. */
interface Link {
  readonly connection: number;
  closedAt: number | null;
}

function createCall(request: Message, socket: Socket, link: Link): Call {
  const call: Call = {
    request,
    socket,
    connection: link.connection,
    get closedAt() {
      return link.closedAt;
    },
    send: (bytes) => void socket.write(bytes),
    answer(status, headers, body = '') {
      const length = `content-length: ${Buffer.byteLength(body)}`;
      socket.write(
        Buffer.concat([Buffer.from(headOf(status, [...headers, length]), 'latin1'), Buffer.from(body)]),
      );
    },
    open: (status, headers) => void socket.write(headOf(status, [...headers, 'transfer-encoding: chunked'])),
    chunk(bytes) {
      const size = `${Buffer.byteLength(bytes).toString(16)}\r\n`;
      socket.write(Buffer.concat([Buffer.from(size), Buffer.from(bytes), Buffer.from('\r\n')]));
    },
    endChunks: () => void socket.write('0\r\n\r\n'),
    answerInPieces(status, headers, body, size) {
      call.open(status, headers);
      for (let at = 0; at < body.length; at += size) call.chunk(body.subarray(at, at + size));
      call.endChunks();
    },
  };
  return call;
}

function headOf(status: string, headers: readonly string[]): string {
  return [`HTTP/1.1 ${status}`, ...headers, '', ''].join('\r\n');
}
