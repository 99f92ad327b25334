/**
 * Hands one upstream answer to the client: the bytes unchanged, back-pressure kept, a copy to the tap. The
 * meter stands beside the bytes; nothing here waits for it.
 */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../platform/clock.ts';
import type { Retained } from './retention.ts';
import type { Tap } from './types.ts';

/** The head of an upstream answer. */
export interface AnswerHead {
  readonly status: number;
  readonly statusMessage: string;
  /** Alternating names and values, as received. */
  readonly headers: readonly string[];
  readonly h2: boolean;
}

/** Holds the upstream up while the client is slow. */
export interface Valve {
  pause(): void;
  resume(): void;
}

export interface RelayOptions {
  readonly response: ServerResponse;
  readonly clock: Clock;
  readonly head: AnswerHead;
  /** What the client gets of the head: hop-by-hop headers removed. */
  readonly headers: string[];
  readonly valve: Valve;
  readonly tap: Tap | null;
  readonly retained: Retained | null;
  /** Called with the monotonic time of each sign of life, and with Infinity while the client holds us up. */
  readonly onPulse: (at: number) => void;
}

export interface Relay {
  write(piece: Buffer): void;
  /** The upstream ended its answer as its framing promised. */
  end(): void;
  /** The upstream broke: so does the client's connection, as it would have without us. */
  break(): void;
  readonly counts: RelayCounts;
}

export interface RelayCounts {
  /** Body bytes received from the upstream, which are the bytes handed to the client. */
  bytes: number;
  /** Reads in which they came. */
  reads: number;
  /** Monotonic times of the first and the last read. */
  firstAt: number;
  lastAt: number;
}

/** Sends the head on and returns the relay for the body. Throws where the head cannot be written at all. */
export function startRelay(options: RelayOptions): Relay {
  const { response, clock, head, valve, tap, retained, onPulse } = options;
  const counts: RelayCounts = { bytes: 0, reads: 0, firstAt: 0, lastAt: 0 };
  let pending: Buffer[] = [];
  let scheduled = false;
  let draining = false;
  let over = false;

  response.sendDate = false;
  response.writeHead(head.status, head.statusMessage, options.headers);
  schedule();

  return {
    counts,
    write(piece) {
      counts.bytes += piece.length;
      pending.push(piece);
      schedule();
    },
    end() {
      over = true;
      const rest = takePending();
      if (rest === null) response.end();
      else response.end(rest);
    },
    break() {
      over = true;
      const rest = takePending();
      if (rest !== null) response.write(rest);
      // After what is still under way: the client sees every byte that came, and then the break.
      response.socket?.destroySoon();
    },
  };

  /**
   * All pieces that one socket read brings go out as one write, and past the tap as one: halves the cost of
   * fast streams. The flush runs when the read is digested, in the same turn of the event loop, so nothing is
   * held back.
   */
  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    process.nextTick(flush);
  }

  function flush(): void {
    scheduled = false;
    if (over || response.destroyed) return;
    const joined = takePending();
    if (joined === null) {
      response.flushHeaders();
      return;
    }
    if (response.write(joined) || draining) return;
    draining = true;
    valve.pause();
    onPulse(Number.POSITIVE_INFINITY);
    response.once('drain', () => {
      draining = false;
      onPulse(clock.monotonic());
      valve.resume();
    });
  }

  function takePending(): Buffer | null {
    if (pending.length === 0) return null;
    const [only] = pending;
    const joined = only !== undefined && pending.length === 1 ? only : Buffer.concat(pending);
    pending = [];
    const at = clock.monotonic();
    if (counts.reads === 0) counts.firstAt = at;
    counts.lastAt = at;
    counts.reads += 1;
    tap?.write(joined, at);
    retained?.add(joined);
    // A pause takes effect with the next read: that one is no end of the client's holding us up.
    if (!draining) onPulse(at);
    return joined;
  }
}
