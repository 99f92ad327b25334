/** The clients of a run: Claude Code and how it is logged in, and the raw one with its requests. */
import type { HeaderPairs, Transcript } from '../../protocol/transcript.ts';
import type { ProbeResult } from '../../protocol/witness.ts';

/** How a Claude Code under test is logged in. Both are made up by the run. */
export type ClaudeCredentials =
  /** `ANTHROPIC_API_KEY`: sent as `x-api-key`. */
  | { readonly kind: 'key'; readonly key: string }
  /** A stored subscription login in the configuration folder: sent as a bearer. It also asks others about itself. */
  | {
      readonly kind: 'oauth';
      readonly token: string;
      readonly refreshToken: string;
      readonly outside: OutsideAccess;
    };

/** The way of a client to everybody who is no part of the run. */
export interface OutsideAccess {
  /** A forward proxy. */
  readonly proxyUrl: string;
  /** Absolute: the authority whose certificates it shows. */
  readonly caFile: string;
}

export type ClaudeLookup =
  | { readonly found: true; readonly path: string; readonly from: 'package' | 'path' }
  | { readonly found: false; readonly reason: string };

/** What one `claude -p` said of itself. */
export interface ClaudeRun {
  readonly startedAt: number;
  readonly ms: number;
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  /** Exit code 0 and `is_error: false`. `subtype` says "success" on API errors too, so it is not asked. */
  readonly ok: boolean;
  readonly text: string;
  readonly tokens?: NonNullable<ProbeResult['tokens']>;
  /** The whole JSON document, or null where there was none. */
  readonly report: Readonly<Record<string, unknown>> | null;
  readonly stderr: string;
  readonly reproduce: string;
}

/** A request of the raw client: nothing is added, reordered or normalised. */
export interface ProbeRequest {
  readonly method: string;
  /** The request target exactly as it goes on the request line. */
  readonly target: string;
  readonly headers: HeaderPairs;
  /** Pieces are written one by one, each after its delay in milliseconds. A string or buffer is one piece. */
  readonly body?: string | Buffer | readonly BodyPiece[];
  /** `chunked` frames each piece as one chunk and ends with the last chunk; `raw` (default) writes them as they are. */
  readonly framing?: 'raw' | 'chunked';
  /** Goes away on purpose. `reset` sends a RST, `close` a FIN. */
  readonly leave?: {
    readonly how: 'reset' | 'close';
    /** After so many response body bytes, */
    readonly afterBytes?: number;
    /** or so many milliseconds after the first byte was sent. */
    readonly afterMs?: number;
  };
  /** Reads at most `bytes` in every `everyMs`, so that the sender feels back-pressure. */
  readonly slowRead?: { readonly bytes: number; readonly everyMs: number };
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface BodyPiece {
  readonly bytes: string | Buffer;
  readonly afterMs?: number;
}

export interface ProbeAnswer {
  /** Bodies are always kept. */
  readonly transcript: Transcript;
  /** Statuses of the 1xx answers before the final one. */
  readonly informational: readonly number[];
  /** What made it end otherwise than complete. */
  readonly problem?: string;
}
