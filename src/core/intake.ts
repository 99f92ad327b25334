/** Takes a request body in, whole and capped. */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../platform/clock.ts';
import type { Deadline } from './deadlines.ts';

export type Intake =
  /** In the pieces in which it came: to join them would cost as much as to send them. */
  | { readonly kind: 'whole'; readonly pieces: readonly Buffer[]; readonly bytes: number }
  | { readonly kind: 'too_large'; readonly bytes: number }
  /** The client left, or its framing broke, before the end. */
  | { readonly kind: 'cut_short'; readonly bytes: number }
  /** The client sent nothing for a minute. */
  | { readonly kind: 'stalled'; readonly bytes: number };

export interface IntakeOptions {
  /** Bytes that `content-length` promises, where there is one. */
  readonly announced: number | undefined;
  /** Bytes that are buffered at most. */
  readonly cap: number;
  /** Called when the body is wanted: a client may be waiting for `100 Continue`. */
  readonly invite: () => void;
  readonly clock: Clock;
  readonly deadline: Deadline;
}

/** Longer than a client that is alive pauses in an upload; what it sent so far is kept in memory meanwhile. */
const STALL_MS = 60_000;

/** The size that pieces must have on average to be left as they are; a client may send a chunk for each byte. */
const FINE_FROM_BYTES = 16 * 1024;

export function takeIn(request: IncomingMessage, options: IntakeOptions): Promise<Intake> {
  const { announced, cap, invite, clock, deadline } = options;
  if (announced !== undefined && announced > cap) return Promise.resolve({ kind: 'too_large', bytes: 0 });
  invite();
  return new Promise((resolve) => {
    let pieces: Buffer[] = [];
    let bytes = 0;
    const cutShort = (): void => settle({ kind: 'cut_short', bytes });

    deadline.owner = { overdue: () => settle({ kind: 'stalled', bytes }) };
    deadline.at = clock.monotonic() + STALL_MS;
    request.on('data', take).on('end', finish).on('error', cutShort).on('close', cutShort);

    function take(piece: Buffer): void {
      bytes += piece.length;
      deadline.at = clock.monotonic() + STALL_MS;
      if (bytes > cap) settle({ kind: 'too_large', bytes: bytes - piece.length });
      else pieces.push(piece);
    }

    function finish(): void {
      // Each piece is sent on by itself: many small ones cost more than their copy.
      const isFine = bytes >= FINE_FROM_BYTES * pieces.length || pieces.length === 1;
      settle({ kind: 'whole', pieces: isFine ? pieces : [Buffer.concat(pieces, bytes)], bytes });
    }

    // The listeners go, and with them what they hold: the request lives until its answer has ended.
    function settle(intake: Intake): void {
      request.off('data', take).off('end', finish).off('error', cutShort).off('close', cutShort);
      pieces = [];
      deadline.at = Number.POSITIVE_INFINITY;
      deadline.owner = null;
      resolve(intake);
    }
  });
}
