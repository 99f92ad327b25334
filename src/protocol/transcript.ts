/**
 * What one observer of the wire saw of one HTTP exchange: the line of a `witness/*.jsonl` file. The same
 * shape serves the client's side (a probe, or the recording relay in front of Claude Code) and the
 * upstream mock, so that the two can be laid side by side.
 */

/** In wire order, with duplicates and the case as received (lower case over HTTP/2). */
export type HeaderPairs = readonly (readonly [name: string, value: string])[];

export type Ending =
  /** The message ended as its framing promised. */
  | 'complete'
  /** The observer itself ended it on purpose: a probe that leaves, a scenario that resets. */
  | 'ended_by_self'
  /** The other side closed or reset before the message was whole. */
  | 'cut_by_peer'
  /** The observer's own limit struck. */
  | 'timeout';

export interface Transcript {
  readonly id: string;
  readonly side: 'client' | 'upstream';
  /** Who observed: `probe`, `relay` (in front of Claude Code), or the provider id of a mock. */
  readonly observer: string;
  /** Distinguishes the connections of one observer. */
  readonly connection: string;
  readonly http: '1.0' | '1.1' | '2';
  /** Epoch milliseconds of the first byte of the request. */
  readonly startedAt: number;
  readonly request: {
    readonly method: string;
    /** As on the wire: path and query, byte for byte. */
    readonly target: string;
    readonly headers: HeaderPairs;
    readonly body: Payload;
  };
  /** Absent where no status line was seen (or, upstream, sent). */
  readonly response?: {
    readonly status: number;
    readonly headers: HeaderPairs;
    /** The body as on the wire: still compressed where the answer was. */
    readonly body: Payload;
    /** Milliseconds from `startedAt` to the response head. */
    readonly headMs: number;
  };
  readonly ending: Ending;
  /** Milliseconds from `startedAt`. */
  readonly endedMs: number;
  /** The `request-id` that the mock minted, as sent or as received. */
  readonly requestId?: string;
  /** Upstream only: the scenario that was played, and its own account of itself. */
  readonly scenario?: string;
}

export interface Payload {
  readonly bytes: number;
  readonly sha256: string;
  /** Base64 of the bytes; absent where the observer was told not to keep bodies. */
  readonly base64?: string;
  /** Arrival (or departure) of each piece: milliseconds from `startedAt`, and its length. */
  readonly pieces: readonly (readonly [ms: number, bytes: number])[];
}
