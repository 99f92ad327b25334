import { describe, expect, it } from 'vitest';
import { evidenceOf, type Hold, heldEnough, holdFor } from './holdback.ts';
import type { AnswerHead } from './relay.ts';
import { BLOCK_START, CODINGS, PING, START } from './testing/streams.ts';

const KIB = 1024;

function headOf(status: number, contentType: string, coding?: string): AnswerHead {
  const headers = [
    'Content-Type',
    contentType,
    ...(coding === undefined ? [] : ['Content-Encoding', coding]),
  ];
  return { status, statusMessage: '', headers, h2: false };
}

const JSON_HEAD = headOf(200, 'application/json');
const STREAM_HEAD = headOf(200, 'text/event-stream; charset=utf-8');

const enough = (hold: Hold, text: string, ms = 0): boolean => {
  const bytes = Buffer.from(text);
  const head = hold === 'stream' ? STREAM_HEAD : JSON_HEAD;
  return heldEnough(hold, { head, pieces: [bytes], bytes: bytes.length, ms });
};
const evidence = (hold: Hold, bytes: Buffer, head = hold === 'stream' ? STREAM_HEAD : JSON_HEAD) =>
  evidenceOf(hold, head, [bytes])?.toString() ?? null;

describe('an answer is held', () => {
  it.each<[number, string, Hold]>([
    [400, 'application/json', 'error'],
    [529, 'text/event-stream', 'error'],
    [200, 'TEXT/event-stream', 'stream'],
    [200, 'application/json', 'json'],
    [200, 'text/html', 'json'],
  ])('by its status and type: %i and %s as %s', (status, type, hold) => {
    expect(holdFor(headOf(status, type))).toBe(hold);
  });

  it('not at all where it succeeded in a coding that nobody can read', () => {
    expect(holdFor(headOf(200, 'application/json', 'x-squeezed'))).toBeNull();
    expect(holdFor(headOf(500, 'application/json', 'x-squeezed'))).toBe('error');
  });
});

describe('a held stream', () => {
  it.each(['\n', '\r\n', '\r'])(
    'is held until its first event that is no ping is whole, lines ended by %j',
    (end) => {
      const framed = (text: string): string => text.replaceAll('\n', end);
      const waiting = framed(`: comment\n\n${PING}${START.slice(0, -1)}`);
      expect(enough('stream', waiting)).toBe(false);
      expect(enough('stream', framed(PING + START))).toBe(true);
      expect(
        JSON.parse(evidence('stream', Buffer.from(framed(PING + START + BLOCK_START))) ?? ''),
      ).toMatchObject({
        type: 'message_start',
      });
    },
  );

  it('is let go after 5 s of pings: they say that the upstream is alive', () => {
    expect(enough('stream', PING, 4_999)).toBe(false);
    expect(enough('stream', PING, 5_000)).toBe(true);
  });

  it('joins the data of an event that has several lines', () => {
    expect(evidence('stream', Buffer.from('event: error\ndata: {"a":\ndata: 1}\n\n'))).toBe('{"a":\n1}');
  });

  it('is let go at 4 KiB, whatever it holds', () => {
    expect(enough('stream', ':'.repeat(4 * KIB - 1))).toBe(false);
    expect(enough('stream', ':'.repeat(4 * KIB))).toBe(true);
  });
});

describe('a held document', () => {
  it('is held to its end, up to 4 KiB', () => {
    expect(enough('json', '{}')).toBe(false);
    expect(enough('json', ' '.repeat(4 * KIB))).toBe(true);
  });

  it('that is an error is held up to 64 KiB', () => {
    expect(enough('error', ' '.repeat(64 * KIB - 1))).toBe(false);
    expect(enough('error', ' '.repeat(64 * KIB))).toBe(true);
  });
});

describe('the evidence of an error', () => {
  const body = '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}';

  it.each([...CODINGS])('is read through %s', (name, compress) => {
    const head = headOf(529, 'application/json', name.split(' ', 1)[0]?.toUpperCase());
    expect(evidence('error', compress(Buffer.from(body)), head)).toBe(body);
  });

  it('is null where the coding is a lie or nobody knows it', () => {
    expect(evidence('error', Buffer.from(body), headOf(529, 'application/json', 'br'))).toBeNull();
    expect(evidence('error', Buffer.from(body), headOf(529, 'application/json', 'x-squeezed'))).toBeNull();
  });

  it('is not inflated without bound', () => {
    const bomb = CODINGS.get('gzip')?.(Buffer.alloc(2 * KIB * KIB)) ?? expect.fail();
    expect(evidence('error', bomb, headOf(500, 'application/json', 'gzip'))).toBeNull();
  });
});
