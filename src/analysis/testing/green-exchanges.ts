/** The exchanges of the green run: one of each kind that the checks tell apart. */
import { gzipSync } from 'node:zlib';
import type { HeaderPairs } from '../../protocol/transcript.ts';
import type { Tokens } from '../../protocol/usage-event.ts';
import { JSON_HEADERS, type Made, make, SSE_HEADERS, streamText } from './made-exchange.ts';

export const greenExchanges = (): Made[] => [
  haikuStream(),
  sonnetStream(),
  sonnetJson(),
  limitedSonnet(),
  fallenBackHaiku(),
  abortedSonnet(),
  headProbe(),
];

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

/** Of whose tokens nobody knows anything: the upstream does not tell. Not in the green run. */
export function silentHaiku(): Made {
  const model = 'claude-haiku-4-5-20251001';
  return make({
    rid: 'haiku-silent',
    at: 7_000,
    model,
    op: 'stream',
    hops: [{ provider: 'zai', status: 200, headers: SSE_HEADERS, body: streamText(model, {}) }],
    record: { decision: 'to_zai', reason: 'ok' },
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
