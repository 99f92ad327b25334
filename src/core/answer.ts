/** Reads the head of an upstream answer out of what undici hands over, whichever protocol it came by. */
import type { IncomingHttpHeaders } from 'node:http';
import { headerValue } from './header-policy.ts';
import type { AnswerHead } from './relay.ts';

/** undici keeps an HTTP/1.1 head as alternating buffers, an HTTP/2 head as an object. */
type RawHead = Buffer[] | string[] | IncomingHttpHeaders | null | undefined;

/** @param raw `controller.rawHeaders` of undici */
export function readHead(status: number, statusMessage: string | undefined, raw: RawHead): AnswerHead {
  if (Array.isArray(raw)) {
    // Header bytes are latin1 on the wire, and Node writes them back as such: nothing is lost.
    const headers = raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
    return { status, statusMessage: latin1Of(statusMessage ?? ''), headers, h2: false };
  }
  const headers: string[] = [];
  for (const [name, value] of Object.entries(raw ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) headers.push(name, String(one));
  }
  return { status, statusMessage: '', headers, h2: true };
}

/** undici reads the reason phrase as UTF-8, and Node writes latin1: the bytes as they came, a character each. */
function latin1Of(phrase: string): string {
  return Buffer.from(phrase).toString('latin1');
}

export function isEventStream(head: AnswerHead): boolean {
  return (headerValue(head.headers, 'content-type') ?? '').toLowerCase().startsWith('text/event-stream');
}

/** The bytes that `content-length` promises, where it is there; in a 304 it tells of another answer's (RFC 9110 section 8.6). */
export function promisedLength(head: AnswerHead): number | undefined {
  if (head.status === 304) return undefined;
  const value = headerValue(head.headers, 'content-length');
  return value === undefined ? undefined : Number(value);
}
