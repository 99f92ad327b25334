import { array, assert, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRequestParser, createResponseParser, type HttpEvent, type HttpParser } from './parser.ts';

const response = (method = 'GET') => createResponseParser(() => method);

function feed<Head>(parser: HttpParser<Head>, pieces: readonly (string | Buffer)[], fin = true) {
  const events = pieces.flatMap((piece) => parser.push(Buffer.from(piece)));
  return fin ? [...events, ...parser.finish()] : events;
}

const kinds = (events: readonly HttpEvent<unknown>[]) => events.map(({ kind }) => kind).join(' ');
const body = (events: readonly HttpEvent<unknown>[]) =>
  Buffer.concat(events.flatMap((event) => (event.kind === 'body' ? [event.bytes] : []))).toString();

describe('responses', () => {
  it('keeps status, reason, and header order, case and duplicates', () => {
    const [event] = feed(response(), [
      'HTTP/1.1 200 All  right\r\nB: 1\r\na:2 \r\nb: \t3\r\ncontent-length: 0\r\n\r\n',
    ]);
    expect(event).toMatchObject({
      kind: 'head',
      head: {
        status: 200,
        reason: 'All  right',
        headers: [
          ['B', '1'],
          ['a', '2'],
          ['b', '3'],
          ['content-length', '0'],
        ],
      },
    });
  });

  it('reports 1xx apart and goes on to the final answer', () => {
    const events = feed(response(), [
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
    ]);
    expect(kinds(events)).toBe('informational informational head end');
  });

  it('ends a body at its length and takes what follows for the next message', () => {
    const one = 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc';
    expect(kinds(feed(response(), [one + one]))).toBe('head body end head body end');
  });

  it('takes chunk framing away, extensions and trailers too', () => {
    const events = feed(response(), [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nt: 1\r\n\r\n',
    ]);
    expect(kinds(events)).toBe('head body body end');
    expect(body(events)).toBe('abc0123456789');
  });

  it('lets a transfer coding override a length', () => {
    const events = feed(response(), [
      'HTTP/1.1 200 OK\r\ncontent-length: 99\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
    ]);
    expect(kinds(events)).toBe('head body end');
  });

  it('ends a body without framing when the peer closes', () => {
    const parser = response();
    expect(kinds(feed(parser, ['HTTP/1.1 200 OK\r\n\r\nabc', 'def'], false))).toBe('head body body');
    expect(kinds(parser.finish())).toBe('end');
  });

  it.each([
    ['a length', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc'],
    ['chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n'],
    [
      'chunks cut before the last blank line',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n',
    ],
  ])('gives no end where the peer closes short of %s', (_framing, bytes) => {
    expect(kinds(feed(response(), [bytes]))).toBe('head body');
  });

  it.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n'],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['GET', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'],
  ])('expects no body after %s %j', (method, bytes) => {
    expect(kinds(feed(response(method), [bytes], false))).toBe('head end');
  });

  it.each([
    ['a status line', 'ICY 200 OK\r\n\r\n'],
    ['bare line feeds in a head', 'HTTP/1.1 200 OK\nx: 1\r\n\r\n'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\nx : 1\r\n\r\n'],
    ['a folded header', 'HTTP/1.1 200 OK\r\nx: 1\r\n 2\r\n\r\n'],
    ['two different lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
    ['a negative length', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n'],
    ['a chunk size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n'],
    ['a chunk that overruns its size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n'],
  ])('calls %s a problem, once, and reads no further', (_what, bytes) => {
    const events = feed(response(), [bytes, 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n']);
    expect(events.at(-1)).toMatchObject({ kind: 'problem' });
    expect(events.filter(({ kind }) => kind === 'problem')).toHaveLength(1);
  });
});

describe('requests', () => {
  it('keeps method and target as written, and has no body where none is announced', () => {
    const events = feed(createRequestParser(), [
      'POST /v1/messages?beta=true&x=%2F HTTP/1.1\r\nHost: x\r\n\r\n',
    ]);
    expect(events[0]).toMatchObject({
      head: { method: 'POST', target: '/v1/messages?beta=true&x=%2F', http: '1.1' },
    });
    expect(kinds(events)).toBe('head end');
  });
});

describe('any way of cutting the bytes', () => {
  const bytes = Buffer.from(
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\na\r\n\r\r\n6\r\n\né\r\n0\r\n0\r\n\r\n' +
      'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello',
  );

  it('gives the same heads, bodies and ends', () => {
    const whole = feed(response(), [bytes]);
    expect(kinds(whole)).toBe('informational head body body end head body end');
    assert(
      property(array(nat(bytes.length), { maxLength: 20 }), (cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const events = feed(
          response(),
          edges.slice(1).map((edge, at) => bytes.subarray(edges[at], edge)),
        );
        expect(body(events)).toBe(body(whole));
        expect(kinds(events).replaceAll(/(body )+/g, 'body ')).toBe(
          kinds(whole).replaceAll(/(body )+/g, 'body '),
        );
      }),
    );
  });
});
