/** What the proxy says itself, always in Anthropic's error shape where it is an error. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AnthropicErrorType, errorBody } from '../protocol/error-body.ts';
import type { EndpointStream } from './types.ts';

/** How long an unread upload is discarded before its connection is cut, in milliseconds. */
const DISCARD_MS = 5_000;

/**
 * Answers with an error of our own. The connection is not announced to close: Node would close it with the last
 * byte of the answer, and the kernel reset what the client still sends. `further` are headers, alternating names and
 * values. Gives the bytes of the body.
 */
export function sendError(
  response: ServerResponse,
  status: number,
  type: AnthropicErrorType,
  message: string,
  further: readonly string[] = [],
): number {
  if (response.headersSent || response.destroyed) return 0;
  const body = errorBody(type, message);
  const bytes = Buffer.byteLength(body);
  const headers = ['content-type', 'application/json', 'content-length', String(bytes), ...further];
  response.writeHead(status, headers);
  response.end(body);
  return bytes;
}

/** A fault of ours: who operates the proxy finds the rest in its log. */
export const OWN_FAULT = 'a fault inside the proxy; its own messages say more';

/**
 * Reads on for a while over the rest of an upload whose answer is out: many clients read that only when they
 * have sent everything, and a connection that is cut before would take the answer with it.
 */
export function discardUpload(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  // A listener as well: whoever read the upload before may let go of it only with its next piece.
  request.on('data', () => {}).resume();
  const timer = setTimeout(() => request.destroy(), DISCARD_MS).unref();
  request.once('close', () => clearTimeout(timer));
}

export function sendText(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, [
    'content-type',
    contentType,
    'content-length',
    String(Buffer.byteLength(body)),
    'cache-control',
    'no-store',
  ]);
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

/**
 * Begins a stream of our own; it is over when the response closes. Its connection serves nothing after it, so that
 * a door that closes need not wait for the client.
 */
export function sendStream(response: ServerResponse, { status, contentType, start }: EndpointStream): void {
  response.shouldKeepAlive = false;
  response.writeHead(status, ['content-type', contentType, 'cache-control', 'no-store']);
  if (response.req.method === 'HEAD') {
    response.end();
    return;
  }
  response.flushHeaders();
  const over = start({
    write(text) {
      if (!response.writableEnded) response.write(text);
      return response.writableLength;
    },
    drop: () => response.destroy(),
  });
  response.once('close', over);
  // It closed before anybody listened.
  if (response.closed) over();
}
