/**
 * A made-up run in which everything is as it should be, for the tests of the checks: each test breaks one
 * thing of a fresh copy. Exchanges are described once, and each witness's view is derived from that.
 */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Granularity, Sample } from '../../protocol/meter.ts';
import type { HeaderPairs, Payload, Transcript } from '../../protocol/transcript.ts';
import type { CompletionEvent, Tokens, UsageEvent } from '../../protocol/usage-event.ts';
import type { ExpectedDecision, MeterAnswers } from '../../protocol/witness.ts';
import type { Verdict } from '../check.ts';
import { CHECKS } from '../checks/index.ts';
import type { Evidence, OutsideAttempt, ProbeResult, ProxyLife } from '../evidence.ts';
import { judgeAll } from '../judge.ts';
import { sampleOf } from '../kept-sample.ts';
import { hasFailed, recount, sumTokens } from '../recount.ts';

/** Everything may be broken. What is `unknown` stays so. */
export type Mutable<T> = unknown extends T ? T : { -readonly [Key in keyof T]: Mutable<T[Key]> };

const CLIENT_KEY = `sk-ant-api03-${'k3y'.repeat(31)}AA`;
const CLIENT_LOGIN = `sk-ant-oat01-${'l0g'.repeat(31)}AA`;
const ZAI_KEY = `${'0123456789abcdef'.repeat(2)}.Abcdefgh12345678`;
export const BEGIN = Date.UTC(2026, 0, 2, 3, 4, 5);
const EVENT_MS = 60;

/** The evidence of a green run. `alter` breaks it; what it returns is not used. */
export function greenRun(
  alter: (evidence: Mutable<Evidence>) => unknown = () => undefined,
): Mutable<Evidence> {
  const exchanges = [
    haikuStream(),
    sonnetStream(),
    sonnetJson(),
    limitedSonnet(),
    fallenBackHaiku(),
    abortedSonnet(),
    headProbe(),
  ];
  return runOf(exchanges, alter);
}

/** The evidence of a run in which these exchanges were the only ones. */
export function runOf(
  exchanges: readonly Made[],
  alter: (evidence: Mutable<Evidence>) => unknown = () => undefined,
): Mutable<Evidence> {
  const events = exchanges.flatMap((exchange) => exchange.events);
  const samples = events.flatMap((event) => (event.event === 'completion' ? [sampleOf(event)] : []));
  const evidence: Evidence = {
    suite: 'test',
    run: 'green',
    probes: exchanges.flatMap(({ probe }) => (probe === undefined ? [] : [probe])),
    client: exchanges.map(({ client }) => client),
    upstream: [...readinessProbes(), ...exchanges.flatMap(({ upstream }) => upstream)],
    elsewhere: [askedAboutLogin()],
    usage: { events, bad: [], rotatedBefore: true },
    anomalies: [],
    store: { kind: 'read', rows: samples },
    crashes: [],
    lives: [onlyLife(metricsOf(events), meterOf(samples))],
    canaries: [
      { name: 'anthropic-key', value: CLIENT_KEY, allowed: ['wire:client:request', 'wire:anth:request'] },
      {
        name: 'anthropic-oauth',
        value: CLIENT_LOGIN,
        allowed: ['wire:client:request', 'wire:anth:request', 'elsewhere:api.anthropic.com'],
      },
      { name: 'zai-key', value: ZAI_KEY, allowed: ['wire:zai:request'] },
      ...exchanges.flatMap(({ probe }) => (probe === undefined ? [] : [promptCanary(probe)])),
    ],
    artifacts: [
      { place: 'usage.jsonl', text: events.map((event) => JSON.stringify(event)).join('\n') },
      { place: 'proxy.log', text: 'ccp: listening\n' },
    ],
  };
  // By way of JSON, as a stored run comes back.
  const copy: Mutable<Evidence> = JSON.parse(JSON.stringify(evidence));
  alter(copy);
  return copy;
}

