/**
 * An incremental parser of HTTP/1.x messages (RFC 9112) for witnesses: it keeps header order, case and
 * duplicates, and gives body bytes as they arrive, still in their content coding. Bytes in, events out, so
 * that it can be tried without a socket.
 */
import type { HeaderPairs } from '../../protocol/transcript.ts';

export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly http: '1.0' | '1.1';
  readonly headers: HeaderPairs;
}

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly http: '1.0' | '1.1';
  readonly headers: HeaderPairs;
}

export type HttpEvent<Head> =
  /** A 1xx answer; the final one is still to come. */
  | { readonly kind: 'informational'; readonly head: Head }
  | { readonly kind: 'head'; readonly head: Head; readonly framing: Framing['kind'] }
  /** A piece of body without its chunk framing. */
  | { readonly kind: 'body'; readonly bytes: Buffer }
  /** The message is whole, as its framing promised. */
  | { readonly kind: 'end' }
  /** Not HTTP; nothing further comes out of this parser. */
  | { readonly kind: 'problem'; readonly what: string };

/** How the end of a body is told. */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' };

export interface HttpParser<Head> {
  push(bytes: Buffer): readonly HttpEvent<Head>[];
  /** The peer sent its FIN. Ends a body that is delimited by it; a message cut short gives no `end`. */
  finish(): readonly HttpEvent<Head>[];
}

const MAX_HEAD_BYTES = 1024 * 1024;
const MAX_CHUNK_LINE_BYTES = 4096;

export function createRequestParser(): HttpParser<RequestHead> {
  return createParser((lines) => {
    const [, method, target, minor] = /^(\S+) (\S+) HTTP\/1\.([01])$/.exec(lines[0] ?? '') ?? [];
    if (method === undefined || target === undefined) throw new Malformed(`request line ${quote(lines[0])}`);
    const headers = parseHeaders(lines.slice(1));
    const framing = framingOf(headers);
    const head = { method, target, http: minor === '0' ? '1.0' : '1.1', headers } as const;
    return { head, informational: false, framing: framing.kind === 'close' ? { kind: 'none' } : framing };
  });
}

/** `requestMethod` gives the method that the next final response answers: one to HEAD has no body. */
export function createResponseParser(requestMethod: () => string | undefined): HttpParser<ResponseHead> {
  return createParser((lines) => {
    const [, minor, code, reason = ''] = /^HTTP\/1\.([01]) (\d{3})(?: (.*))?$/.exec(lines[0] ?? '') ?? [];
    if (code === undefined) throw new Malformed(`status line ${quote(lines[0])}`);
    const headers = parseHeaders(lines.slice(1));
    const status = Number(code);
    const head = { status, reason, http: minor === '0' ? '1.0' : '1.1', headers } as const;
    if (status === 101) return { head, informational: false, framing: { kind: 'close' } };
    if (status < 200) return { head, informational: true, framing: { kind: 'none' } };
    const bodiless = status === 204 || status === 304 || requestMethod() === 'HEAD';
    return { head, informational: false, framing: bodiless ? { kind: 'none' } : framingOf(headers) };
  });
}

/** First value of a header, by name in any case. */
export function headerValue(headers: HeaderPairs, name: string): string | undefined {
  const wanted = name.toLowerCase();
  return headers.find(([key]) => key.toLowerCase() === wanted)?.[1];
}

class Malformed extends Error {}

type ReadHead<Head> = (lines: readonly string[]) => {
  readonly head: Head;
  readonly informational: boolean;
  readonly framing: Framing;
};

type State =
  | { readonly at: 'head' | 'chunk-size' | 'trailers' | 'close' | 'failed' }
  | { readonly at: 'length' | 'chunk'; left: number };

