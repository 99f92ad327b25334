/** Small alterations of requests, answers and records, of which the saboteurs are made. */
import type { HeaderPairs } from '../../protocol/transcript.ts';
import { headerValue } from '../http1/parser.ts';
import type {
  ExchangeRewriter,
  ProxyRecords,
  ResponseRewrite,
  WireRequest,
  WireResponseHead,
} from '../types/saboteur.ts';

export function withoutHeader(headers: HeaderPairs, name: string): HeaderPairs {
  return headers.filter(([key]) => key.toLowerCase() !== name);
}

/** In the place of the first of that name, or at the end. */
export function withHeader(headers: HeaderPairs, name: string, value: string): HeaderPairs {
  const at = headers.findIndex(([key]) => key.toLowerCase() === name);
  return at === -1 ? [...headers, [name, value]] : headers.with(at, [headers[at]?.[0] ?? name, value]);
}

/** Alters each message request; what else passes, such as readiness probes, is left alone. */
export function onMessages(alter: (request: WireRequest) => WireRequest): ExchangeRewriter {
  return { request: (request) => (isMessage(request) ? alter(request) : request) };
}

/** Alters each answer to a message request. */
export function onAnswers(alter: (head: WireResponseHead) => ResponseRewrite | undefined): ExchangeRewriter {
  return { response: (head, request) => (isMessage(request) ? alter(head) : undefined) };
}

function isMessage({ method, target }: WireRequest): boolean {
  return method === 'POST' && /\/v1\/messages(\?|$)/.test(target);
}

export function isStream(head: WireResponseHead): boolean {
  return headerValue(head.headers, 'content-type')?.startsWith('text/event-stream') ?? false;
}

export interface StreamEvent {
  /** From the `type` of its data; empty for a comment. */
  readonly type: string;
  /** Its bytes with the blank line that ends it, one character a byte. */
  readonly raw: string;
}

/**
 * Alters streams event by event: `alter` gets each whole event and gives what goes on instead; `last` adds to
 * the end, for a stream cut short too, which then ends as if it were whole.
 */
export function onEvents(
  createAlter: () => (event: StreamEvent) => readonly string[],
  last?: (seen: readonly string[]) => readonly string[],
): ExchangeRewriter {
  return onAnswers((head) => {
    if (!isStream(head) || headerValue(head.headers, 'content-encoding') !== undefined) return undefined;
    const alter = createAlter();
    const seen: string[] = [];
    let rest = '';
    const encode = (texts: readonly string[]) => texts.map((text) => Buffer.from(text, 'latin1'));
    return {
      piece(bytes) {
        const parts = (rest + bytes.toString('latin1')).split(/(?<=\r?\n\r?\n)/);
        rest = parts.pop() ?? '';
        if (/\n\r?\n$/.test(rest)) {
          parts.push(rest);
          rest = '';
        }
        const events = parts.map((raw) => ({ raw, type: /"type":\s*"(\w+)"/.exec(raw)?.[1] ?? '' }));
        seen.push(...events.map(({ type }) => type));
        return encode(events.flatMap(alter));
      },
      end: (cut) => ({
        pieces: encode([...(rest === '' ? [] : [rest]), ...(last?.(seen) ?? [])]),
        clean: last !== undefined || !cut,
      }),
    };
  });
}

type Json = Readonly<Record<string, unknown>>;

/** Alters each line of the usage log of one kind; null takes it out, a list puts several in its place. */
export function onLines(
  event: 'completion' | 'decision' | 'stream_start',
  alter: (line: Json) => Json | readonly Json[] | null,
): (records: ProxyRecords) => ProxyRecords {
  return (records) =>
    withFile(records, 'usage.jsonl', (text) =>
      text
        .split('\n')
        .flatMap((raw) => {
          const line = parse(raw);
          if (line?.['event'] !== event) return [raw];
          return [alter(line) ?? []].flat().map((altered) => JSON.stringify(altered));
        })
        .join('\n'),
    );
}

/** Takes out or alters one file of the logs folder. */
export function withFile(records: ProxyRecords, name: string, alter: (text: string) => string): ProxyRecords {
  return { ...records, files: new Map([...records.files, [name, alter(records.files.get(name) ?? '')]]) };
}

export function record(value: unknown): Json {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function parse(text: string): Json | undefined {
  try {
    return record(JSON.parse(text));
  } catch {
    return undefined;
  }
}