/** Checks of what does not happen in the green run: a restart, a budget, a limit that is looked for, a kill, a night. */
export const NOT_IN_EVERY_RUN: readonly string[] = [
  'RESTART-01',
  'QUOTA-01',
  'QUOTA-02',
  'QUOTA-03',
  'LIMIT-01',
  'PERSIST-01',
  'PERSIST-02',
  'PERSIST-03',
  'PERSIST-04',
  'PERSIST-05',
  'PERSIST-06',
  'NIGHT-01',
  'NIGHT-02',
  'NIGHT-03',
  'NIGHT-04',
  'NIGHT-05',
  'NIGHT-06',
  'NIGHT-07',
  'NIGHT-08',
];

/** What a proxy says of a path beneath its own at which there is nothing. */
const NOT_HERE = JSON.stringify({
  type: 'error',
  error: { type: 'not_found_error', message: 'ccp: no GET /v1/usage/mistyped here, but GET /v1/usage' },
});

/** What a proxy with a trial says of itself. */
function onlyLife(counted: string, meter: MeterAnswers): ProxyLife {
  const claim = { ok: true, plan: 'trial', features: ['zai_offload'], reason: null };
  const [kid, expires] = ['uat-1', '2026-01-09T00:00:00.000Z'];
  return {
    stage: 'run',
    startedAt: BEGIN - 1000,
    pid: 1,
    license: { kind: 'trial', expected: { ...claim, kid, expires } },
    quota: null,
    answers: {
      meter,
      beneath: [{ path: '/v1/usage/mistyped', answer: { status: 404, body: NOT_HERE } }],
      readyz: readyz(claim),
      providers: PROVIDERS,
      metrics: `${counted}ccp_license_info{plan="trial",kid="${kid}",reason=""} 1\n`,
      license: { ...claim, kid, expires_at: expires },
    },
    licenseLines: [`ccp: [license] plan=trial features=[zai_offload] kid=${kid} expires=${expires}`],
    ending: null,
  };
}

/** What the endpoints of a correct meter say of these samples. */
export function meterOf(samples: readonly Sample[]): MeterAnswers {
  const rollups = (granularity: Granularity) => ({
    granularity,
    rollups: recount(samples, granularity).map((one) => ({
      ...one,
      start: new Date(one.start).toISOString(),
    })),
  });
  const models = Map.groupBy(samples, ({ model }) => model ?? '(none)');
  return {
    usage: {
      generated_at: new Date(BEGIN + 60_000).toISOString(),
      total: totalsOf(samples),
      models: Object.fromEntries(
        [...models].map(([model, group]) => [
          model,
          { ...totalsOf(group), lanes: lanesOf(group), rolling_pct: null, weekly_pct: null },
        ]),
      ),
      lanes: lanesOf(samples),
    },
    samples: samples.toReversed().map((one) => ({ ...one, ts: new Date(one.ts).toISOString() })),
    hour: rollups('hour'),
    day: rollups('day'),
    quotas: { quotas: [] },
  };
}

const lanesOf = (samples: readonly Sample[]) =>
  Object.fromEntries(
    [...Map.groupBy(samples, ({ lane }) => lane)].map(([lane, group]) => [lane, totalsOf(group)]),
  );

function totalsOf(samples: readonly Sample[]) {
  const tokens = sumTokens(samples);
  const all = Object.values(tokens).reduce((sum, count) => sum + count, 0);
  return {
    requests: samples.length,
    errors: samples.filter(hasFailed).length,
    tokens,
    cost_usd: all === 0 ? null : all / 1e6,
    unpriced_tokens: 0,
  };
}

function askedAboutLogin(): OutsideAttempt {
  const headers = [['Authorization', `Bearer ${CLIENT_LOGIN}`]] as const;
  const url = 'https://api.anthropic.com/api/oauth/profile';
  return { host: 'api.anthropic.com', request: { method: 'GET', url, headers, body: '' } };
}

/** Finds the one whose id starts like this; a test that names none is wrong. */
export function pick<T extends { id: string }>(list: readonly T[], id: string): T {
  const found = list.find((one) => one.id.startsWith(id));
  if (found === undefined) throw new Error(`the green run has no ${id}`);
  return found;
}

