/** A scenario in words, so that a failing run can print what the upstream was going to do. */
import type { Block, Fault, Item, Scenario } from './scenario.ts';

/** One sentence, without a full stop: "200, a stream of …; then …". */
export function explain(scenario: Scenario): string {
  const { delays, compression, afterwards, fault } = scenario;
  return [
    delays.head_ms > 0 && `waits ${delays.head_ms} ms`,
    fault?.at === 'before_head' ? `${faultInWords(fault)} before the head` : answerInWords(scenario),
    delays.body_ms > 0 && `${delays.body_ms} ms from head to first byte`,
    delays.between_ms > 0 && `${delays.between_ms} ms between events`,
    compression && `compressed as ${compression.codec}${compression.declared ? '' : ', undeclared'}`,
    scenario.framing !== 'lf' && `${scenario.framing.toUpperCase()} line ends`,
    scenario.length && `${scenario.length} framing`,
    piecesInWords(scenario.pieces),
    fault !== undefined && fault.at !== 'before_head' && `${faultInWords(fault)} ${placeInWords(fault.at)}`,
    afterwards === 'close' && 'closes the connection afterwards without notice',
  ]
    .filter((part) => typeof part === 'string')
    .join('; ');
}

function answerInWords({ status, headers, body }: Scenario): string {
  return `${status}${headersInWords(Object.keys(headers))}: ${bodyInWords(body)}`;
}

const HEADERS_NAMED = 3;

function headersInWords(names: readonly string[]): string {
  if (names.length === 0) return '';
  const more = names.length > HEADERS_NAMED ? ` and ${names.length - HEADERS_NAMED} more headers` : '';
  return ` with ${names.slice(0, HEADERS_NAMED).join(', ')}${more}`;
}

function bodyInWords(body: Scenario['body']): string {
  switch (body.kind) {
    case 'message': {
      const kind =
        body.as_stream === undefined ? 'a message' : body.as_stream ? 'a stream' : 'a JSON message';
      return [
        `${kind} of ${body.blocks.map(blockInWords).join(', ') || 'nothing'}, ${body.stop_reason}`,
        body.usage !== undefined && `usage ${body.usage}`,
        USAGE_IN_DELTA[body.usage_in_delta],
        body.usage_updates > 1 && `${body.usage_updates} cumulative usage updates`,
        body.pings.lead !== 1 && `${body.pings.lead} pings first`,
        body.pings.every > 0 && `a ping after every ${body.pings.every} events`,
        ...body.insert.map(
          ({ after, item }) =>
            `${itemInWords(item)} ${after === 'end' ? 'at the end' : `after event ${after}`}`,
        ),
      ]
        .filter((part) => typeof part === 'string')
        .join(', ');
    }
    case 'events':
      return `the events ${body.items.map(itemInWords).join(', ')}`;
    case 'error':
      return `an error body (${body.shape}) ${body.code ?? body.type ?? ''}, "${body.message}"`;
    case 'json':
      return `JSON ${JSON.stringify(body.value).slice(0, 80)}`;
    case 'text':
      return `${body.text.length * body.repeat} characters of ${body.content_type}`;
    case 'empty':
      return 'no body';
  }
}

const USAGE_IN_DELTA = {
  all: undefined,
  output: 'message_delta without the input side',
  nulls: 'message_delta with nulls for the input side',
} as const;

function blockInWords(block: Block): string {
  switch (block.type) {
    case 'text':
      return block.text === undefined ? `${block.deltas ?? 1} deltas of text` : 'text';
    case 'thinking':
      return 'thinking with a signature';
    case 'tool_use':
      return `a call of ${block.name}`;
    case 'literal':
      return `a block ${JSON.stringify(block.content['type'])}`;
  }
}

function itemInWords(item: Item): string {
  if ('comment' in item) return `a comment "${item.comment}"`;
  if (typeof item.data === 'string') return `data ${JSON.stringify(item.data)}`;
  const { type } = item.data;
  const name = item.event === 'none' ? undefined : item.event;
  return name ?? (typeof type === 'string' ? type : 'an event without a name');
}

function piecesInWords(pieces: Scenario['pieces']): string | undefined {
  if (pieces === 'event') return undefined;
  if (pieces === 'whole') return 'sent as one piece';
  return pieces === 'inside_utf8' ? 'cut inside every UTF-8 sequence' : `cut every ${pieces.bytes} bytes`;
}

function faultInWords(fault: Fault): string {
  switch (fault.kind) {
    case 'end':
      return 'ends cleanly';
    case 'close':
      return 'closes the connection (FIN)';
    case 'reset':
      return 'resets the connection (RST)';
    case 'hang':
      return 'falls silent';
    case 'malformed_chunk':
      return 'sends a malformed chunk (over HTTP/2: RST_STREAM PROTOCOL_ERROR)';
    case 'rst_stream':
      return `sends RST_STREAM with code ${fault.code} (over HTTP/1.1: RST)`;
    case 'goaway':
      return fault.processed
        ? `announces with GOAWAY ${fault.code} that this is the last exchange (over HTTP/1.1: closes afterwards)`
        : `refuses this exchange with GOAWAY ${fault.code} (over HTTP/1.1: FIN)`;
  }
}

function placeInWords(at: Fault['at']): string {
  if (at === 'mid_head' || at === 'before_head')
    return at === 'mid_head' ? 'within the head' : 'before the head';
  return 'events' in at ? `after ${at.events} events` : `after ${at.bytes} bytes of the body`;
}
