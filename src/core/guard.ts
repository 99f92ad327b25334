/**
 * Who may speak to the door at all. The keys behind it can be spent by whoever reaches it, and every web
 * page in the person's browser can reach a loopback port: so nothing passes that a browser sent on behalf of
 * a page of somebody else, whether by a foreign origin or by a host name that was made to point here.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface GuardOptions {
  /** Where set, every request must carry it in `x-ccp-token`. */
  readonly clientToken: string | null;
}

/** Why a request is refused; null lets it pass. */
export type Guard = (headers: IncomingHttpHeaders) => string | null;

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;
const OWN_SITES = new Set(['same-origin', 'none']);

export function createGuard({ clientToken }: GuardOptions): Guard {
  return (headers) => {
    const host = headers.host ?? '';
    if (clientToken !== null) {
      if (!sameSecret(single(headers['x-ccp-token']), clientToken)) return 'x-ccp-token is missing or wrong';
    } else if (!LOOPBACK_HOST.test(host)) {
      return 'the Host header names no loopback address; point the client at 127.0.0.1';
    }
    const { origin } = headers;
    if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
      return 'requests that a web page makes are refused (foreign Origin)';
    }
    const site = single(headers['sec-fetch-site']);
    if (site !== undefined && !OWN_SITES.has(site))
      return 'requests that a web page makes are refused (cross-site)';
    return null;
  };
}

/** Compares in constant time; hashing first makes the lengths equal. */
export function sameSecret(given: string | undefined, expected: string): boolean {
  if (given === undefined) return false;
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
