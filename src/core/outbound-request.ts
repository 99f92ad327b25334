/** What one attempt sends: the client's request in the terms of undici's dispatch. */
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { requestHeaders } from './header-policy.ts';
import type { Provider } from './types.ts';

export interface OutboundRequest {
  readonly method: string;
  /** Path and query, byte for byte. */
  readonly target: string;
  /** Alternating names and values as the client sent them. */
  readonly headers: readonly string[];
  readonly body: RequestBody;
}

export type RequestBody =
  | { readonly kind: 'none' }
  /** Taken in whole; the exchange lets go of it when no further attempt can need it. */
  | { readonly kind: 'held'; readonly pieces: readonly Buffer[] }
  /** Passed through as it comes; can be sent once. */
  | { readonly kind: 'stream'; readonly pieces: AsyncIterable<Buffer>; readonly length: number | undefined };

/** A small body is cheaper handed over as it is. */
const ONE_SHOT_FROM_BYTES = 16 * 1024;

/** The dispatch of a request to a provider: its path prefix, its header policy, the body as it is held. */
export function dispatchOptions(
  provider: Provider,
  { method, target, headers, body }: OutboundRequest,
): Dispatcher.DispatchOptions {
  const path = provider.basePath + target;
  switch (body.kind) {
    case 'none':
      return { method, path, headers: requestHeaders(headers, provider) };
    case 'stream':
      return {
        method,
        path,
        headers: requestHeaders(headers, provider, body.length),
        body: iterable(body.pieces),
      };
    case 'held': {
      const { pieces } = body;
      const [only] = pieces;
      if (
        only !== undefined &&
        pieces.length === 1 &&
        only.length < ONE_SHOT_FROM_BYTES &&
        !mayBecomeH2(provider)
      )
        return { method, path, headers: requestHeaders(headers, provider), body: only };
      const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
      return {
        method,
        path,
        headers: requestHeaders(headers, provider, length),
        body: iterable(oneShot(pieces)),
      };
    }
  }
}

/** Over HTTP/2 undici repeats by itself what it can, unrecorded and again for each repetition of ours. */
function mayBecomeH2({ h2, origin }: Provider): boolean {
  return h2 && origin.startsWith('https:');
}

/** undici takes iterables as bodies (its manual says so), its types do not. */
function iterable(pieces: Iterable<Buffer> | AsyncIterable<Buffer>): Readable;
function iterable(pieces: unknown): unknown {
  return pieces;
}

/** undici keeps its body until the answer has ended; this one lets go of each piece as it is handed over. */
function oneShot(pieces: readonly Buffer[]): Iterable<Buffer> {
  const left = pieces.toReversed();
  const next = (): IteratorResult<Buffer> => {
    const value = left.pop();
    return value === undefined ? { done: true, value } : { done: false, value };
  };
  return { [Symbol.iterator]: () => ({ next }) };
}
