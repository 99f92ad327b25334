/** The words that the data plane and the features share. Features import these and never each other. */
import type { Anomaly } from '../protocol/anomaly.ts';
import type { AnthropicErrorType, ErrorFacts } from '../protocol/error-body.ts';
import type { Standing } from '../protocol/standing.ts';
import type { UpstreamError } from '../protocol/upstream-error.ts';
import type {
  CompletionEvent,
  Decision,
  DecisionEvent,
  ErrType,
  HeaderMode,
  Op,
  StreamStartEvent,
  Tokens,
} from '../protocol/usage-event.ts';

/** What is known of a request before anything is decided. */
export interface RequestFacts {
  readonly method: string;
  /** Path without the query string, as received. */
  readonly path: string;
  readonly op: Op;
  /** Top-level `model` of the body; null where there is none, or the body is not JSON. */
  readonly model: string | null;
}

/** An upstream, ready to be used. Built by routing from the catalog; replaced whole on a reload. */
export interface Provider {
  readonly id: string;
  /** The label of its traffic in logs and counts; `anth` logs as `anthropic`. */
  readonly lane: string;
  /** `https://host[:port]`, without a path. */
  readonly origin: string;
  /** Put before the request path; empty or `/like/this`. */
  readonly basePath: string;
  /** `client`: the client's own credentials pass unchanged (built-in `anth` only). */
  readonly auth: { readonly kind: 'client' } | ProviderKey;
  /** Lower-case names of further request headers that this provider must not see. */
  readonly dropHeaders: readonly string[];
  /** Client model → the name sent upstream; empty for most. */
  readonly rewriteModel: ReadonlyMap<string, string>;
  readonly h2: boolean;
  /** The licence feature without which nothing goes here; null for a provider that needs none. */
  readonly feature: string | null;
  /** Ids of the providers that may take over an exchange that this one failed. */
  readonly fallback: readonly string[];
}

export interface ProviderKey {
  readonly kind: 'key';
  readonly headerMode: HeaderMode;
  /** The environment variable that names the key. */
  readonly env: string;
  /** Null where the variable is not set: then the provider is not chosen (`no_credential`). */
  readonly key: string | null;
}

/** Where an exchange goes first, why, and who may take over. */
export interface Route {
  readonly provider: Provider;
  readonly decision: Decision;
  readonly alternatives: readonly Provider[];
  /** What the client gets where nothing may be sent at all; absent where something may. */
  readonly refusal?: Refusal;
}

/** An answer of our own in place of any upstream's. */
export interface Refusal {
  readonly status: number;
  readonly type: AnthropicErrorType;
  /** A sentence for the client. */
  readonly message: string;
  readonly errType: ErrType;
  /** Further headers, alternating names and values. */
  readonly headers?: readonly string[];
}

/** Asked at each decision, and again before another lane takes over. Looks and changes nothing. */
export type Gate = (lane: string, request: RequestFacts) => Standing;

/** Chooses the route of one exchange; a pure function over facts and a snapshot of states. */
export type Router = (facts: RequestFacts) => Route;

export type { FallbackCause } from '../protocol/upstream-error.ts';

/** A feature that wants to know of exchanges. Called in the order listed in `ccp.ts`; must not throw or block. */
export interface ExchangeObserver {
  onDecision?(event: DecisionEvent): void;
  onStreamStart?(event: StreamStartEvent): void;
  onCompletion?(event: CompletionEvent): void;
  onAnomaly?(anomaly: Anomaly): void;
  /**
   * Another attempt is decided, in the same turn in which the gate was asked for it: of many exchanges that fail at once,
   * each finds what those before it have taken. It may not come to it, where the client leaves.
   */
  onPlan?(attempt: AttemptFacts): void;
  /** An attempt begins; the first one in the same turn of the event loop in which it was decided. */
  onAttempt?(attempt: AttemptFacts): void;
  /** The head of an answer came, whether or not it goes to the client. */
  onAnswer?(answer: AnswerFacts): void;
  /** An attempt was refused for a limit of the upstream (`err_type` `limit`), held back or passed on. */
  onLimit?(limit: LimitFacts): void;
  /** Gauge of exchanges under way. */
  onInflight?(count: number): void;
}

/** One attempt of an exchange. */
export interface AttemptFacts {
  readonly rid: string;
  readonly lane: string;
  readonly provider: string;
  readonly model: string | null;
  readonly op: Op;
  readonly decision: Decision;
}

export interface AnswerFacts extends AttemptFacts {
  readonly status: number;
  /** Alternating names and values, as received. */
  readonly headers: readonly string[];
}

export interface LimitFacts extends AttemptFacts {
  readonly error: UpstreamError;
  /** Whether another provider takes over, so that the client does not see it. */
  readonly sentOn: boolean;
  /** Milliseconds that the attempt took. */
  readonly ms: number;
}

/** Keeps what a client had been sent of a stream that ended abnormally. */
export interface PartialSink {
  /** Returns false where it could not be written; never throws. */
  write(rid: string, pieces: readonly Buffer[]): boolean;
}

/** What the tap read from a copy of a response. */
export interface TapResult {
  readonly tokens?: Tokens;
  readonly servedModel?: string;
  /** Counts of a stream; absent for other answers. */
  readonly sse?: { readonly events: number; readonly maxGapMs: number; readonly finished: boolean };
  /** The type of an error body or an in-stream `event: error`, e.g. `overloaded_error`; and its code if any. */
  readonly error?: ErrorFacts;
  /** Event types that the published protocol does not list. */
  readonly unknownEvents: readonly string[];
  /** The first breach of the published protocol, e.g. `a second message_start`; absent where there was none. */
  readonly violation?: string;
  /** A JSON answer that stops before its end; absent for others. */
  readonly torn?: boolean;
  /** Why the tap could not read the answer to its end; absent where it could. */
  readonly gaveUp?: string;
}

/** Watches a copy of one response body. Never throws, never holds the bytes up. */
export interface Tap {
  /** A piece as it came from the upstream, still compressed; `at` in monotonic milliseconds. */
  write(piece: Buffer, at: number): void;
  /**
   * What was read, once all pieces are digested (decompression may lag a little); the same for every call.
   * No piece may follow.
   */
  end(): Promise<TapResult> | TapResult;
}

/** An endpoint of our own (`/healthz`, `/v1/ccp/…`). */
export interface Endpoint {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  handle(
    request: EndpointRequest,
  ): Promise<EndpointAnswer | EndpointStream> | EndpointAnswer | EndpointStream;
}

export interface EndpointRequest {
  readonly query: URLSearchParams;
  /** At most 1 MiB. */
  readonly body: Buffer;
}

export interface EndpointAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** An answer without an end of its own: it lasts until its client leaves, is dropped, or the door closes. */
export interface EndpointStream {
  readonly status: number;
  readonly contentType: string;
  /** Called once the head is out; gives what to do when it is over, whoever ended it. */
  readonly start: (client: StreamClient) => () => void;
}

/** Who reads a stream of our own. */
export interface StreamClient {
  /** Never waits; gives the bytes that the client has not taken yet. */
  write(text: string): number;
  /** Cuts the connection: for one that does not keep up. */
  drop(): void;
}
