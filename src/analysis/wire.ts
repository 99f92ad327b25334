/** Reads transcripts: headers, bodies and the few facts of a request that the checks go by. */
import type { HeaderPairs, Payload, Transcript } from '../protocol/transcript.ts';
import { isJsonObject, parseJson } from './json.ts';

/** The label of a provider's traffic in the log (contract, section 1). */
export const laneOf = (provider: string): string => (provider === 'anth' ? 'anthropic' : provider);

/** All values of a header, in order; the name in lower case. */
export function valuesOf(headers: HeaderPairs, name: string): string[] {
  return headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
}

/** The first value of a header; the name in lower case. */
export const valueOf = (headers: HeaderPairs, name: string): string | undefined => valuesOf(headers, name)[0];

/** RFC 9110 section 7.6.1, with the older ones that still circulate. */
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

/** Headers meant for the far end: neither hop-by-hop, nor named by `Connection`, nor an HTTP/2 pseudo-header. */
export function endToEnd(headers: HeaderPairs): HeaderPairs {
  const named = new Set(
    valuesOf(headers, 'connection').flatMap((value) =>
      value.split(',').map((token) => token.trim().toLowerCase()),
    ),
  );
  return headers.filter(([name]) => {
    const key = name.toLowerCase();
    return !HOP_BY_HOP.has(key) && !named.has(key) && !key.startsWith(':');
  });
}

const bodies = new WeakMap<Payload, Buffer>();

/** The bytes of a body; null where the observer did not keep them. */
export function bytesOf(payload: Payload): Buffer | null {
  if (payload.base64 === undefined) return payload.bytes === 0 ? Buffer.alloc(0) : null;
  const known = bodies.get(payload);
  if (known !== undefined) return known;
  const bytes = Buffer.from(payload.base64, 'base64');
  bodies.set(payload, bytes);
  return bytes;
}

/** Whether a request bears a probe's phrase: in its body or, where it has none, in a header. */
export function bears({ request }: Transcript, canary: string): boolean {
  if (canary === '') return false;
  return (
    bytesOf(request.body)?.includes(canary) || request.headers.some(([, value]) => value.includes(canary))
  );
}

export interface RequestFacts {
  /** Path without the query string. */
  readonly path: string;
  readonly op: 'messages' | 'count_tokens' | 'other';
  /** Top-level model of a JSON body; null where there is none. */
  readonly model: string | null;
}

const facts = new WeakMap<Transcript, RequestFacts>();

/** What a request asks for. Below a base path it is the end of the path that tells. */
export function requestFacts(transcript: Transcript): RequestFacts {
  const known = facts.get(transcript);
  if (known !== undefined) return known;
  const [path = ''] = originForm(transcript.request.target).split('?', 1);
  const op = path.endsWith('/v1/messages')
    ? 'messages'
    : path.endsWith('/v1/messages/count_tokens')
      ? 'count_tokens'
      : 'other';
  const read = { path, op, model: modelOf(transcript.request.body) } as const;
  facts.set(transcript, read);
  return read;
}

/** Path and query of a target, also where it was sent in absolute form (RFC 9112 section 3.2.2). */
export const originForm = (target: string): string => target.replace(/^https?:\/\/[^/?]*/i, '');

function modelOf(body: Payload): string | null {
  const value = parseJson(bytesOf(body)?.toString('utf8') ?? '');
  return isJsonObject(value) && typeof value['model'] === 'string' ? value['model'] : null;
}

export const isHaiku = (model: string | null): boolean => model !== null && /haiku/i.test(model);

/** Epoch milliseconds at which the observer saw the end. */
export const endOf = (transcript: Transcript): number => transcript.startedAt + transcript.endedMs;
