/** An answer of the model: as the events of a stream, or as one JSON message. */
import type { Provider } from './provider.ts';
import type { Block, Item, MessageBody } from './scenario.ts';
import { fill, fillJson, type Json, type TemplateContext } from './template.ts';

type JsonObject = Record<string, Json>;

/** The events of the answer in order, pings and inserted items included. */
export function messageItems(body: MessageBody, provider: Provider, context: TemplateContext): Item[] {
  const usage = usageReports(body, provider, context);
  const generated: JsonObject[] = [
    { type: 'message_start', message: { ...envelope(context), ...usage.atStart } },
    ...Array.from({ length: body.pings.lead }, () => PING),
    ...withPings(
      [
        ...body.blocks.flatMap((block, index) => blockEvents(block, index, context)),
        ...usage.updates.map((report, index) => ({
          type: 'message_delta',
          delta: index === usage.updates.length - 1 ? stopOf(body) : NOT_STOPPED,
          ...report,
        })),
      ],
      body.pings.every,
    ),
    { type: 'message_stop' },
  ];
  return insertInto(
    generated.map((data) => ({ data })),
    body.insert,
  );
}

/** The same answer where no stream was asked for. */
export function messageJson(body: MessageBody, provider: Provider, context: TemplateContext): JsonObject {
  return {
    ...envelope(context),
    content: body.blocks.map((block) => blockContent(block, context)),
    ...stopOf(body),
    ...usageReports(body, provider, context).atOnce,
  };
}

const PING: JsonObject = { type: 'ping' };
const NOT_STOPPED: JsonObject = { stop_reason: null, stop_sequence: null };

function envelope({ messageId, servedModel }: TemplateContext): JsonObject {
  return {
    id: messageId,
    type: 'message',
    role: 'assistant',
    model: servedModel,
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
}

function stopOf(body: MessageBody): JsonObject {
  return { stop_reason: body.stop_reason, stop_sequence: body.stop_sequence };
}

function withPings(events: readonly JsonObject[], every: number): JsonObject[] {
  if (every === 0) return [...events];
  return events.flatMap((event, index) => ((index + 1) % every === 0 ? [event, PING] : [event]));
}

function insertInto(items: readonly Item[], inserts: MessageBody['insert']): Item[] {
  const at = (position: number): Item[] =>
    inserts
      .filter(({ after }) => (after === 'end' ? items.length : Math.min(after, items.length)) === position)
      .map(({ item }) => item);
  return [...at(0), ...items.flatMap((item, index) => [item, ...at(index + 1)])];
}

// Content blocks.

function blockEvents(block: Block, index: number, context: TemplateContext): JsonObject[] {
  const { start, deltas } = blockParts(block, context);
  return [
    { type: 'content_block_start', index, content_block: start },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ];
}

function blockParts(
  block: Block,
  context: TemplateContext,
): { readonly start: JsonObject; readonly deltas: readonly JsonObject[] } {
  switch (block.type) {
    case 'text':
      return {
        start: { type: 'text', text: '' },
        deltas: textParts(block, context).map((text) => ({ type: 'text_delta', text })),
      };
    case 'thinking': {
      const thinking = fill(block.text, context);
      return {
        start: { type: 'thinking', thinking: '', signature: '' },
        deltas: [
          ...split(thinking, block.deltas).map((part) => ({ type: 'thinking_delta', thinking: part })),
          { type: 'signature_delta', signature: context.seeded.base64(block.signature_bytes) },
        ],
      };
    }
    case 'tool_use': {
      const json = JSON.stringify(fillJson(block.input, context));
      return {
        start: { ...toolHead(block, context), input: {} },
        // The service sends an empty fragment first.
        deltas: ['', ...split(json, block.deltas)].map((part) => ({
          type: 'input_json_delta',
          partial_json: part,
        })),
      };
    }
    case 'literal':
      return { start: filled(block.content, context), deltas: [] };
  }
}

function blockContent(block: Block, context: TemplateContext): JsonObject {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: textParts(block, context).join('') };
    case 'thinking':
      return {
        type: 'thinking',
        thinking: fill(block.text, context),
        signature: context.seeded.base64(block.signature_bytes),
      };
    case 'tool_use':
      return { ...toolHead(block, context), input: fillJson(block.input, context) };
    case 'literal':
      return filled(block.content, context);
  }
}

