import { describe, expect, it } from 'vitest';
import { isEventStream, promisedLength, readHead } from './answer.ts';

describe('the head of an answer', () => {
  it('over HTTP/1.1 keeps order, case, duplicates and every byte of its headers', () => {
    const raw = [
      Buffer.from('X-B'),
      Buffer.from([0xe9]),
      Buffer.from('x-b'),
      Buffer.from(''),
      Buffer.from('X-A'),
      Buffer.from('1'),
    ];
    expect(readHead(299, 'Fine', raw)).toEqual({
      status: 299,
      statusMessage: 'Fine',
      headers: ['X-B', '\u00e9', 'x-b', '', 'X-A', '1'],
      h2: false,
    });
  });

  it('over HTTP/1.1 keeps every byte of its reason phrase', () => {
    const { statusMessage } = readHead(200, '\u6210\u529f', []);
    expect(Buffer.from(statusMessage, 'latin1').toString()).toBe('\u6210\u529f');
  });

  it('over HTTP/2 has no reason phrase, and one line for each value', () => {
    expect(readHead(200, undefined, { 'x-a': '1', 'set-cookie': ['a', 'b'] })).toEqual({
      status: 200,
      statusMessage: '',
      headers: ['x-a', '1', 'set-cookie', 'a', 'set-cookie', 'b'],
      h2: true,
    });
  });

  const headWith = (...headers: string[]) => readHead(200, '', headers);

  it.each([
    ['text/event-stream', true],
    ['Text/Event-Stream; charset=utf-8', true],
    ['application/json', false],
    ['application/json; note=text/event-stream', false],
  ])('with type %s is a stream: %s', (type, stream) => {
    expect(isEventStream(headWith('Content-Type', type))).toBe(stream);
    expect(isEventStream(headWith())).toBe(false);
  });

  it('promises a length, or none', () => {
    expect(promisedLength(headWith('Content-Length', '12'))).toBe(12);
    expect(promisedLength(headWith('x', 'content-length'))).toBeUndefined();
    expect(promisedLength(readHead(304, '', ['content-length', '12']))).toBeUndefined();
  });
});
