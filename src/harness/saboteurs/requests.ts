/** What can go wrong on the way up: lanes, credentials, headers, targets and bodies. */
import type { Fault, FaultContext, Saboteur, WireRequest } from '../types/saboteur.ts';
import type { ProviderId } from '../types/world.ts';
import { onMessages, withHeader, withoutHeader } from './edits.ts';
import { disown } from './preload.ts';

const upstream = (
  provider: ProviderId,
  alter: (request: WireRequest, context: FaultContext) => WireRequest,
): readonly Fault[] => [
  { layer: 'upstream', provider, rewrite: (context) => onMessages((request) => alter(request, context)) },
];

const settings = (set: (context: FaultContext) => Readonly<Record<string, string>>): readonly Fault[] => [
  { layer: 'settings', settings: set },
];

/** Nothing listens on the port of the discard service. */
export const DEAD_URL = 'http://127.0.0.1:9';

export const REQUEST_SABOTEURS: readonly Saboteur[] = [
  {
    name: 'haiku-to-anthropic-as-zai',
    breaks: 'haiku is put on the zai lane and sent to Anthropic all the same',
    faults: settings(({ urls }) => ({ CCP_ZAI_BASE_URL: urls.anth })),
    caughtBy: ['ROUTE-01', 'ROUTE-02'],
    lane: 'zai',
  },
  {
    name: 'haiku-stays',
    breaks: 'haiku is routed to Anthropic, and the log says so',
    faults: settings(() => ({ FORCE_HAIKU_TO_ZAI: '0' })),
    caughtBy: ['ROUTE-01', 'ROUTE-02'],
    lane: 'zai',
  },
  {
    name: 'offload-paused',
    breaks: 'the kill switch is on: a reason on record, and still not the lane of the contract',
    faults: settings(() => ({ OFFLOAD_PAUSED: '1' })),
    caughtBy: ['ROUTE-02'],
    lane: 'zai',
  },
  {
    name: 'sonnet-to-zai',
    breaks: 'what is for Anthropic goes to Z.AI',
    faults: settings(() => ({ CCP_MODEL: 'claude-haiku-4-5' })),
    caughtBy: ['ROUTE-02'],
    lane: 'anthropic',
  },
  {
    name: 'client-key-to-zai',
    breaks: "the client's own credential goes to Z.AI beside the provider's key",
    faults: upstream('zai', (request, { canaries }) => ({
      ...request,
      headers: withHeader(request.headers, 'authorization', `Bearer ${canaries.anthropicKey}`),
    })),
    caughtBy: ['HEADER-02', 'HYGIENE-01'],
  },
  {
    name: 'client-login-to-zai',
    breaks: 'the token of a stored login goes to Z.AI',
    faults: upstream('zai', (request, { canaries }) => ({
      ...request,
      headers: withHeader(request.headers, 'authorization', `Bearer ${canaries.anthropicOauth}`),
    })),
    caughtBy: ['HEADER-02', 'HYGIENE-01'],
  },
  {
    name: 'client-key-to-zai-disguised',
    breaks: "the client's key goes to Z.AI in base64, under a name of its own",
    faults: upstream('zai', (request, { canaries }) => ({
      ...request,
      headers: withHeader(request.headers, 'x-session', btoa(`user:${canaries.anthropicKey}`)),
    })),
    caughtBy: ['HEADER-02', 'HYGIENE-01'],
  },
  {
    name: 'zai-key-to-anthropic',
    breaks: "the Z.AI key takes the place of the client's credential on the Anthropic lane",
    faults: upstream('anth', (request, { canaries }) => ({
      ...request,
      headers: withHeader(request.headers, 'x-api-key', canaries.zaiKey),
    })),
    caughtBy: ['HEADER-02', 'HYGIENE-01'],
  },
  {
    name: 'zai-key-in-fallback-to-anthropic',
    breaks: 'a request that Z.AI refused goes on to Anthropic with the Z.AI key; others do not',
    faults: upstream('anth', (request, { canaries }) =>
      request.body.includes('"claude-haiku')
        ? { ...request, headers: withHeader(request.headers, 'x-api-key', canaries.zaiKey) }
        : request,
    ),
    caughtBy: ['HEADER-02', 'HYGIENE-01'],
    scenario: { provider: 'zai', name: 'zai-1308-2026', fallsBack: true },
  },
  {
    name: 'zai-key-in-probe-of-anthropic',
    breaks: 'a readiness probe carries the Z.AI key to Anthropic; messages do not',
    faults: [
      {
        layer: 'upstream',
        provider: 'anth',
        rewrite: ({ canaries }) => ({
          request: (request) =>
            request.method === 'POST'
              ? request
              : { ...request, headers: withHeader(request.headers, 'x-api-key', canaries.zaiKey) },
        }),
      },
    ],
    caughtBy: ['HEADER-02', 'HYGIENE-01'],
  },
  {
    name: 'beta-dropped',
    breaks: 'anthropic-beta is lost on the way to Anthropic',
    faults: upstream('anth', (request) => ({
      ...request,
      headers: withoutHeader(request.headers, 'anthropic-beta'),
    })),
    caughtBy: ['HEADER-03'],
  },
  {
    name: 'beta-rewritten',
    breaks: 'anthropic-beta arrives with one capability less',
    faults: upstream('anth', (request) => ({
      ...request,
      headers: request.headers.map(([name, value]) =>
        name.toLowerCase() === 'anthropic-beta' ? [name, value.replace(/^[^,]*,?/, '')] : [name, value],
      ),
    })),
    caughtBy: ['HEADER-03'],
  },
  {
    name: 'query-lost',
    breaks: 'the query string does not reach the upstream',
    faults: upstream('anth', (request) => ({ ...request, target: request.target.replace(/\?.*$/, '') })),
    caughtBy: ['BYTES-03'],
  },
  {
    name: 'body-reserialised',
    breaks: 'the request body is parsed and written anew',
    faults: upstream('anth', (request) => ({
      ...request,
      body: Buffer.from(JSON.stringify(JSON.parse(request.body.toString('utf8')), null, 2)),
    })),
    caughtBy: ['BYTES-01'],
  },
  {
    name: 'own-path-relayed',
    breaks:
      'what is mistyped beneath an endpoint of ccp goes to Anthropic, with the credential of whoever asked',
    faults: [disown('/v1/usage/mistyped')],
    caughtBy: ['OWN-01', 'HYGIENE-01', 'RECONCILE-01'],
  },
  {
    name: 'upstream-runs-on',
    breaks: 'the upstream exchange runs on after the client has left',
    faults: [{ layer: 'upstream', provider: 'anth', rewrite: () => ({ outlivesClient: true }) }],
    caughtBy: ['ABORT-01'],
    scenario: { provider: 'anth', name: 'paced' },
    clientLeaves: true,
  },
];
