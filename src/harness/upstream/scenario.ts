/**
 * What an upstream mock can be told to do: the schema of the files under `fixtures/scenarios/`. A scenario is
 * data; `render.ts` turns it into bytes, `perform.ts` plays these, `explain.ts` says it in words.
 *
 * Strings of headers, bodies and event data may hold placeholders, see `template.ts`.
 */
import { z } from 'zod';

const milliseconds = z.number().nonnegative();
const count = z.int().nonnegative();

const textBlock = z.strictObject({
  type: z.literal('text'),
  text: z.string().optional().describe('without it: generated words, `deltas` of them'),
  deltas: z.int().positive().optional().describe('in how many deltas it is sent; by default one a word'),
  delta_bytes: z.int().positive().optional().describe('generated text only: length of each delta'),
});

const thinkingBlock = z.strictObject({
  type: z.literal('thinking'),
  text: z.string(),
  deltas: z.int().positive().optional(),
  signature_bytes: z.int().positive().default(96),
});

const toolUseBlock = z.strictObject({
  type: z.literal('tool_use'),
  name: z.string(),
  input: z.record(z.string(), z.json()),
  deltas: z.int().positive().default(3).describe('fragments of partial_json, after an empty first one'),
});

/** A block of another type, sent whole in its start event: `redacted_thinking`, `server_tool_use`, … */
const literalBlock = z.strictObject({
  type: z.literal('literal'),
  content: z.record(z.string(), z.json()),
});

export const blockSchema = z.discriminatedUnion('type', [
  textBlock,
  thinkingBlock,
  toolUseBlock,
  literalBlock,
]);

/** One item of an event stream. */
export const itemSchema = z.union([
  z.strictObject({
    event: z.string().optional().describe('by default the `type` of an object; `none` leaves the line out'),
    data: z.union([z.string(), z.record(z.string(), z.json())]),
  }),
  z.strictObject({ comment: z.string() }),
]);

const insertSchema = z.strictObject({
  after: z.union([count, z.literal('end')]).describe('how many generated events come before it'),
  item: itemSchema,
});

const messageBody = z.strictObject({
  kind: z.literal('message').describe('an answer of the model: a stream where one was asked for, else JSON'),
  blocks: z.array(blockSchema).default([{ type: 'text', text: '{{served_model}} at {{provider}}: ok' }]),
  stop_reason: z.string().default('end_turn'),
  stop_sequence: z.string().nullable().default(null),
  pings: z
    .strictObject({ lead: count.default(1), every: count.default(0) })
    .prefault({})
    .describe('`lead`: right after message_start; `every`: after each so many further events, 0 for never'),
  usage: z
    .enum(['upfront', 'late', 'absent'])
    .optional()
    .describe('where the counts stand; by default as the provider does it'),
  usage_in_delta: z
    .enum(['all', 'output', 'nulls'])
    .default('all')
    .describe('upfront only: what message_delta says of the input side'),
  tokens: z
    .strictObject({
      input: count.exactOptional(),
      output: count.exactOptional(),
      cache_read: count.exactOptional(),
      cache_write_5m: count.exactOptional(),
      cache_write_1h: count.exactOptional(),
    })
    .prefault({})
    .describe('counts that replace the seeded ones'),
  usage_updates: z.int().positive().default(1).describe('message_delta events, their counts cumulative'),
  insert: z.array(insertSchema).default([]),
  as_stream: z.boolean().optional().describe('a stream or JSON, whatever was asked for'),
});

const bodySchema = z.discriminatedUnion('kind', [
  messageBody,
  z.strictObject({ kind: z.literal('events'), items: z.array(itemSchema) }),
  z.strictObject({
    kind: z.literal('error').describe("an error body in the provider's shape"),
    shape: z.enum(['anthropic', 'zai-2025', 'zai-2026']).default('anthropic'),
    type: z.string().optional(),
    code: z.string().optional(),
    message: z.string(),
    extra: z.record(z.string(), z.json()).default({}).describe('further top-level keys'),
  }),
  z.strictObject({ kind: z.literal('json'), value: z.json() }),
  z.strictObject({
    kind: z.literal('text'),
    text: z.string(),
    content_type: z.string(),
    repeat: z.int().positive().default(1).describe('large bodies'),
  }),
  z.strictObject({ kind: z.literal('empty') }),
]);

/**
 * Where a fault strikes. A place counted in events exists in a stream only: a JSON answer stays whole. Bytes
 * are those of the body as sent, after compression.
 */
const inBody = z.union([z.strictObject({ events: count }), z.strictObject({ bytes: count })]);
const beforeHeadOrInBody = z.union([z.literal('before_head'), inBody]);
const cutPoint = z.union([z.literal('mid_head'), beforeHeadOrInBody]);

const faultSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('end'), at: inBody }).describe('a clean end of the framing, too early'),
  z.strictObject({ kind: z.literal('close'), at: cutPoint }).describe('FIN before the message is whole'),
  z.strictObject({ kind: z.literal('reset'), at: cutPoint }).describe('TCP RST'),
  z.strictObject({ kind: z.literal('hang'), at: cutPoint }).describe('silence until the client leaves'),
  z
    .strictObject({ kind: z.literal('malformed_chunk'), at: inBody })
    .describe('a chunk size that is no number'),
  z.strictObject({ kind: z.literal('rst_stream'), at: beforeHeadOrInBody, code: z.int().min(0) }),
  z.strictObject({
    kind: z.literal('goaway'),
    at: beforeHeadOrInBody,
    code: z.int().min(0).default(0),
    processed: z
      .boolean()
      .describe('true: the stream still ends well; false: its id is above last-stream-id'),
  }),
]);

export const CODECS = ['gzip', 'br', 'zstd', 'deflate'] as const;

export const scenarioSchema = z.strictObject({
  summary: z.string().describe('one sentence for a person, without a full stop'),
  status: z.int().min(200).max(599).default(200),
  headers: z
    .record(z.string(), z.union([z.string(), z.array(z.string()), z.null()]))
    .default({})
    .describe("added to the provider's; a list repeats the header, null removes it"),
  body: bodySchema.default({ kind: 'empty' }),
  compression: z
    .strictObject({ codec: z.enum(CODECS), declared: z.boolean().default(true) })
    .optional()
    .describe('`declared: false` leaves content-encoding out'),
  framing: z.enum(['lf', 'crlf', 'cr']).default('lf').describe('line ends of an event stream'),
  length: z
    .enum(['chunked', 'content-length', 'until-close'])
    .optional()
    .describe('HTTP/1.1 framing; by default chunked for streams, else content-length'),
  pieces: z
    .union([z.enum(['event', 'whole', 'inside_utf8']), z.strictObject({ bytes: z.int().positive() })])
    .default('event')
    .describe('how the body is cut for sending'),
  delays: z
    .strictObject({
      head_ms: milliseconds.default(0).describe('before the head'),
      body_ms: milliseconds.default(0).describe('between head and first piece'),
      between_ms: milliseconds.default(0).describe('between two events (pieces, where no stream)'),
    })
    .prefault({}),
  fault: faultSchema.optional(),
  afterwards: z
    .enum(['keep', 'close'])
    .default('keep')
    .describe('`close`: FIN right after the answer, unannounced (the keep-alive race)'),
});

export type Scenario = z.infer<typeof scenarioSchema>;
export type MessageBody = z.infer<typeof messageBody>;
export type Block = z.infer<typeof blockSchema>;
export type Item = z.infer<typeof itemSchema>;
export type Fault = z.infer<typeof faultSchema>;
export type Codec = (typeof CODECS)[number];
export type Framing = Scenario['framing'];
