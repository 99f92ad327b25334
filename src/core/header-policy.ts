/**
 * Which headers cross the proxy: a pure function per direction, always from a fresh copy of what was
 * received. Flat arrays of alternating names and values, as Node and undici keep them, so that order, case
 * and duplicates survive.
 */
import type { Provider } from './types.ts';

/** RFC 9110 section 7.6.1, and the older ones that still circulate. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Ours to answer or to rebuild: the upstream request has its own of each. */
const REBUILT = new Set(['host', 'content-length', 'expect', 'x-ccp-token']);

const CLIENT_CREDENTIALS = new Set([
  'authorization',
  'x-api-key',
  'api-key',
  'x-auth-token',
  'cookie',
  'cookie2',
]);
const ACCOUNT_HEADER = /organi[sz]ation|account|workspace/;
/** Every Anthropic secret, key or token, starts like this; one in a custom header is still one. */
const ANTHROPIC_SECRET = 'sk-ant-';

/**
 * The headers of one attempt.
 * @param received alternating names and values as the client sent them
 * @param contentLength bytes of the body where it is known and no other part of the client adds it
 */
export function requestHeaders(
  received: readonly string[],
  provider: Provider,
  contentLength?: number,
): string[] {
  const named = connectionNamed(received);
  const headers: string[] = [];
  for (let i = 0; i < received.length; i += 2) {
    const name = at(received, i);
    const value = at(received, i + 1);
    const key = name.toLowerCase();
    if (HOP_BY_HOP.has(key) || REBUILT.has(key) || named?.has(key)) continue;
    if (provider.auth.kind === 'key' && isClientCredential(key, value)) continue;
    if (provider.dropHeaders.includes(key)) continue;
    headers.push(name, value);
  }
  if (contentLength !== undefined) headers.push('content-length', String(contentLength));
  if (provider.auth.kind === 'key' && provider.auth.key !== null) {
    if (provider.auth.headerMode === 'x-api-key') headers.push('x-api-key', provider.auth.key);
    else headers.push('authorization', `Bearer ${provider.auth.key}`);
  }
  return headers;
}

/** The headers handed to the client: everything but hop-by-hop. Same order, case and duplicates. */
export function responseHeaders(received: readonly string[]): string[] {
  const named = connectionNamed(received);
  const headers: string[] = [];
  for (let i = 0; i < received.length; i += 2) {
    const name = at(received, i);
    const value = at(received, i + 1);
    const key = name.toLowerCase();
    if (HOP_BY_HOP.has(key) || named?.has(key)) continue;
    headers.push(name, value);
  }
  return headers;
}

/** The first value of a header in a flat list; the name in lower case. */
export function headerValue(headers: readonly string[], name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    const candidate = at(headers, i);
    if (candidate.length === name.length && candidate.toLowerCase() === name) return headers[i + 1];
  }
  return undefined;
}

function isClientCredential(key: string, value: string): boolean {
  return CLIENT_CREDENTIALS.has(key) || ACCOUNT_HEADER.test(key) || value.includes(ANTHROPIC_SECRET);
}

function connectionNamed(headers: readonly string[]): Set<string> | undefined {
  let named: Set<string> | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    const name = at(headers, i);
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue;
    for (const token of at(headers, i + 1).split(',')) {
      const key = token.trim().toLowerCase();
      if (key !== '' && key !== 'keep-alive' && key !== 'close') (named ??= new Set()).add(key);
    }
  }
  return named;
}

/** Flat lists are always whole pairs. */
function at(headers: readonly string[], index: number): string {
  return headers[index] ?? '';
}
