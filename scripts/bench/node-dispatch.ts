/**
 * The floor of a proxy on `node:http` and undici that must have the body before it knows where to go, as ccp must:
 * it reads, logs and counts nothing. What ccp costs more is its own. `node node-dispatch.ts PORT UPSTREAM_PORT`.
 */
import { createServer } from 'node:http';
import type { Readable } from 'node:stream';
import { Pool } from 'undici';

const [port, upstreamPort] = process.argv.slice(2).map(Number);
const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { headersTimeout: 0, bodyTimeout: 0 });
const PER_CONNECTION = new Set(['connection', 'host', 'keep-alive', 'transfer-encoding']);

createServer((incoming, outgoing) => {
  const pieces: Buffer[] = [];
  incoming.on('data', (piece) => pieces.push(piece));
  incoming.on('end', () => {
    const headers = incoming.rawHeaders.flatMap((name, at, all) =>
      at % 2 === 0 && !PER_CONNECTION.has(name.toLowerCase()) ? [name, all[at + 1] ?? ''] : [],
    );
    const { method, url } = incoming;
    const body = iterable(pieces);
    pool.dispatch(
      { method: method === 'GET' ? 'GET' : 'POST', path: url ?? '/', headers, body },
      {
        onRequestStart: () => {},
        onResponseStart(controller, status) {
          const { rawHeaders } = controller;
          if (Array.isArray(rawHeaders))
            outgoing.writeHead(
              status,
              rawHeaders.map((part) => part.toString('latin1')),
            );
        },
        onResponseData: (_controller, piece) => void outgoing.write(piece),
        onResponseEnd: () => void outgoing.end(),
        onResponseError: () => void outgoing.destroy(),
      },
    );
  });
}).listen({ host: '127.0.0.1', port, backlog: 4096 });

/** undici takes iterables as bodies (its manual says so), its types do not. */
function iterable(pieces: Iterable<Buffer>): Readable;
function iterable(pieces: unknown): unknown {
  return pieces;
}
