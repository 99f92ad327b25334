/**
 * Who may speak to the issuer at all: nothing that a browser sends on behalf of a page of somebody else, whether by
 * a foreign origin or by a host name that was made to point here. A link to one of our pages may be followed from
 * anywhere: showing a page changes nothing, and what it sends carries a token.
 */
import type { IncomingHttpHeaders } from 'node:http';

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;
const OWN_SITES = new Set(['same-origin', 'none']);

export type Admission =
  | { readonly ok: true; readonly origin: string }
  | { readonly ok: false; readonly why: string };

/** @param publicUrl the https origin under which a proxy in front offers us; null where there is none */
export function admit(
  { method, headers }: { readonly method: string; readonly headers: IncomingHttpHeaders },
  publicUrl: URL | null,
): Admission {
  const host = (headers.host ?? '').toLowerCase();
  const isPublic = host === publicUrl?.host;
  if (!isPublic && !LOOPBACK_HOST.test(host))
    return {
      ok: false,
      why: 'The Host header names neither a loopback address nor the public name of this issuer.',
    };
  const own = isPublic ? (publicUrl?.origin ?? '') : `http://${host}`;
  const { origin } = headers;
  if (origin !== undefined && origin.toLowerCase() !== own)
    return { ok: false, why: 'Requests from pages of other sites are refused (foreign Origin).' };
  const site = single(headers['sec-fetch-site']);
  if (site !== undefined && !OWN_SITES.has(site) && !(method === 'GET' && isFollowedLink(headers)))
    return { ok: false, why: 'Requests from pages of other sites are refused (cross-site).' };
  return { ok: true, origin: own };
}

/** A page opened in a tab of its own, in nobody's frame. */
function isFollowedLink(headers: IncomingHttpHeaders): boolean {
  return single(headers['sec-fetch-mode']) === 'navigate' && single(headers['sec-fetch-dest']) === 'document';
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
