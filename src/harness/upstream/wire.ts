/** One answer on its way to the client, whatever the protocol. */
import type { Readable } from 'node:stream';
import type { HeaderPairs, Transcript } from '../../protocol/transcript.ts';
import type { Fault } from './scenario.ts';

export interface Wire {
  readonly http: Transcript['http'];
  /** Aborted when the client has gone before the answer was whole. */
  readonly gone: AbortSignal;
  /** Sends the head and returns the headers as they went out. */
  head(head: Head): HeaderPairs;
  /** Sends the beginning of a head and nothing of its end. */
  partialHead(head: Head): Promise<void>;
  /** Resolves when more may be written; never, where the client does not read or has gone. */
  write(bytes: Buffer): Promise<void>;
  /** Resolves when the kernel has all that was written. */
  flushed(): Promise<void>;
  /** Ends the message as its framing demands; resolves as `flushed` does. */
  end(): Promise<void>;
  /** Breaks the answer, or announces (`goaway`) that the connection will end. */
  strike(fault: Exclude<Fault, { kind: 'end' | 'hang' }>): Promise<void>;
  /** FIN after a whole answer, without having announced it. */
  closeConnection(): void;
}

export interface Head {
  readonly status: number;
  readonly headers: HeaderPairs;
  /** Epoch milliseconds, for `date`. */
  readonly now: number;
  readonly length: 'chunked' | 'content-length' | 'until-close';
  readonly bodyBytes: number;
}

/** A request as it arrived, before its body was read. */
export interface Arrival {
  /** Number of the connection, in order of arrival. */
  readonly connection: number;
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderPairs;
  readonly body: Readable;
  /** Once the body has ended: whether it ended as its framing promised. */
  bodyIsWhole(): boolean;
  readonly wire: Wire;
}

/** Node's flat list of names and values, in pairs. */
export function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, index) => [
    flat[2 * index] ?? '',
    flat[2 * index + 1] ?? '',
  ]);
}