/** The only life of the green run. */
export function lifeIn<E extends Pick<Evidence, 'lives'>>({ lives: [life] }: E): E['lives'][number] {
  if (life === undefined) throw new Error('the green run has no life');
  return life;
}

/** The completion of an exchange of the green run. */
export function completionIn(evidence: Mutable<Evidence>, rid: string): Mutable<CompletionEvent> {
  const found = evidence.usage.events.find((event) => event.event === 'completion' && event.rid === rid);
  if (found?.event !== 'completion') throw new Error(`the green run has no completion ${rid}`);
  return found;
}

/** The verdict of one check on the green run after `alter`. */
export function verdictOf(
  id: string,
  alter?: (evidence: Mutable<Evidence>) => unknown,
  evidence: Evidence = greenRun(alter),
): Verdict {
  const [verdict] = judgeAll([pick(CHECKS, id)], evidence);
  if (verdict === undefined) throw new Error(`no verdict of ${id}`);
  return verdict;
}

/** The answer of a transcript; a test that names one without is wrong. */
export function responseOf({
  id,
  response,
}: Mutable<Transcript>): Mutable<NonNullable<Transcript['response']>> {
  if (response === undefined) throw new Error(`${id} has no response`);
  return response;
}

/** Puts other bytes in the place of a body, in as many pieces at the same times. */
export function replaceBody(body: Mutable<Payload>, content: string | Buffer): void {
  const { pieces } = body;
  const fresh: Mutable<Payload> = JSON.parse(
    JSON.stringify(payloadOf(content, { pieces: pieces.length || 1 })),
  );
  for (const [index, piece] of fresh.pieces.entries()) piece[0] = pieces[index]?.[0] ?? piece[0];
  Object.assign(body, fresh);
}

/** The bytes of a body. */
export const contentOf = (body: Payload): Buffer => Buffer.from(body.base64 ?? '', 'base64');

/** A body as an observer records it, in pieces of equal length `stepMs` apart. */
export function payloadOf(
  content: string | Buffer,
  { fromMs = 1, stepMs = 0, pieces = 1 }: { fromMs?: number; stepMs?: number; pieces?: number } = {},
): Payload {
  const bytes = Buffer.from(content);
  const size = Math.ceil(bytes.length / pieces);
  const cuts = Array.from({ length: bytes.length === 0 ? 0 : pieces }, (_, index): [number, number] => [
    fromMs + index * stepMs,
    Math.min(size, bytes.length - index * size),
  ]);
  return {
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    base64: bytes.toString('base64'),
    pieces: cuts,
  };
}

