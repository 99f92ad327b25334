/** The connections to all upstreams: one pool per origin and protocol choice, made on first use. */
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { type Dispatcher, Pool } from 'undici';
import type { Clock } from '../../platform/clock.ts';
import type { ErrType } from '../../protocol/usage-event.ts';
import type { Provider } from '../types.ts';
import { createConnector } from './connector.ts';
import { failureType, isGoaway } from './failure.ts';
import { type FileAnswer, type FileRequest, getFile } from './get-file.ts';

export interface UpstreamOptions {
  readonly clock: Clock;
  readonly dialTimeoutMs: number;
  readonly tlsTimeoutMs: number;
  readonly keepAliveDelayMs: number;
  /** PEM text of further certificate authorities; verification itself is never turned off. */
  readonly extraCa: string | null;
  /** The port we listen on ourselves, which no upstream may be. */
  readonly ownPort: () => number;
  /** Milliseconds between two PING frames on an HTTP/2 connection. */
  readonly h2PingMs?: number;
}

export type ProbeOutcome =
  | { readonly status: number; readonly ms: number }
  | { readonly error: ErrType; readonly message: string; readonly ms: number };

export interface Upstreams {
  dispatch(
    provider: Provider,
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): void;
  /** Whether the connection to a provider speaks HTTP/2; undefined before there was one. */
  speaksH2(provider: Provider): boolean | undefined;
  /** Asks whether an upstream answers at all: a request without credentials, whose body is not read. */
  readonly probe: (provider: Provider, timeoutMs: number) => Promise<ProbeOutcome>;
  /** Gets a file of whatever place, over HTTP/1.1; carries no credential. */
  readonly getFile: (request: FileRequest) => Promise<FileAnswer>;
  /** Ends all connections; exchanges under way fail. */
  close(): Promise<void>;
}

/** What a pool is for. */
type Place = Pick<Provider, 'origin' | 'h2'>;

/** The pool of a provider: HTTP/1.1 on demand never shares a connection with HTTP/2. */
function keyOf({ origin, h2 }: Place): string {
  return h2 ? origin : `${origin} h1`;
}

/** Idle connections are given up before common servers and load balancers (5 s and up) close them. */
const IDLE_MS = 4_000;

/** Often enough to notice a dead connection within a minute or so, and no flood to any server. */
const H2_PING_MS = 15_000;

export function createUpstreams(options: UpstreamOptions): Upstreams {
  const { h2PingMs = H2_PING_MS } = options;
  const pools = new Map<string, Pool>();
  /** Which protocol the newest connection of each pool agreed on. */
  const agreed = new Map<string, boolean>();
  const retired = new Set<Pool>();
  let secureContext: SecureContext | undefined;

  const poolOf = (place: Place): Pool => {
    const { h2 } = place;
    const key = keyOf(place);
    let pool = pools.get(key);
    if (pool === undefined) {
      secureContext ??= createSecureContext({ ca: trustedAuthorities(options.extraCa) });
      pool = new Pool(place.origin, {
        connect: createConnector({
          ...options,
          secureContext,
          h2,
          // Two answers may be missing before the peer counts as gone.
          h2SilenceMs: 3 * h2PingMs,
          onConnected: (spoken) => void agreed.set(key, spoken),
        }),
        allowH2: h2,
        // Limits are our own: undici's tick once a second.
        headersTimeout: 0,
        bodyTimeout: 0,
        keepAliveTimeout: IDLE_MS,
        maxHeaderSize: 64 * 1024,
        strictContentLength: true,
        h2Options: { pingInterval: h2PingMs },
      });
      pools.set(key, pool);
      retireOnGoaway(key, pool);
      failTogether(key, pool);
    }
    return pool;
  };

  /**
   * After a GOAWAY undici opens no other connection while streams of the old one run, which may be minutes:
   * the pool is left to bring them to their end, and whoever comes next gets a new one.
   */
  const retireOnGoaway = (key: string, pool: Pool): void => {
    pool.on('disconnect', (_origin, _targets, error) => {
      if (!isGoaway(error) || pools.get(key) !== pool) return;
      pools.delete(key);
      retired.add(pool);
      void pool.close().then(() => retired.delete(pool));
    });
  };

  /**
   * Until it knows the protocol, undici lets all requests wait for one connection, and when that fails makes
   * the next one for the next in line: the fiftieth would hear after fifty times the limit on dialling that a
   * host does not answer. Here all that wait for a connection fail with it.
   */
  const failTogether = (key: string, pool: Pool): void => {
    // Before undici's own listener, which would dial again.
    pool.prependListener('connectionError', (_origin, _targets, error) => {
      const { queued, running } = pool.stats;
      if (queued === 0 || running > 0) return;
      if (pools.get(key) === pool) pools.delete(key);
      void pool.destroy(error);
    });
  };

  return {
    dispatch(provider, request, handler) {
      poolOf(provider).dispatch(request, handler);
    },
    speaksH2: (provider) => agreed.get(keyOf(provider)),
    probe(provider, timeoutMs) {
      return probe(poolOf(provider), provider, timeoutMs, options.clock);
    },
    getFile(request) {
      return getFile(poolOf({ origin: request.url.origin, h2: false }), request, options.clock);
    },
    async close() {
      await Promise.all([...pools.values(), ...retired].map((pool) => pool.destroy()));
    },
  };
}

function trustedAuthorities(extraCa: string | null): string[] {
  // The default list honours NODE_EXTRA_CA_CERTS and the choice of store made on Node's command line.
  return [...getCACertificates('default'), ...(extraCa === null ? [] : [extraCa])];
}

function probe(pool: Pool, provider: Provider, timeoutMs: number, clock: Clock): Promise<ProbeOutcome> {
  const startedAt = clock.monotonic();
  const elapsed = (): number => Math.round(clock.monotonic() - startedAt);
  return new Promise((resolve) => {
    let abort: (() => void) | undefined;
    let over = false;
    const settle = (outcome: ProbeOutcome): void => {
      over = true;
      stop();
      resolve(outcome);
      abort?.();
    };
    const stop = clock.after(timeoutMs, () =>
      settle({ error: 'timeout', message: `no answer within ${timeoutMs} ms`, ms: elapsed() }),
    );
    // GET where only POST is served: a healthy upstream says 405 or 401 at once, and spends nothing.
    pool.dispatch(
      { method: 'GET', path: `${provider.basePath}/v1/messages`, headers: ['accept', 'application/json'] },
      {
        onRequestStart(controller) {
          abort = () => controller.abort(new Error('the probe is over'));
          if (over) abort();
        },
        onResponseStart(_controller, status) {
          if (status >= 200) settle({ status, ms: elapsed() });
        },
        onResponseData() {},
        onResponseEnd() {},
        onResponseError(_controller, error) {
          if (!over) settle({ error: failureType(error), message: error.message, ms: elapsed() });
        },
      },
    );
  });
}
