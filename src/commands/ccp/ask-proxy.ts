/** Speaks to the proxy that runs with these settings. */
import { type IncomingMessage, request } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { z } from 'zod';
import type { LoadedCcp } from '../../config/ccp-settings.ts';
import { OperatorError } from '../../errors.ts';
import { patience } from '../shared/patience.ts';

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Milliseconds; five seconds unless said otherwise. */
  readonly patienceMs?: number;
}

export type ProxyAnswer =
  | { readonly answered: true; readonly status: number; readonly body: string }
  /** Nobody listens, or nobody answered in time. */
  | { readonly answered: false; readonly why: string };

const PATIENCE_MS = 5000;

/** Where this machine reaches the listener. */
export function proxyUrl({ settings: { host, port } }: LoadedCcp): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Asks, with the client token where one is set. Never throws for what the other side does. */
export async function askProxy(
  loaded: LoadedCcp,
  { method, path, headers, body, patienceMs = PATIENCE_MS }: Question,
): Promise<ProxyAnswer> {
  const { host, port } = loaded.settings;
  const token = loaded.secrets.get('CCP_CLIENT_TOKEN');
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sending = request({
    // What listens on every address is reached on loopback too.
    host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host,
    port,
    method,
    path,
    agent: false,
    headers: { ...headers, ...(token !== null && { 'x-ccp-token': token }) },
    signal: patience(patienceMs),
  });
  sending.on('response', resolve).on('error', reject).end(body);
  try {
    const response = await promise;
    return { answered: true, status: response.statusCode ?? 0, body: await readText(response) };
  } catch (error) {
    return { answered: false, why: reasonOf(error, patienceMs) };
  }
}

function reasonOf(error: unknown, patienceMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'AbortError') return `no answer within ${patienceMs} ms`;
  return 'code' in error ? String(error.code) : error.message;
}

const refusal = z.object({ error: z.object({ message: z.string().startsWith('ccp: ') }) });

interface Answered {
  readonly status: number;
  readonly body: string;
}

/** Why the proxy does not take what it was sent, as it says; null where that is not what it answers. */
export const reasonIn = ({ status, body }: Answered): string | null =>
  status === 400 ? ownMessage(body) : null;

/** Throws `NOT_READY` where the proxy at `url` says that it failed at `path` by a fault of its own. */
export function throwFault({ status, body }: Answered, url: string, path: string): void {
  const fault = status === 500 ? ownMessage(body) : null;
  if (fault !== null) throw new OperatorError('NOT_READY', `the proxy at ${url} failed at ${path}: ${fault}`);
}

function ownMessage(body: string): string | null {
  try {
    return refusal.parse(JSON.parse(body)).error.message.slice('ccp: '.length);
  } catch {
    return null;
  }
}
