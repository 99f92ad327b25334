/** The bytes of the benchmark: what clients ask, what the upstream answers. Made once, the same for everybody. */

export const SHAPES = ['json', 'sse', 'paced', 'slow'] as const;

/** One answer, a stream as fast as it goes, one with an event every 10 ms, one that never ends. */
export type Shape = (typeof SHAPES)[number];

export interface Work {
  readonly name: string;
  readonly shape: Shape;
  /** Size of the request body in bytes. */
  readonly bodyBytes: number;
}

const SIZES = { '1k': 1024, '124k': 124 * 1024 } as const;

/** Every work there is, by name: `json-1k`, `sse-124k`, … 124 KB is what Claude Code sends for "Say ok". */
export const WORKS: readonly Work[] = SHAPES.flatMap((shape) =>
  Object.entries(SIZES).map(([label, bodyBytes]) => ({ name: `${shape}-${label}`, shape, bodyBytes })),
);

export const EVENTS_PER_STREAM = 200;

/** Between two events of a paced stream, milliseconds. */
export const PACE_MS = 10;

/** Between two events of a slow stream, milliseconds. */
export const SLOW_MS = 1000;

/** A whole request, head and body, in the form and with the headers that Claude Code sends. */
export function requestBytes(
  work: Work,
  host: string,
  extraHeaders: Readonly<Record<string, string>>,
): Buffer {
  const body = requestBody(work);
  const head = [
    `POST /v1/messages?beta=true&work=${work.shape} HTTP/1.1`,
    `host: ${host}`,
    'accept: application/json',
    'anthropic-beta: claude-code-20250219,interleaved-thinking-2025-05-14',
    'anthropic-dangerous-direct-browser-access: true',
    'anthropic-version: 2023-06-01',
    'content-type: application/json',
    'user-agent: claude-cli/2.1.197 (external, cli)',
    'x-api-key: sk-ant-made-up-for-the-benchmark',
    'x-app: cli',
    'x-stainless-arch: x64',
    'x-stainless-lang: js',
    'x-stainless-os: Linux',
    'x-stainless-retry-count: 0',
    'x-stainless-runtime: node',
    'x-stainless-timeout: 600',
    'accept-encoding: identity',
    'connection: keep-alive',
    ...Object.entries(extraHeaders).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]);
}

/** `model` first, then prompt and tool schemas up to the size asked for: real structure for whoever parses it. */
function requestBody({ shape, bodyBytes }: Work): Buffer {
  const tools: unknown[] = [];
  const message = (filler: string): string =>
    JSON.stringify({
      model: 'claude-sonnet-4-5-20250929',
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Say ok' }] }],
      system: [{ type: 'text', text: `You are a benchmark.${filler}`, cache_control: { type: 'ephemeral' } }],
      tools,
      metadata: { user_id: 'user_benchmark' },
      max_tokens: 32000,
      stream: shape !== 'json',
    });
  while (message('').length + JSON.stringify(tool(tools.length)).length < bodyBytes)
    tools.push(tool(tools.length));
  return Buffer.from(message('.'.repeat(bodyBytes - message('').length)));
}

const tool = (index: number): unknown => ({
  name: `tool_${index}`,
  description: 'Reads a file from the local file system.\nPaths are absolute; "~" is not expanded. '.repeat(
    8,
  ),
  input_schema: {
    type: 'object',
    properties: {
      file_path: { type: 'string', description: 'The absolute path of the file' },
      offset: { type: 'number', description: 'The line to start at', minimum: 0 },
      limit: { type: 'number', description: 'How many lines', maximum: 2000 },
    },
    required: ['file_path'],
    additionalProperties: false,
  },
});

/** The body of a JSON answer, about 1 KB. */
export const JSON_ANSWER = Buffer.from(
  JSON.stringify({
    id: 'msg_01Benchmark',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5-20250929',
    content: [{ type: 'text', text: 'All work and no play. '.repeat(32) }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: {
      input_tokens: 12,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 29000,
      output_tokens: 210,
    },
  }),
);

const event = (type: string, data: object): Buffer =>
  Buffer.from(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);

const DELTA = event('content_block_delta', {
  index: 0,
  delta: { type: 'text_delta', text: 'six or seven words' },
});

/** Where in a stream the deltas begin. */
export const FIRST_DELTA = 3;

/** The events of a stream, in order. */
export const STREAM_EVENTS: readonly Buffer[] = [
  event('message_start', {
    message: {
      id: 'msg_01Benchmark',
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-4-5-20250929',
      content: [],
      stop_reason: null,
      usage: {
        input_tokens: 12,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 29000,
        output_tokens: 1,
      },
    },
  }),
  event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  event('ping', {}),
  ...Array.from({ length: EVENTS_PER_STREAM - 6 }, () => DELTA),
  event('content_block_stop', { index: 0 }),
  event('message_delta', {
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: 980 },
  }),
  event('message_stop', {}),
];

/** The body that must arrive at the client, byte for byte; null for streams that are never let end. */
export function expectedBody(shape: Shape): Buffer | null {
  if (shape === 'slow') return null;
  return shape === 'json' ? JSON_ANSWER : Buffer.concat(STREAM_EVENTS);
}
