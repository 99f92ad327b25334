/** The body of a client's request, for as many attempts as need it. */
import type { IncomingMessage } from 'node:http';
import { type BodyFacts, spliceModel } from '../protocol/body-scan.ts';
import { announcedLength } from './inbound-request.ts';
import type { RequestBody } from './outbound-request.ts';
import type { Provider } from './types.ts';

export interface InboundBody {
  /** Keeps a body that was taken in whole. */
  hold(pieces: readonly Buffer[], facts: BodyFacts): void;
  /** Lets go of it: no further attempt can need it. */
  release(): void;
  /** What a provider is sent: the bytes as they came, but for a model that its catalog entry renames. */
  forProvider(provider: Provider): RequestBody;
  /** Whether it can be sent a second time: one that streams through cannot. */
  repeatable(): boolean;
}

/**
 * @param invite called when the body is wanted
 * @param onBytes told of bytes that stream through
 */
export function createInboundBody(
  request: IncomingMessage,
  invite: () => void,
  onBytes: (bytes: number) => void,
): InboundBody {
  let held: { readonly pieces: readonly Buffer[]; readonly facts: BodyFacts } | null = null;
  let streams = false;

  async function* uploaded(): AsyncGenerator<Buffer> {
    invite();
    const pieces: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
    for await (const piece of pieces) {
      onBytes(piece.length);
      yield piece;
    }
  }

  return {
    hold(pieces, facts) {
      held = { pieces, facts };
    },
    release() {
      held = null;
    },
    forProvider({ rewriteModel }) {
      if (held !== null) {
        const { pieces, facts } = held;
        if (pieces.length === 0) return { kind: 'none' };
        const renamed = facts.model === null ? undefined : rewriteModel.get(facts.model);
        if (renamed === undefined || facts.modelSpan === null) return { kind: 'held', pieces };
        return { kind: 'held', pieces: spliceModel(pieces, facts.modelSpan, renamed) };
      }
      const length = announcedLength(request);
      if (length === 0 || (length === undefined && request.headers['transfer-encoding'] === undefined)) {
        return { kind: 'none' };
      }
      streams = true;
      return { kind: 'stream', pieces: uploaded(), length };
    },
    repeatable: () => !streams,
  };
}
