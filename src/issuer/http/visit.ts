/** A request as endpoints see it, and their answers: values, so that an endpoint is a function. */
import type { IncomingHttpHeaders } from 'node:http';

export interface Visit {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Whole, at most `MAX_BODY_BYTES`; empty for GET. */
  readonly body: Buffer;
  /** The network address that asked. */
  readonly from: string;
  /** `http://127.0.0.1:8787`: how this visitor reaches us. */
  readonly origin: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Endpoint = (visit: Visit) => Answer;

export const MAX_BODY_BYTES = 64 * 1024;

/** What our own pages and answers say to a browser: keep nothing, load nothing, be framed by nobody. */
export const COMMON_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // Not no-referrer: browsers then send "Origin: null" with a form, and the guard could not know its own.
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

export function json(status: number, value: object, headers: Answer['headers'] = {}): Answer {
  return {
    status,
    headers: { ...COMMON_HEADERS, 'content-type': 'application/json', ...headers },
    body: `${JSON.stringify(value)}\n`,
  };
}

/** An error in the shape of RFC 6749 section 5.2: a code for programs, a sentence for people. */
export function refuse(
  status: number,
  error: string,
  description: string,
  headers: Answer['headers'] = {},
): Answer {
  return json(status, { error, error_description: description }, headers);
}

/** @param seconds until it may be tried again */
export function tooMany(seconds: number): Answer {
  return refuse(429, 'too_many_requests', `Too many attempts: try again in ${seconds} s.`, {
    'retry-after': String(seconds),
  });
}
