/** Base URLs of upstreams: read, and refused where keys or prompts could leak on the way. */

export interface BaseUrl {
  /** `https://host[:port]`. */
  readonly origin: string;
  /** Empty or `/like/this`, as written: it is put before the client's path. */
  readonly basePath: string;
}

export const BASE_URL_ALLOWED =
  'an https URL (http only to a loopback host), without credentials, query and fragment';

/** Reads a base URL; null where it is not what `BASE_URL_ALLOWED` says. */
export function parseBaseUrl(text: string): BaseUrl | null {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '') return null;
  // `URL` drops an empty query or fragment, but whoever wrote one meant something.
  if (/[?#]/.test(text)) return null;
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopbackHost(url.hostname))) return null;
  return { origin: url.origin, basePath: url.pathname.replace(/\/+$/, '') };
}

/** Whether a host name or address, with or without brackets, can only mean this machine. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return bare === 'localhost' || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare);
}
