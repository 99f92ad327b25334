/** What answers as the meter of a proxy does, for tests of the commands that ask it. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import {
  diversionsAnswer,
  type ModelUsage,
  type QuotaAnswer,
  quotasAnswer,
  type Totals,
  usageAnswer,
} from '../../../../config/usage-answers.ts';

export interface FakeMeter extends AsyncDisposable {
  readonly port: number;
  /** What was asked, as `GET /v1/usage?since=-24h`; a POST with its body. */
  readonly seen: string[];
  /** What it answers from now on: a status and a value, by path. */
  readonly answers: Map<string, { readonly status: number; readonly value: unknown }>;
  /** Paths at which it leaves every question unanswered. */
  readonly silent: Set<string>;
}

const NONE = { input: 0, output: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 };

export const totals = (part: Partial<Totals> = {}): Totals => ({
  requests: 0,
  errors: 0,
  tokens: NONE,
  cost_usd: 0,
  cost_is_at_least: false,
  unpriced_tokens: 0,
  unpriced_kinds: [],
  uncounted: 0,
  saved_usd: null,
  saved_is_partial: false,
  duration_ms: 0,
  stream_ms: 0,
  ...part,
});

const none = { used: 0, cap: null, pct: null };

export const quota = (part: Partial<QuotaAnswer> = {}): QuotaAnswer => ({
  model: '*haiku*',
  lane: 'zai',
  idle: null,
  rolling: {
    span_seconds: 18_000,
    tokens: { used: 1_400_000, cap: 2_000_000, pct: 70 },
    requests: { used: 88, cap: 400, pct: 22 },
    hours: none,
    pct: 70,
  },
  weekly: { span_seconds: 604_800, tokens: none, requests: none, hours: none, pct: null },
  rolling_pct: 70,
  weekly_pct: null,
  warn_pct: 80,
  block_pct: 100,
  warn: false,
  block: false,
  reserved: { requests: 1, tokens: 9_000 },
  eta_seconds: 5_400,
  headroom_tokens: 600_000,
  tps_elr: 61.4,
  tps_dirty: 22,
  peak_hour: { start: '2026-11-02T10:00:00.000Z', tokens: 800_000 },
  fastest_hour: null,
  warn_pct_auto: 72,
  warn_pct_confidence: 0.5,
  gap_seconds_p50: 60,
  gap_seconds_p95: 600,
  gap_samples: 3,
  cooldown_until: null,
  provider_limits: null,
  ...part,
});

const { model: _, lane: __, ...quotaFields } = quota();

export const modelUsage = (part: Partial<ModelUsage> = {}): ModelUsage => ({
  ...totals(),
  lanes: {},
  ...quotaFields,
  ...part,
});

const HAIKU = totals({
  requests: 88,
  tokens: { ...NONE, input: 1_200_000, output: 200_000, cache_read: 9_000_000 },
  cost_usd: 0.73,
  saved_usd: 2.37,
});
const OPUS = totals({
  requests: 1_320,
  errors: 2,
  tokens: {
    input: 40_000,
    output: 512_345,
    cache_read: 81_000_000,
    cache_write_5m: 900_000,
    cache_write_1h: 0,
  },
  cost_usd: 59.1,
});
const LLAMA = totals({
  requests: 3,
  tokens: { ...NONE, output: 500 },
  cost_usd: null,
  unpriced_tokens: 500,
  unpriced_kinds: ['output'],
  saved_is_partial: true,
});

export const USAGE = {
  generated_at: '2026-11-02T12:30:00.000Z',
  since: '2026-11-01T12:00:00.000Z',
  until: '2026-11-02T12:30:00.000Z',
  store: { ok: true, reason: null, remedy: null, path: '/logs/ccp.sqlite3', pending: 0 },
  total: totals({
    requests: 1_411,
    errors: 2,
    tokens: {
      input: 1_240_000,
      output: 712_845,
      cache_read: 90_000_000,
      cache_write_5m: 900_000,
      cache_write_1h: 0,
    },
    cost_usd: 59.83,
    unpriced_tokens: 500,
    unpriced_kinds: ['output'],
    saved_usd: 2.37,
    saved_is_partial: true,
  }),
  models: {
    'claude-haiku-4-5-20251001': modelUsage({ ...HAIKU, lanes: { zai: HAIKU } }),
    'claude-opus-4-8': modelUsage({ ...OPUS, lanes: { anthropic: OPUS }, rolling_pct: null }),
    llama: modelUsage({ ...LLAMA, lanes: { local: LLAMA }, rolling_pct: null }),
  },
  other_models: null,
  lanes: { anthropic: OPUS, zai: HAIKU, local: LLAMA },
};

export const DIVERSIONS = {
  since: USAGE.since,
  until: USAGE.until,
  looked_at: USAGE.total.requests,
  oldest: USAGE.since,
  diversions: [],
  others: 0,
};

const READY = {
  ready: true,
  paused: false,
  license: { ok: true, plan: 'trial', features: ['zai_offload'], reason: null },
  policy: { source: 'none' },
  store: { ok: true, reason: null, remedy: null, path: '/logs/ccp.sqlite3', pending: 0 },
  providers: {
    anth: {
      ok: true,
      status: 405,
      reason: 'method_not_allowed',
      ms: 31,
      lane: 'anthropic',
      credential: 'client',
    },
    zai: {
      ok: false,
      status: null,
      reason: 'net',
      ms: 2,
      lane: 'zai',
      credential: 'missing',
      detail: 'connect ECONNREFUSED 127.0.0.1:1',
    },
  },
};

/** Listens on a free port. The answers keep to the schemas of the real one. */
export async function startFakeMeter(): Promise<FakeMeter> {
  const quotas = {
    generated_at: '2026-11-02T12:30:00.000Z',
    mode: 'block',
    file: '/home/me/.config/ccp/quotas.json',
    since: '2026-11-02T08:00:00.000Z',
    refused: null,
    rebuilding: false,
    rebuild_trouble: null,
    warnings: [],
    quotas: [quota()],
    cooldowns: [],
    provider_limits: [],
  };
  const seen: string[] = [];
  const answers: FakeMeter['answers'] = new Map([
    ['/healthz', { status: 200, value: { status: 'ok', version: '0.1.0', uptime_s: 12_000 } }],
    ['/readyz', { status: 503, value: READY }],
    ['/v1/usage', { status: 200, value: usageAnswer.parse(USAGE) }],
    ['/v1/usage/diversions', { status: 200, value: diversionsAnswer.parse(DIVERSIONS) }],
    ['/v1/quotas', { status: 200, value: quotasAnswer.parse(quotas) }],
    ['/v1/quotas/reload', { status: 200, value: quotasAnswer.parse(quotas) }],
  ]);
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request);
    seen.push(`${request.method} ${request.url}${body === '' ? '' : ` ${body}`}`);
    const path = (request.url ?? '').replace(/\?.*/, '');
    if (meter.silent.has(path)) return;
    const answer = answers.get(path) ?? { status: 404, value: null };
    response.writeHead(answer.status).end(JSON.stringify(answer.value));
  };
  const server = createServer((request, response) => void take(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP');
  const meter: FakeMeter = {
    port: address.port,
    seen,
    answers,
    silent: new Set(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
  return meter;
}
