/** The proxy's own endpoints: is it alive, is it ready, what did it count, and the commands' control channel. */
import { z } from 'zod';
import type { Endpoint, EndpointAnswer, EndpointRequest, Provider } from '../../core/types.ts';
import type { Clock } from '../../platform/clock.ts';
import { errorBody } from '../../protocol/error-body.ts';
import { parseJson } from '../../protocol/json.ts';
import { createReadiness, type Probe, type Readiness } from './readiness.ts';

export interface AdminOptions {
  readonly version: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** The catalog as it is now; a reload replaces its entries. */
  readonly providers: () => readonly Provider[];
  readonly probe: Probe;
  readonly metrics: {
    render(): Promise<{ readonly contentType: string; readonly body: string }>;
    lanesReady(states: ReadonlyMap<string, boolean>): void;
  };
  readonly journal: { rotate(): { readonly rotatedTo: string | null } };
  readonly offload: Offload;
  /** The model that every request is routed as; null for its own. */
  readonly modelOverride: () => string | null;
  /** What the licence is worth now. */
  readonly license: () => LicenseReport;
  /** The state of the policy pack, which never makes the proxy unready. */
  readonly policy: () => object;
  /** Whether exchanges are kept; never makes the proxy unready. */
  readonly store: () => object;
  readonly clock: Clock;
}

/** As `/readyz` shows it; `reason` is null where it is ok. It says nothing about whether we are ready. */
export interface LicenseReport {
  readonly ok: boolean;
  readonly plan: string;
  readonly features: readonly string[];
  readonly reason: string | null;
}

/** The kill switch: while paused, everything goes to Anthropic. */
export interface Offload {
  pause(on: boolean): void;
  paused(): boolean;
}

/** How old what a scrape shows of the lanes may be before it has them probed, in milliseconds: no load on an upstream. */
export const SCRAPED_AGE_MS = 60_000;

const offloadBody = z.strictObject({ paused: z.boolean() });
const emptyBody = z.strictObject({});

/** Endpoints for the gateway, which checks the bearer of every POST before it calls one. */
export function createAdmin(options: AdminOptions): readonly Endpoint[] {
  const { version, startedAt, metrics, journal, offload, modelOverride, clock } = options;
  const { license, policy, store } = options;
  const readiness = createReadiness({
    ...options,
    onResult: (result) => metrics.lanesReady(lanesOf(result)),
  });

  return [
    {
      method: 'GET',
      path: '/healthz',
      handle: () =>
        json(200, {
          status: 'ok',
          version,
          uptime_s: Math.round((clock.now() - startedAt) / 1000),
          paused: offload.paused(),
          model_override: modelOverride(),
        }),
    },
    {
      method: 'GET',
      path: '/readyz',
      async handle() {
        const { ready, providers } = await readiness();
        return json(ready ? 200 : 503, {
          ready,
          paused: offload.paused(),
          model_override: modelOverride(),
          license: license(),
          policy: policy(),
          store: store(),
          providers,
        });
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      async handle() {
        // For the next scrape: this one does not wait for upstreams.
        void readiness(SCRAPED_AGE_MS);
        return { status: 200, ...(await metrics.render()) };
      },
    },
    {
      method: 'POST',
      path: '/v1/ccp/offload',
      handle: withBody(offloadBody, '{"paused": true} or {"paused": false}', ({ paused }) => {
        offload.pause(paused);
        return json(200, { paused: offload.paused() });
      }),
    },
    {
      method: 'POST',
      path: '/v1/ccp/log/rotate',
      handle: withBody(emptyBody, 'nothing, or {}', () => {
        return json(200, { rotated_to: journal.rotate().rotatedTo });
      }),
    },
  ];
}

/** A lane is ready when every provider that answers under its label is. */
function lanesOf({ providers }: Readiness): ReadonlyMap<string, boolean> {
  const lanes = new Map<string, boolean>();
  for (const { lane, ok } of Object.values(providers)) lanes.set(lane, ok && lanes.get(lane) !== false);
  return lanes;
}

/** Hands a body over once it is what the schema wants; none at all counts as `{}`. Else 400 says what is allowed. */
function withBody<T>(schema: z.ZodType<T>, allowed: string, handle: (body: T) => EndpointAnswer) {
  return ({ body }: EndpointRequest): EndpointAnswer => {
    const parsed = schema.safeParse(body.length === 0 ? {} : parseJson(body.toString()));
    if (parsed.success) return handle(parsed.data);
    const [issue] = parsed.error.issues;
    const where = issue === undefined || issue.path.length === 0 ? 'the body' : issue.path.join('.');
    const message = `${where}: ${issue?.message ?? 'not valid'}; allowed is ${allowed}`;
    return { status: 400, contentType: JSON_TYPE, body: errorBody('invalid_request_error', message) };
  };
}

const JSON_TYPE = 'application/json';

function json(status: number, value: object): EndpointAnswer {
  return { status, contentType: JSON_TYPE, body: `${JSON.stringify(value)}\n` };
}
