/** From a scenario and the facts of one request to what will be sent: pure but for the compressors. */
import { compress } from './compress.ts';
import { messageItems, messageJson } from './message.ts';
import type { Provider } from './provider.ts';
import type { Item, Scenario } from './scenario.ts';
import { encodeItem } from './sse.ts';
import { fill, fillJson, type Json, type TemplateContext } from './template.ts';

export interface Rendered {
  readonly status: number;
  /** Without the headers of the connection and of the message framing, which depend on the protocol. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly stream: boolean;
  readonly pieces: readonly Piece[];
}

export interface Piece {
  readonly bytes: Buffer;
  /** How many events are whole once this piece is out. */
  readonly events: number;
}

export interface RenderOptions {
  readonly scenario: Scenario;
  readonly provider: Provider;
  readonly context: TemplateContext;
  /** Whether the request asked for a stream. */
  readonly wantsStream: boolean;
}

export async function render(options: RenderOptions): Promise<Rendered> {
  const { scenario, provider, context } = options;
  const { stream, contentType, parts } = plainBody(options);
  const { compression } = scenario;
  const encoded = compression === undefined ? parts : await compress(parts, compression.codec);
  const whole: Piece[] = encoded.map((bytes, index) => ({ bytes, events: stream ? index + 1 : 0 }));
  return {
    status: scenario.status,
    headers: mergeHeaders(
      [
        ...(contentType === undefined ? [] : [['Content-Type', contentType] as const]),
        ...(compression?.declared === true ? [['Content-Encoding', compression.codec] as const] : []),
        ...Object.entries(provider.headers),
      ],
      scenario.headers,
      context,
    ),
    stream,
    pieces: cut(whole, scenario.pieces),
  };
}

interface PlainBody {
  readonly stream: boolean;
  readonly contentType?: string;
  /** One part an event, or the whole body as one. */
  readonly parts: readonly Buffer[];
}

const EVENT_STREAM = 'text/event-stream; charset=utf-8';

function plainBody({ scenario, provider, context, wantsStream }: RenderOptions): PlainBody {
  const { body, framing } = scenario;
  const eventStream = (items: readonly Item[]): PlainBody => ({
    stream: true,
    contentType: EVENT_STREAM,
    parts: items.map((item) => encodeItem(item, framing, context)),
  });
  switch (body.kind) {
    case 'message':
      return (body.as_stream ?? wantsStream)
        ? eventStream(messageItems(body, provider, context))
        : jsonBody(messageJson(body, provider, context));
    case 'events':
      return eventStream(body.items);
    case 'error':
      return jsonBody(errorBody(body, context));
    case 'json':
      return jsonBody(fillJson(body.value, context));
    case 'text':
      return {
        stream: false,
        contentType: body.content_type,
        parts: [Buffer.from(fill(body.text, context).repeat(body.repeat))],
      };
    case 'empty':
      return { stream: false, parts: [] };
  }
}

function jsonBody(value: Json): PlainBody {
  return { stream: false, contentType: 'application/json', parts: [Buffer.from(JSON.stringify(value))] };
}

/** Table A of the wire facts, and both generations of Z.AI's. */
function errorBody(body: Extract<Scenario['body'], { kind: 'error' }>, context: TemplateContext): Json {
  const message = fill(body.message, context);
  const { type = 'api_error', code = '' } = body;
  const error: Readonly<Record<typeof body.shape, Json>> = {
    anthropic: { type, message },
    'zai-2025': { type: code, message },
    'zai-2026': { type, code, message: `[${code}][${message}][${context.requestId}]` },
  };
  return { type: 'error', error: error[body.shape], request_id: context.requestId, ...body.extra };
}

/** The scenario's headers over the provider's: the name of the former decides, the place of the latter stays. */
function mergeHeaders(
  base: readonly (readonly [string, string])[],
  changes: Scenario['headers'],
  context: TemplateContext,
): [string, string][] {
  const left = new Map(Object.entries(changes).map(([name, value]) => [name.toLowerCase(), { name, value }]));
  const merged: [string, string][] = [];
  const put = (name: string, value: string | readonly string[] | null): void => {
    const values = value === null ? [] : typeof value === 'string' ? [value] : value;
    merged.push(...values.map((one): [string, string] => [name, fill(one, context)]));
  };
  for (const [name, value] of base) {
    const change = left.get(name.toLowerCase());
    if (change === undefined) put(name, value);
    else put(change.name, change.value);
    left.delete(name.toLowerCase());
  }
  for (const { name, value } of left.values()) put(name, value);
  return merged;
}

function cut(parts: readonly Piece[], how: Scenario['pieces']): readonly Piece[] {
  if (how === 'event') return parts;
  const bytes = Buffer.concat(parts.map((part) => part.bytes));
  const positions = cutPositions(bytes, how);
  let start = 0;
  let sent = 0;
  let events = 0;
  return [...positions, bytes.length].flatMap((end) => {
    const piece = bytes.subarray(start, end);
    start = end;
    for (
      let part = parts[events];
      part !== undefined && sent + part.bytes.length <= end;
      part = parts[events]
    ) {
      sent += part.bytes.length;
      events += 1;
    }
    return piece.length === 0 ? [] : [{ bytes: piece, events: parts[0]?.events === 0 ? 0 : events }];
  });
}

function cutPositions(bytes: Buffer, how: Exclude<Scenario['pieces'], 'event'>): number[] {
  if (how === 'whole') return [];
  if (how === 'inside_utf8') {
    // Before each continuation byte (10xxxxxx).
    return [...bytes.keys()].filter((index) => ((bytes[index] ?? 0) & 0xc0) === 0x80);
  }
  return Array.from({ length: Math.floor(bytes.length / how.bytes) }, (_, index) => (index + 1) * how.bytes);
}
