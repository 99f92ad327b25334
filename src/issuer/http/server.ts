/** The HTTP server under the endpoints: limits, the guard, and an answer for whatever comes. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { hasCode } from '../../platform/files.ts';
import type { Log } from '../../platform/log.ts';
import { visitorOf } from './address.ts';
import { admit } from './guard.ts';
import { type Answer, type Endpoint, MAX_BODY_BYTES, refuse, type Visit } from './visit.ts';

export interface ServerOptions {
  /** By `METHOD /path`. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly publicUrl: URL | null;
  readonly log: Pick<Log, 'error'>;
}

export interface IssuerServer {
  /** Gives the port, also for port 0. Rejects with what the system says. */
  listen(port: number, host: string): Promise<number>;
  close(): Promise<void>;
}

/** For a whole request; the largest takes a fraction of this on the slowest line. */
const REQUEST_MS = 15_000;
const MAX_CONNECTIONS = 500;

export function createIssuerServer({ endpoints, publicUrl, log }: ServerOptions): IssuerServer {
  const server = createServer({
    requestTimeout: REQUEST_MS,
    headersTimeout: REQUEST_MS,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: 5_000,
    maxHeaderSize: 16 * 1024,
    // The guard refuses a request without one, with a sentence.
    requireHostHeader: false,
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('request', (request, response) => void contained(request, response));
  server.on('clientError', refuseMalformed);

  async function contained(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const answered = await answer(request);
      if (answered !== null) send(response, answered);
    } catch (error) {
      log.error(`a request failed: ${error instanceof Error ? error.stack : String(error)}`);
      send(response, refuse(500, 'server_error', 'The issuer could not do this; its log says why.'));
    }
  }

  /** Null where nobody is left to hear it. */
  async function answer(request: IncomingMessage): Promise<Answer | null> {
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '');
    const admission = admit({ method, headers: request.headers }, publicUrl);
    if (!admission.ok) return refuse(403, 'foreign_request', admission.why);
    const target = request.url ?? '';
    // Only what is a path of ours; a proxy's absolute form is somebody else's business.
    const url = target.startsWith('/') ? URL.parse(`http://issuer${target}`) : null;
    if (url === null) return refuse(400, 'invalid_request', 'The request target is no path.');
    const path = url.pathname;
    const endpoint = endpoints.get(`${method} ${path}`);
    if (endpoint === undefined) return nothingHere(path, endpoints);
    const body = method === 'POST' ? await readBody(request) : Buffer.alloc(0);
    if (body === 'broken_off') return null;
    if (body === 'too_large')
      return refuse(413, 'request_too_large', `At most ${MAX_BODY_BYTES} bytes are taken.`);
    const visit: Visit = {
      method: method === 'POST' ? 'POST' : 'GET',
      path,
      query: url.searchParams,
      headers: request.headers,
      body,
      from: visitorOf({
        peer: request.socket.remoteAddress ?? '',
        forwarded: request.headers['x-forwarded-for']?.toString(),
        proxied: publicUrl !== null,
      }),
      origin: admission.origin,
    };
    return endpoint(visit);
  }

  function send(response: ServerResponse, { status, headers, body }: Answer): void {
    if (response.headersSent || response.destroyed) return;
    const secure = publicUrl === null ? {} : { 'strict-transport-security': 'max-age=31536000' };
    response.writeHead(status, { ...headers, ...secure, 'content-length': Buffer.byteLength(body) });
    response.end(response.req.method === 'HEAD' ? undefined : body);
  }

  return {
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        server.once('error', reject).listen(port, host, () => {
          server.off('error', reject);
          const address = server.address();
          resolve(typeof address === 'object' && address !== null ? address.port : port);
        });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function nothingHere(path: string, endpoints: ReadonlyMap<string, Endpoint>): Answer {
  const methods = [...endpoints.keys()]
    .filter((key) => key.endsWith(` ${path}`))
    .map((key) => key.split(' ', 1)[0]);
  if (methods.length === 0) return refuse(404, 'not_found', 'There is nothing at this path.');
  return refuse(405, 'method_not_allowed', `Allowed here: ${methods.join(', ')}.`, {
    allow: methods.join(', '),
  });
}

/** The whole body. A client that breaks off is no failure of ours. */
async function readBody(request: IncomingMessage): Promise<Buffer | 'too_large' | 'broken_off'> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return 'too_large';
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of request.iterator({ destroyOnReturn: false })) {
      bytes += piece.length;
      if (bytes > MAX_BODY_BYTES) return 'too_large';
      pieces.push(piece);
    }
  } catch (error) {
    if (hasCode(error, 'ECONNRESET')) return 'broken_off';
    throw error;
  }
  return Buffer.concat(pieces);
}

/** What is no HTTP. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const flood = error.code === 'HPE_HEADER_OVERFLOW';
  const status = late
    ? '408 Request Timeout'
    : flood
      ? '431 Request Header Fields Too Large'
      : '400 Bad Request';
  const body = '{"error":"invalid_request","error_description":"This is not a request that can be read."}\n';
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
}
