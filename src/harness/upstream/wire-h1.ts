/** HTTP/1.1: node:http frames the answer, faults are written to the socket beneath it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HeaderPairs } from '../../protocol/transcript.ts';
import type { Head, Wire } from './wire.ts';

/** `raw` is the TCP socket: the same as the response's own where there is no TLS. */
export function createH1Wire(request: IncomingMessage, response: ServerResponse, raw: Socket): Wire {
  const gone = new AbortController();
  const { socket } = request;
  let struck = false;
  let lastWrite = Promise.resolve();
  response.on('close', () => {
    if (!response.writableFinished && !struck) gone.abort();
  });
  response.on('error', () => gone.abort());

  const onSocket = (bytes: string): Promise<void> =>
    new Promise((resolve) => void socket.write(bytes, 'latin1', () => resolve()));
  return {
    http: request.httpVersion === '1.0' ? '1.0' : '1.1',
    gone: gone.signal,
    head(head) {
      const headers = framed(head, request);
      // What is not in the list must not be added: the transcript says what was sent.
      response.sendDate = false;
      response.removeHeader('transfer-encoding');
      response.removeHeader('content-length');
      response.writeHead(head.status, headers.flat());
      response.flushHeaders();
      return headers;
    },
    async partialHead(head) {
      await onSocket(`HTTP/1.1 ${head.status} \r\nDate: `);
    },
    write(bytes) {
      const { promise, resolve } = Promise.withResolvers<void>();
      lastWrite = promise;
      return response.write(bytes, () => resolve()) ? Promise.resolve() : promise;
    },
    flushed: () => lastWrite,
    end: () => new Promise((resolve) => void response.end(resolve)),
    async strike(fault) {
      switch (fault.kind) {
        case 'close':
          struck = true;
          socket.destroySoon();
          return;
        case 'malformed_chunk':
          struck = true;
          await onSocket('not-a-number\r\n');
          socket.destroySoon();
          return;
        case 'goaway':
          // The nearest that HTTP/1.1 has: the connection ends, after this answer or before it.
          if (fault.processed) response.once('finish', () => socket.destroySoon());
          else {
            struck = true;
            socket.destroySoon();
          }
          return;
        case 'reset':
        case 'rst_stream':
          struck = true;
          raw.resetAndDestroy();
      }
    },
    closeConnection: () => socket.destroySoon(),
  };
}

function framed({ status, headers, now, length, bodyBytes }: Head, request: IncomingMessage): HeaderPairs {
  const bodyless = status === 204 || status === 304;
  const untilClose = length === 'until-close' || (length === 'chunked' && request.httpVersion === '1.0');
  const lengthHeader: HeaderPairs =
    bodyless || untilClose
      ? []
      : length === 'chunked'
        ? [['Transfer-Encoding', 'chunked']]
        : [['Content-Length', String(bodyBytes)]];
  const persistent = !untilClose && request.headers.connection?.toLowerCase() !== 'close';
  return [
    ['Date', new Date(now).toUTCString()],
    ...headers,
    ...lengthHeader,
    ['Connection', persistent ? 'keep-alive' : 'close'],
  ];
}
