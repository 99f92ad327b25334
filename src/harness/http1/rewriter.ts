/**
 * Lets an `ExchangeRewriter` alter the messages of one HTTP/1.1 connection. Bytes in, bytes out: requests
 * are held until they are whole, answers pass piece by piece, and the framing is made to fit what comes out.
 */
import type { HeaderPairs } from '../../protocol/transcript.ts';
import type { ExchangeRewriter, ResponseRewrite, WireRequest, WireResponseHead } from '../types/saboteur.ts';
import { createRequestParser, createResponseParser, type Framing, type RequestHead } from './parser.ts';

export interface ConnectionRewriter {
  /** Takes bytes from the client, gives bytes for the server. */
  request(bytes: Buffer): readonly Buffer[];
  /** Takes bytes from the server, gives bytes for the client. */
  response(bytes: Buffer): readonly Buffer[];
  /** The server is gone, `cut` by a reset or not; says what the client still gets and whether it gets a clean end. */
  responseOver(cut: boolean): { readonly bytes: readonly Buffer[]; readonly clean: boolean };
}

export function createConnectionRewriter(rewriter: ExchangeRewriter): ConnectionRewriter {
  const requests = createRequestParser();
  const waiting: WireRequest[] = [];
  const responses = createResponseParser(() => waiting[0]?.method);
  let incoming:
    | { readonly head: RequestHead; readonly chunked: boolean; readonly body: Buffer[] }
    | undefined;
  let answer: Answer | undefined;

  return {
    request(bytes) {
      return requests.push(bytes).flatMap((event) => {
        if (event.kind === 'head') {
          incoming = { head: event.head, chunked: event.framing === 'chunked', body: [] };
        } else if (event.kind === 'body') {
          incoming?.body.push(event.bytes);
        } else if (event.kind === 'end' && incoming !== undefined) {
          const { head, chunked, body } = incoming;
          const original: WireRequest = { ...head, body: Buffer.concat(body) };
          const altered = rewriter.request?.(original) ?? original;
          waiting.push(original);
          return [serialiseRequest(altered, chunked)];
        }
        return [];
      });
    },
    response(bytes) {
      return responses.push(bytes).flatMap((event) => {
        if (event.kind === 'informational') return [serialiseHead(event.head, event.head.headers)];
        if (event.kind === 'problem') return [];
        if (event.kind === 'body') return answer?.piece(event.bytes) ?? [];
        if (event.kind === 'end') {
          const last = answer?.finish(false).bytes ?? [];
          waiting.shift();
          answer = undefined;
          return last;
        }
        const [request] = waiting;
        const rewrite = (request && rewriter.response?.(event.head, request)) ?? {};
        answer = createAnswer(rewrite.head ?? event.head, event.framing, rewrite);
        return answer.start();
      });
    },
    responseOver(cut) {
      const last = answer?.finish(cut || responses.finish().length === 0);
      answer = undefined;
      return last ?? { bytes: [], clean: !cut };
    },
  };
}

interface Answer {
  start(): readonly Buffer[];
  piece(bytes: Buffer): readonly Buffer[];
  finish(cut: boolean): { readonly bytes: readonly Buffer[]; readonly clean: boolean };
}

function createAnswer(head: WireResponseHead, framing: Framing['kind'], rewrite: ResponseRewrite): Answer {
  const alter = (bytes: Buffer) => rewrite.piece?.(bytes) ?? [bytes];
  const over = (cut: boolean) => rewrite.end?.(cut) ?? { pieces: [], clean: !cut };
  const altersBody = rewrite.piece !== undefined || rewrite.end !== undefined;

  // A length that is still to be known holds the whole answer back.
  if (framing === 'length' && altersBody) {
    const held: Buffer[] = [];
    return {
      start: () => [],
      piece: (bytes) => (held.push(...alter(bytes)), []),
      finish(cut) {
        const { pieces, clean } = over(cut);
        const body = Buffer.concat([...held, ...pieces]);
        const headers = clean ? withLength(head.headers, body.length) : head.headers;
        return { bytes: [serialiseHead(head, headers), body], clean };
      },
    };
  }
  const frame = framing === 'chunked' ? chunk : (bytes: Buffer) => bytes;
  const frameAll = (pieces: readonly Buffer[]) => pieces.filter(({ length }) => length > 0).map(frame);
  return {
    start: () => [serialiseHead(head, head.headers)],
    piece: (bytes) => frameAll(alter(bytes)),
    finish(cut) {
      const { pieces, clean } = over(cut);
      const bytes = frameAll(pieces);
      return { bytes: framing === 'chunked' && clean ? [...bytes, LAST_CHUNK] : bytes, clean };
    },
  };
}

const LAST_CHUNK = Buffer.from('0\r\n\r\n');

function chunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

function serialiseRequest({ method, target, headers, body }: WireRequest, chunked: boolean): Buffer {
  const framed = chunked ? Buffer.concat([...(body.length > 0 ? [chunk(body)] : []), LAST_CHUNK]) : body;
  const fitting = chunked ? headers : withLength(headers, body.length);
  return Buffer.concat([lines(`${method} ${target} HTTP/1.1`, fitting), framed]);
}

function serialiseHead({ status, reason }: WireResponseHead, headers: HeaderPairs): Buffer {
  return lines(`HTTP/1.1 ${status} ${reason}`, headers);
}

function lines(first: string, headers: HeaderPairs): Buffer {
  return Buffer.from(
    [first, ...headers.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n'),
    'latin1',
  );
}

function withLength(headers: HeaderPairs, length: number): HeaderPairs {
  return headers.map(([name, value]) => [
    name,
    name.toLowerCase() === 'content-length' ? String(length) : value,
  ]);
}