function toolHead(block: Extract<Block, { type: 'tool_use' }>, context: TemplateContext): JsonObject {
  return { type: 'tool_use', id: `toolu_01${context.seeded.id(22)}`, name: block.name };
}

function filled(content: JsonObject, context: TemplateContext): JsonObject {
  return Object.fromEntries(Object.entries(content).map(([key, value]) => [key, fillJson(value, context)]));
}

/** Words of one to four bytes a character, so that any cut may fall inside one. */
const WORDS = ['river ', 'Straße ', 'naïve ', '東京 ', 'λόγος ', '🜁 ', 'quiet ', 'лес '] as const;

function textParts(block: Extract<Block, { type: 'text' }>, context: TemplateContext): string[] {
  if (block.text !== undefined) return split(fill(block.text, context), block.deltas);
  return Array.from({ length: block.deltas ?? 1 }, () => generatedText(block.delta_bytes ?? 1, context));
}

/** Whole words, at least `bytes` bytes of them. */
function generatedText(bytes: number, { seeded }: TemplateContext): string {
  const words: string[] = [];
  for (let length = 0; length < bytes; ) {
    const word = WORDS[seeded.int(WORDS.length)] ?? WORDS[0];
    length += Buffer.byteLength(word);
    words.push(word);
  }
  return words.join('');
}

/** In `parts` pieces of equal length, or one piece a word; never inside a character. */
function split(text: string, parts: number | undefined): string[] {
  if (parts === undefined) return text.match(/\S+\s*|\s+/g) ?? [''];
  const characters = Array.from(text);
  const size = Math.max(1, Math.ceil(characters.length / parts));
  return Array.from({ length: parts }, (_, index) =>
    characters.slice(index * size, (index + 1) * size).join(''),
  );
}

// Usage. `message_delta` is cumulative: what it reports replaces what came before.

interface UsageReports {
  readonly atStart: JsonObject;
  readonly updates: readonly JsonObject[];
  readonly atOnce: JsonObject;
}

function usageReports(body: MessageBody, provider: Provider, context: TemplateContext): UsageReports {
  const counts = { ...context.counts, ...body.tokens };
  const place = body.usage ?? provider.usage;
  const outputs = Array.from({ length: body.usage_updates }, (_, index) =>
    Math.ceil((counts.output * (index + 1)) / body.usage_updates),
  );
  if (place === 'absent') return { atStart: {}, updates: outputs.map(() => ({})), atOnce: {} };

  const inputs: JsonObject = {
    input_tokens: counts.input,
    ...(provider.cache_writes && {
      cache_creation_input_tokens: counts.cache_write_5m + counts.cache_write_1h,
    }),
    cache_read_input_tokens: counts.cache_read,
  };
  const whole: JsonObject = {
    ...inputs,
    ...(provider.cache_writes && {
      cache_creation: {
        ephemeral_5m_input_tokens: counts.cache_write_5m,
        ephemeral_1h_input_tokens: counts.cache_write_1h,
      },
    }),
    ...(place === 'late' && { server_tool_use: { web_search_requests: 0 } }),
    service_tier: 'standard',
  };
  const update: JsonObject = place === 'late' ? whole : UPDATE_INPUTS[body.usage_in_delta](inputs);
  return {
    atStart: {
      usage: place === 'late' ? { input_tokens: 0, output_tokens: 0 } : { ...whole, output_tokens: 1 },
    },
    updates: outputs.map((output) => ({ usage: { ...update, output_tokens: output } })),
    atOnce: { usage: { ...whole, output_tokens: counts.output } },
  };
}

const UPDATE_INPUTS: Readonly<Record<MessageBody['usage_in_delta'], (inputs: JsonObject) => JsonObject>> = {
  all: (inputs) => inputs,
  output: () => ({}),
  nulls: (inputs) => Object.fromEntries(Object.keys(inputs).map((key) => [key, null])),
};
