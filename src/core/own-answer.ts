/** What the proxy says itself, always in Anthropic's error shape where it is an error. */
import type { ServerResponse } from 'node:http';
import { type AnthropicErrorType, errorBody } from '../protocol/error-body.ts';

/** How long an unread upload is discarded before its connection is cut, in milliseconds. */
const DISCARD_MS = 5_000;

/**
 * Answers with an error of our own. A body that is still arriving is discarded for a while, so that the
 * client gets to read the answer instead of a reset. That is also why the connection is not announced to
 * close: Node would close it with the last byte of the answer, and the kernel reset what the client still sends.
 * Gives the bytes of the body.
 */
export function sendError(
  response: ServerResponse,
  status: number,
  type: AnthropicErrorType,
  message: string,
): number {
  if (response.headersSent || response.destroyed) return 0;
  const body = errorBody(type, message);
  const bytes = Buffer.byteLength(body);
  const headers = ['content-type', 'application/json', 'content-length', String(bytes)];
  const { req: request } = response;
  if (!request.complete) {
    request.resume();
    const timer = setTimeout(() => request.destroy(), DISCARD_MS).unref();
    request.once('close', () => clearTimeout(timer));
  }
  response.writeHead(status, headers);
  response.end(body);
  return bytes;
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