/** A stream of the Messages API. */
export function streamText(model: string, usages: { start: object; delta: object }, stop = true): string {
  const events: [string, object][] = [
    ['message_start', { message: { id: 'msg_1', model, content: [], usage: usages.start } }],
    ['content_block_start', { index: 0, content_block: { type: 'text', text: '' } }],
    ['ping', {}],
    ['content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'ö' } }],
    ['content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'k' } }],
    ['content_block_stop', { index: 0 }],
    ['message_delta', { delta: { stop_reason: 'end_turn' }, usage: usages.delta }],
    ...(stop ? ([['message_stop', {}]] as [string, object][]) : []),
  ];
  return events
    .map(([type, rest]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`)
    .join('');
}

/** One exchange, as each witness saw it. */
export interface Made {
  readonly probe?: ProbeResult;
  readonly client: Transcript;
  readonly upstream: readonly Transcript[];
  readonly events: readonly UsageEvent[];
}

interface Hop {
  readonly provider: 'anth' | 'zai';
  readonly status: number;
  readonly headers: HeaderPairs;
  readonly body: string | Buffer;
  readonly ending?: Transcript['ending'];
  readonly requestId?: string;
}

export interface ExchangePlan {
  readonly rid: string;
  readonly at: number;
  readonly model: string | null;
  readonly target?: string;
  readonly method?: string;
  readonly op: CompletionEvent['op'];
  readonly hops: readonly [Hop, ...Hop[]];
  readonly record: Partial<CompletionEvent> & Pick<CompletionEvent, 'decision' | 'reason'>;
  readonly tokens?: Tokens;
  /** What the decision line says; by default what the first hop means. */
  readonly decision?: CompletionEvent['decision'];
  /** What a gate is to make of it. */
  readonly expected?: ExpectedDecision;
  /** Milliseconds after which the client leaves, and how much it has by then. */
  readonly leaves?: { readonly afterMs: number; readonly bytes: number };
}

const SSE_HEADERS: HeaderPairs = [['content-type', 'text/event-stream; charset=utf-8']];
export const JSON_HEADERS: HeaderPairs = [['content-type', 'application/json']];

function lastOf<T>(list: readonly T[]): T {
  const last = list.at(-1);
  if (last === undefined) throw new Error('an exchange without a hop');
  return last;
}

export function make(plan: ExchangePlan): Made {
  const startedAt = BEGIN + plan.at;
  const canary = `canary-phrase-${plan.rid}`;
  const body = plan.model === null ? '' : requestBody(plan, canary);
  const headers: HeaderPairs = [
    ['Host', '127.0.0.1:8082'],
    ['Accept', 'application/json'],
    ['anthropic-beta', 'context-management-2025-06-27,claude-code-20250219'],
    ['X-Twice', 'a'],
    ['X-Twice', 'b'],
    ...(plan.model === null ? [] : ([['x-api-key', CLIENT_KEY]] as const)),
    ['Connection', 'keep-alive, X-Hop'],
    ['X-Hop', '1'],
    ['Content-Length', String(body.length)],
  ];
  const request = {
    method: plan.method ?? 'POST',
    target: plan.target ?? '/v1/messages?beta=true',
    headers,
    body: payloadOf(body),
  };
  const upstream = plan.hops.map((hop, index) => upstreamView(plan, hop, index, request));
  const last = lastOf(upstream);
  const client: Transcript = {
    ...clientView(plan, last),
    id: `c-${plan.rid}`,
    startedAt,
    request,
  };
  const probe: ProbeResult | undefined =
    plan.model === null
      ? undefined
      : {
          id: plan.rid,
          client: plan.rid === 'haiku-stream' ? 'claude' : 'curl',
          model: plan.model,
          canary,
          expectedLane: plan.hops.at(-1)?.provider === 'zai' ? 'zai' : 'anthropic',
          ...(plan.expected !== undefined && { expectedDecision: plan.expected }),
          startedAt,
          ms: 500,
          exitCode: 0,
          timedOut: false,
          ok: true,
          text: 'ok',
          reproduce: 'curl …',
          ...(plan.tokens && plan.rid === 'haiku-stream' && { tokens: clientTokens(plan.tokens) }),
        };
  return { ...(probe && { probe }), client, upstream, events: recordsOf(plan, client, upstream) };
}

const requestBody = ({ model, op }: ExchangePlan, canary: string): string =>
  JSON.stringify({
    model,
    messages: [{ role: 'user', content: `Say ok. ${canary}` }],
    stream: op === 'stream',
  });

function upstreamView(
  plan: ExchangePlan,
  hop: Hop,
  index: number,
  request: Transcript['request'],
): Transcript {
  const isZai = hop.provider === 'zai';
  const kept = request.headers.filter(([name]) => !/^(host|connection|x-hop|content-length)$/i.test(name));
  const headers: HeaderPairs = isZai
    ? [...kept.filter(([name]) => name !== 'x-api-key'), ['content-length', '1'], ['x-api-key', ZAI_KEY]]
    : [[':path', request.target], ...kept.map(([name, value]) => [name.toLowerCase(), value] as const)];
  const paced = hop.headers.some(([, value]) => value.startsWith('text/event-stream'));
  const pieces = paced ? 8 : 1;
  return {
    id: `u-${plan.rid}-${index + 1}`,
    side: 'upstream',
    observer: hop.provider,
    connection: `${hop.provider}-1`,
    http: isZai ? '1.1' : '2',
    startedAt: BEGIN + plan.at + 3 + index * 20,
    request: {
      ...request,
      target: isZai ? `/api/anthropic${request.target}` : request.target,
      headers: headers.map(([name, value]) =>
        name === 'content-length' ? [name, String(request.body.bytes)] : [name, value],
      ),
    },
    response: {
      status: hop.status,
      headers: [...hop.headers, ...(hop.requestId ? [['request-id', hop.requestId] as const] : [])],
      body: payloadOf(hop.body, { fromMs: 5, stepMs: EVENT_MS, pieces }),
      headMs: 4,
    },
    ending: hop.ending ?? 'complete',
    endedMs: plan.leaves ? plan.leaves.afterMs + 10 : 6 + EVENT_MS * (pieces - 1),
    ...(hop.requestId !== undefined && { requestId: hop.requestId }),
  };
}

/** What the client sees is what the last upstream sent, 4 ms later. */
function clientView(
  { leaves }: ExchangePlan,
  { response, endedMs, requestId }: Transcript,
): Omit<Transcript, 'id' | 'startedAt' | 'request'> {
  const whole = Buffer.from(response?.body.base64 ?? '', 'base64');
  const body = payloadOf(leaves ? whole.subarray(0, leaves.bytes) : whole, {
    fromMs: 12,
    stepMs: EVENT_MS,
    pieces: response?.body.pieces.length ?? 1,
  });
  return {
    side: 'client',
    observer: 'relay',
    connection: 'relay-1',
    http: '1.1',
    ...(response && {
      response: {
        ...response,
        headers: [
          ...response.headers,
          ['Date', 'Fri, 02 Jan 2026 03:04:05 GMT'],
          ['Connection', 'keep-alive'],
        ],
        body,
        headMs: 9,
      },
    }),
    ending: leaves ? 'ended_by_self' : 'complete',
    endedMs: leaves ? leaves.afterMs : endedMs + 60,
    ...(requestId !== undefined && { requestId }),
  };
}

const clientTokens = (tokens: Tokens) => ({
  input: tokens.input,
  output: tokens.output,
  cacheRead: tokens.cache_read,
  cacheWrite: tokens.cache_write_5m + tokens.cache_write_1h,
});

const modeOf = (provider: string) => (provider === 'zai' ? { header_mode: 'x-api-key' as const } : {});

function recordsOf(plan: ExchangePlan, client: Transcript, upstream: readonly Transcript[]): UsageEvent[] {
  const last = lastOf(plan.hops);
  const lane = last.provider === 'anth' ? 'anthropic' : 'zai';
  const stamp = (ms: number) => new Date(client.startedAt + ms).toISOString();
  const shared = { v: 1 as const, rid: plan.rid, lane, provider: last.provider, model: plan.model };
  const isStream = plan.op === 'stream' && last.status === 200;
  const [first] = plan.hops;
  const completion: CompletionEvent = {
    ...shared,
    event: 'completion',
    ts: stamp(client.endedMs + 1),
    upstream: `https://localhost:1`,
    method: client.request.method,
    path: client.request.target.replace(/\?.*/, ''),
    op: plan.op,
    status: last.status,
    latency_ms: client.endedMs,
    h2: last.provider === 'anth',
    ...modeOf(last.provider),
    attempts: plan.hops.map(({ provider, status }) => ({
      provider,
      status,
      h2: provider === 'anth',
      ms: 10,
      ...modeOf(provider),
    })),
    ...(plan.tokens && { tokens: plan.tokens }),
    ...(plan.model !== null && last.status === 200 && { served_model: plan.model }),
    ...(isStream && {
      sse: { events: 8, chunks: 8, bytes: 1, duration_ms: 1, max_gap_ms: 1, finished: true },
    }),
    bytes_in: client.request.body.bytes,
    bytes_out: upstream.at(-1)?.response?.body.bytes ?? 0,
    ...(last.requestId !== undefined && { upstream_request_id: last.requestId }),
    ...plan.record,
  };
  return [
    {
      ...shared,
      lane: first.provider === 'anth' ? 'anthropic' : 'zai',
      provider: first.provider,
      event: 'decision',
      ts: stamp(1),
      op: plan.op,
      decision: plan.decision ?? (first.provider === 'anth' ? 'to_anthropic' : 'to_zai'),
      alternatives: first.provider === 'zai' ? ['anth'] : [],
    },
    ...(isStream
      ? [
          {
            ...shared,
            event: 'stream_start' as const,
            ts: stamp(10),
            reason: 'streaming' as const,
            ttfb_ms: 9,
          },
        ]
      : []),
    completion,
  ];
}

/** Z.AI: counts come late, no request id. */
function haikuStream(): Made {
  const usage = {
    start: { input_tokens: 0, output_tokens: 0 },
    delta: { input_tokens: 14, output_tokens: 32, cache_read_input_tokens: 5 },
  };
  return make({
    rid: 'haiku-stream',
    at: 0,
    model: 'claude-haiku-4-5-20251001',
    op: 'stream',
    hops: [
      {
        provider: 'zai',
        status: 200,
        headers: SSE_HEADERS,
        body: streamText('claude-haiku-4-5-20251001', usage),
      },
    ],
    tokens: { input: 14, output: 32, cache_read: 5, cache_write_5m: 0, cache_write_1h: 0 },
    record: { decision: 'to_zai', reason: 'ok' },
  });
}

const ANTHROPIC_USAGE = {
  start: {
    input_tokens: 10,
    output_tokens: 1,
    cache_creation_input_tokens: 7,
    cache_read_input_tokens: 3,
    cache_creation: { ephemeral_5m_input_tokens: 4, ephemeral_1h_input_tokens: 3 },
  },
  delta: { output_tokens: 20, input_tokens: null },
};
const ANTHROPIC_TOKENS: Tokens = {
  input: 10,
  output: 20,
  cache_read: 3,
  cache_write_5m: 4,
  cache_write_1h: 3,
};

/** Compressed, over HTTP/2. */
function sonnetStream(): Made {
  return make({
    rid: 'sonnet-stream',
    at: 1_000,
    model: 'claude-sonnet-5',
    op: 'stream',
    hops: [
      {
        provider: 'anth',
        status: 200,
        headers: [...SSE_HEADERS, ['content-encoding', 'gzip']],
        body: gzipSync(streamText('claude-sonnet-5', ANTHROPIC_USAGE)),
        requestId: 'req_stream',
      },
    ],
    tokens: ANTHROPIC_TOKENS,
    record: { decision: 'to_anthropic', reason: 'ok' },
  });
}

function sonnetJson(): Made {
  const body = JSON.stringify({
    type: 'message',
    model: 'claude-sonnet-5',
    usage: { input_tokens: 2, output_tokens: 3, cache_creation_input_tokens: 4 },
  });
  return make({
    rid: 'sonnet-json',
    at: 2_000,
    model: 'claude-sonnet-5',
    op: 'nonstream',
    hops: [{ provider: 'anth', status: 200, headers: JSON_HEADERS, body, requestId: 'req_json' }],
    tokens: { input: 2, output: 3, cache_read: 0, cache_write_5m: 4, cache_write_1h: 0 },
    record: { decision: 'to_anthropic', reason: 'ok' },
  });
}

function limitedSonnet(): Made {
  const body = JSON.stringify({ type: 'error', error: { type: 'rate_limit_error', message: 'slow down' } });
  const headers: HeaderPairs = [
    ...JSON_HEADERS,
    ['retry-after', '7'],
    ['anthropic-ratelimit-requests-limit', '5'],
  ];
  return make({
    rid: 'sonnet-limited',
    at: 3_000,
    model: 'claude-sonnet-5',
    op: 'stream',
    hops: [{ provider: 'anth', status: 429, headers, body, requestId: 'req_limited' }],
    record: { decision: 'to_anthropic', reason: 'upstream_error', err_type: 'limit' },
  });
}

function fallenBackHaiku(): Made {
  const body = JSON.stringify({
    type: 'message',
    model: 'claude-haiku-4-5',
    usage: { input_tokens: 1, output_tokens: 1 },
  });
  return make({
    rid: 'haiku-fallback',
    at: 4_000,
    model: 'claude-haiku-4-5',
    op: 'nonstream',
    hops: [
      { provider: 'zai', status: 429, headers: JSON_HEADERS, body: '{"type":"error"}' },
      { provider: 'anth', status: 200, headers: JSON_HEADERS, body, requestId: 'req_fallback' },
    ],
    tokens: { input: 1, output: 1, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 },
    record: { decision: 'fallback_limit', reason: 'ok' },
  });
}

/** The client leaves in the middle; the upstream notices 10 ms later. */
function abortedSonnet(): Made {
  const body = streamText('claude-sonnet-5', ANTHROPIC_USAGE, false);
  return make({
    rid: 'sonnet-aborted',
    at: 5_000,
    model: 'claude-sonnet-5',
    op: 'stream',
    hops: [
      {
        provider: 'anth',
        status: 200,
        headers: SSE_HEADERS,
        body,
        ending: 'cut_by_peer',
        requestId: 'req_aborted',
      },
    ],
    tokens: { ...ANTHROPIC_TOKENS, output: 1 },
    leaves: { afterMs: 130, bytes: 400 },
    record: { decision: 'to_anthropic', reason: 'client_abort' },
  });
}

/** What Claude Code sends first. */
function headProbe(): Made {
  return make({
    rid: 'head',
    at: 6_000,
    model: null,
    method: 'HEAD',
    target: '/',
    op: 'other',
    hops: [{ provider: 'anth', status: 404, headers: JSON_HEADERS, body: '', requestId: 'req_head' }],
    record: { decision: 'to_anthropic', reason: 'upstream_error', err_type: 'http_4xx' },
  });
}

const PROVIDERS = [
  { id: 'anth', lane: 'anthropic', base_url: 'https://localhost:1' },
  { id: 'zai', lane: 'zai', base_url: 'https://localhost:2/api/anthropic' },
];

const READINESS = { anth: 404, zai: 401 } as const;

function readyz(license: object) {
  const entries = Object.entries(READINESS).map(([id, status]) => [
    id,
    { ok: true, status, reason: 'x', ms: 1 },
  ]);
  return { status: 200, body: { ready: true, providers: Object.fromEntries(entries), license } };
}

function readinessProbes(): Transcript[] {
  return Object.entries(READINESS).map(([observer, status]) => ({
    id: `u-ready-${observer}`,
    side: 'upstream',
    observer,
    connection: `${observer}-0`,
    http: '1.1',
    startedAt: BEGIN - 900,
    request: { method: 'GET', target: '/', headers: [['host', 'localhost']], body: payloadOf('') },
    response: { status, headers: [], body: payloadOf('{}'), headMs: 1 },
    ending: 'complete',
    endedMs: 2,
  }));
}

const promptCanary = ({ id, canary }: ProbeResult) => ({
  name: `prompt:${id}`,
  value: canary,
  allowed: ['wire:client:request', 'wire:anth:request', 'wire:zai:request'],
});

/** The exposition that a correct proxy would give for these events. */
export function metricsOf(events: readonly UsageEvent[]): string {
  const completions = events.filter((event) => event.event === 'completion');
  const requests = Map.groupBy(
    completions,
    ({ lane, op, status, decision }) =>
      `ccp_requests_total{lane="${lane}",op="${op}",status="${status}",decision="${decision}"}`,
  );
  const tokens = completions.flatMap(({ lane, model, tokens: counts }) =>
    Object.entries(counts ?? {}).map(([kind, count]) => ({
      series: `ccp_tokens_total{lane="${lane}",model="${model}",kind="${kind}"}`,
      count,
    })),
  );
  const tokenLines = [...Map.groupBy(tokens, ({ series }) => series)].map(
    ([series, counts]) => `${series} ${counts.reduce((sum, { count }) => sum + count, 0)}`,
  );
  const requestLines = [...requests].map(([series, group]) => `${series} ${group.length}`);
  return ['# HELP ccp_requests_total x', ...requestLines, ...tokenLines, 'ccp_inflight 0', ''].join('\n');
}
