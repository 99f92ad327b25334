/**
 * A small world for tests of the data plane: the gateway on a port of its own, upstreams under the test's
 * command, and everything that the proxy recorded. Haiku goes to `zai`, which falls back to `anth`.
 */
import { type Clock, systemClock } from '../../platform/clock.ts';
import { createRandomIds } from '../../platform/ids.ts';
import type { Anomaly } from '../../protocol/anomaly.ts';
import type { CompletionEvent, DecisionEvent, StreamStartEvent } from '../../protocol/usage-event.ts';
import { createDeadlines } from '../deadlines.ts';
import { createGateway, type Gateway, type GatewayOptions } from '../gateway.ts';
import type { ExchangeLimits } from '../limits.ts';
import { createRetention } from '../retention.ts';
import type { StepPolicy } from '../steps.ts';
import type { Provider, Router } from '../types.ts';
import { createUpstreams } from '../upstream/upstreams.ts';
import { type Call, type RawUpstreamOptions, startRawUpstream } from './raw-upstream.ts';
import { until } from './wait.ts';

export const ZAI_KEY = 'zai-key-made-up';
export const CONTROL_TOKEN = 'control-token-made-up';

export interface WorldOptions {
  /** Origin of the Anthropic lane. */
  readonly anth: string;
  /** Origin of the Z.AI lane; without one, that lane points nowhere. */
  readonly zai?: string;
  readonly anthProvider?: Partial<Provider>;
  readonly zaiProvider?: Partial<Provider>;
  readonly router?: Router;
  readonly limits?: Partial<ExchangeLimits>;
  readonly policy?: Partial<StepPolicy>;
  readonly clock?: Clock;
  /** PEM of the authority that the upstreams' certificates come from. */
  readonly extraCa?: string;
  readonly gateway?: Partial<GatewayOptions>;
}

export interface World extends AsyncDisposable {
  readonly port: number;
  readonly gateway: Gateway;
  readonly decisions: readonly DecisionEvent[];
  readonly streamStarts: readonly StreamStartEvent[];
  readonly completions: readonly CompletionEvent[];
  readonly anomalies: readonly Anomaly[];
  /** What the program said, a line each. */
  readonly log: readonly string[];
  /** Partials by exchange id. */
  readonly partials: ReadonlyMap<string, Buffer>;
  /** Waits for the n-th completion, counted from 1. */
  completion(n?: number): Promise<CompletionEvent>;
}

/** Nothing listens there: port 1 needs privileges that nobody uses. */
const NOWHERE = 'http://127.0.0.1:1';

const GENEROUS: ExchangeLimits = {
  maxBody: 64 * 1024 * 1024,
  headMs: 20_000,
  jsonMs: 20_000,
  streamIdleMs: 20_000,
};

export async function startWorld(options: WorldOptions): Promise<World> {
  const { clock = systemClock, anth, zai = NOWHERE } = options;
  const decisions: DecisionEvent[] = [];
  const streamStarts: StreamStartEvent[] = [];
  const completions: CompletionEvent[] = [];
  const anomalies: Anomaly[] = [];
  const log: string[] = [];
  const partials = new Map<string, Buffer>();
  const say = (message: string): void => void log.push(message);
  let port = 0;
  const upstreams = createUpstreams({
    clock,
    dialTimeoutMs: 5_000,
    tlsTimeoutMs: 5_000,
    keepAliveDelayMs: 30_000,
    extraCa: options.extraCa ?? null,
    ownPort: () => port,
  });
  const gateway = createGateway({
    clock,
    ids: createRandomIds(),
    log: { info: say, warn: say, error: say },
    router: options.router ?? createRouter({ ...options, zai, anth }),
    upstreams,
    deadlines: createDeadlines(clock),
    retention: createRetention(),
    partials: {
      write(rid, pieces) {
        partials.set(rid, Buffer.concat(pieces));
        return true;
      },
    },
    observers: [
      {
        onDecision: (event) => void decisions.push(event),
        onStreamStart: (event) => void streamStarts.push(event),
        onCompletion: (event) => void completions.push(structuredClone(event)),
        onAnomaly: (anomaly) => void anomalies.push(anomaly),
      },
    ],
    policy: { fallback: new Set(['auth', 'limit', 'overload', 'net']), backoff: false, ...options.policy },
    limits: { ...GENEROUS, ...options.limits },
    profile: null,
    endpoints: [],
    clientToken: null,
    controlToken: CONTROL_TOKEN,
    ...options.gateway,
  });
  port = await gateway.listen(0, '127.0.0.1');

  return {
    port,
    gateway,
    decisions,
    streamStarts,
    completions,
    anomalies,
    log,
    partials,
    completion: (n = 1) => until(() => completions[n - 1], `completion ${n}`),
    async [Symbol.asyncDispose]() {
      gateway.cut();
      await gateway.drain(0);
      await upstreams.close();
    },
  };
}

/** A world whose Anthropic lane is one scripted upstream; both end together. */
export async function startWorldOver(
  respond: (call: Call, index: number) => void,
  {
    upstream: upstreamOptions,
    ...options
  }: Omit<WorldOptions, 'anth'> & { readonly upstream?: RawUpstreamOptions } = {},
): Promise<World & { readonly calls: readonly Call[] }> {
  const upstream = await startRawUpstream(respond, upstreamOptions);
  const world = await startWorld({ anth: upstream.origin, ...options });
  return {
    ...world,
    calls: upstream.calls,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

function createRouter(options: WorldOptions & { readonly zai: string }): Router {
  const anth: Provider = {
    id: 'anth',
    lane: 'anthropic',
    origin: options.anth,
    basePath: '',
    auth: { kind: 'client' },
    dropHeaders: [],
    rewriteModel: new Map(),
    h2: true,
    feature: null,
    fallback: [],
    ...options.anthProvider,
  };
  const zai: Provider = {
    ...anth,
    id: 'zai',
    lane: 'zai',
    origin: options.zai,
    basePath: '/api/anthropic',
    auth: { kind: 'key', headerMode: 'x-api-key', env: 'ZAI_API_KEY', key: ZAI_KEY },
    fallback: ['anth'],
    ...options.zaiProvider,
  };
  return ({ model }) =>
    model?.includes('haiku') === true
      ? { provider: zai, decision: 'to_zai', alternatives: [anth] }
      : { provider: anth, decision: 'to_anthropic', alternatives: [] };
}