function createParser<Head>(readHead: ReadHead<Head>): HttpParser<Head> {
  let state: State = { at: 'head' };
  let rest: Buffer = Buffer.alloc(0);

  /** Takes one step on `rest`; undefined where it needs more bytes. */
  function step(): readonly HttpEvent<Head>[] | undefined {
    if (state.at === 'head') return takeHead();
    if (state.at === 'length' || state.at === 'chunk') return takeBody(state);
    if (state.at === 'chunk-size') return takeChunkSize();
    if (state.at === 'trailers') return takeTrailer();
    if (rest.length === 0) return undefined;
    return [{ kind: 'body', bytes: take(rest.length) }];
  }

  function takeHead(): readonly HttpEvent<Head>[] | undefined {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) {
      if (rest.length > MAX_HEAD_BYTES) throw new Malformed('a head without an end');
      return undefined;
    }
    const lines = take(end + 4)
      .toString('latin1', 0, end)
      .split('\r\n');
    const { head, informational, framing } = readHead(lines);
    if (informational) return [{ kind: 'informational', head }];
    state = stateFor(framing);
    const event = { kind: 'head', head, framing: framing.kind } as const;
    return state.at === 'head' ? [event, { kind: 'end' }] : [event];
  }

  function takeBody(body: Extract<State, { left: number }>): readonly HttpEvent<Head>[] | undefined {
    if (body.left > 0) {
      if (rest.length === 0) return undefined;
      const bytes = take(Math.min(body.left, rest.length));
      body.left -= bytes.length;
      if (body.at === 'length' && body.left === 0) {
        state = { at: 'head' };
        return [{ kind: 'body', bytes }, { kind: 'end' }];
      }
      return [{ kind: 'body', bytes }];
    }
    if (rest.length < 2) return undefined;
    if (take(2).toString('latin1') !== '\r\n') throw new Malformed('a chunk longer than its size');
    state = { at: 'chunk-size' };
    return [];
  }

  function takeChunkSize(): readonly HttpEvent<Head>[] | undefined {
    const line = takeLine();
    if (line === undefined) return undefined;
    const size = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(line)?.[1];
    if (size === undefined) throw new Malformed(`chunk size ${quote(line)}`);
    const left = Number.parseInt(size, 16);
    state = left === 0 ? { at: 'trailers' } : { at: 'chunk', left };
    return [];
  }

  function takeTrailer(): readonly HttpEvent<Head>[] | undefined {
    const line = takeLine();
    if (line === undefined) return undefined;
    if (line !== '') return [];
    state = { at: 'head' };
    return [{ kind: 'end' }];
  }

  function takeLine(): string | undefined {
    const end = rest.indexOf('\r\n');
    if (end < 0) {
      if (rest.length > MAX_CHUNK_LINE_BYTES) throw new Malformed('a chunk line without an end');
      return undefined;
    }
    return take(end + 2).toString('latin1', 0, end);
  }

  function take(length: number): Buffer {
    const taken = rest.subarray(0, length);
    rest = rest.subarray(length);
    return taken;
  }

  return {
    push(bytes) {
      if (state.at === 'failed') return [];
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      const events: HttpEvent<Head>[] = [];
      try {
        for (let found = step(); found !== undefined; found = step()) events.push(...found);
      } catch (error) {
        if (!(error instanceof Malformed)) throw error;
        state = { at: 'failed' };
        rest = Buffer.alloc(0);
        events.push({ kind: 'problem', what: error.message });
      }
      return events;
    },
    finish() {
      if (state.at !== 'close') return [];
      state = { at: 'head' };
      return [{ kind: 'end' }];
    },
  };
}

function stateFor(framing: Framing): State {
  if (framing.kind === 'length' && framing.bytes > 0) return { at: 'length', left: framing.bytes };
  if (framing.kind === 'chunked') return { at: 'chunk-size' };
  return { at: framing.kind === 'close' ? 'close' : 'head' };
}

function parseHeaders(lines: readonly string[]): HeaderPairs {
  return lines.map((line) => {
    // RFC 9112 §5: no whitespace before the colon, no folded lines.
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Malformed(`header line ${quote(line)}`);
    return [name, value] as const;
  });
}

/** RFC 9112 §6.3; a transfer coding overrides a length. */
function framingOf(headers: HeaderPairs): Framing {
  const codings = allValues(headers, 'transfer-encoding');
  if (codings.length > 0)
    return codings.at(-1)?.toLowerCase() === 'chunked' ? { kind: 'chunked' } : { kind: 'close' };
  const lengths = new Set(allValues(headers, 'content-length'));
  const [length] = lengths;
  if (length === undefined) return { kind: 'close' };
  if (lengths.size > 1 || !/^\d{1,15}$/.test(length))
    throw new Malformed(`content-length ${quote([...lengths].join(', '))}`);
  return { kind: 'length', bytes: Number(length) };
}

function allValues(headers: HeaderPairs, name: string): readonly string[] {
  return headers
    .filter(([key]) => key.toLowerCase() === name)
    .flatMap(([, value]) => value.split(',').map((part) => part.trim()));
}

const quote = (text: string | undefined) => JSON.stringify((text ?? '').slice(0, 80));
