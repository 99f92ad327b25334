/** Exchanges made up from one description each, as every witness of them would have it. */
import { createHash } from 'node:crypto';
import type { HeaderPairs, Payload, Transcript } from '../../protocol/transcript.ts';
import type { CompletionEvent, Tokens, UsageEvent } from '../../protocol/usage-event.ts';
import type { ExpectedDecision } from '../../protocol/witness.ts';
import type { ProbeResult } from '../evidence.ts';

export const CLIENT_KEY = `sk-ant-api03-${'k3y'.repeat(31)}AA`;
export const ZAI_KEY = `${'0123456789abcdef'.repeat(2)}.Abcdefgh12345678`;
/** When the made-up run begins, epoch milliseconds. */
export const BEGIN = Date.UTC(2026, 0, 2, 3, 4, 5);
const EVENT_MS = 60;

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

export const SSE_HEADERS: HeaderPairs = [['content-type', 'text/event-stream; charset=utf-8']];
export const JSON_HEADERS: HeaderPairs = [['content-type', 'application/json']];

function lastOf<T>(list: readonly T[]): T {
  const last = list.at(-1);
  if (last === undefined) throw new Error('an exchange without a hop');
  return last;
}

/** An exchange as it is described, with all that its witnesses have of it. */
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
export function streamText(model: string, usages: { start?: object; delta?: object }, stop = true): string {
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
