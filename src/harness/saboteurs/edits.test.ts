import { array, assert, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProxyRecords, WireRequest, WireResponseHead } from '../types/saboteur.ts';
import { onAnswers, onEvents, onLines, onMessages, withHeader, withoutHeader } from './edits.ts';

const request: WireRequest = {
  method: 'POST',
  target: '/v1/messages?beta=true',
  headers: [],
  body: Buffer.alloc(0),
};
const head: WireResponseHead = {
  status: 200,
  reason: 'OK',
  headers: [['Content-Type', 'text/event-stream; charset=utf-8']],
};
const EVENTS = [
  'event: message_start\ndata: {"type":"message_start"}\n\n',
  'event: ping\r\ndata: {"type": "ping"}\r\n\r\n',
  ': a comment\n\n',
  'event: content_block_delta\ndata: {"type":"content_block_delta","text":"naïve 東京"}\n\n',
];

/** What a client gets of the stream, cut at these places, through a rewriter. */
function through(
  rewriter: ReturnType<typeof onEvents>,
  bytes: Buffer,
  cuts: readonly number[] = [],
  cut = false,
) {
  const rewrite = rewriter.response?.(head, request);
  const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
  const pieces = edges
    .slice(1)
    .flatMap((edge, at) => rewrite?.piece?.(bytes.subarray(edges[at], edge)) ?? []);
  const end = rewrite?.end?.(cut);
  return { text: Buffer.concat([...pieces, ...(end?.pieces ?? [])]).toString('utf8'), clean: end?.clean };
}

describe('altering a stream by events', () => {
  const bytes = Buffer.from(EVENTS.join(''));

  it('leaves every byte where nothing is altered, however the stream is cut', () => {
    const keep = () =>
      onEvents(() => ({ raw }) => [raw]);
    assert(
      property(array(nat(bytes.length), { maxLength: 12 }), (cuts) => {
        expect(through(keep(), bytes, cuts).text).toBe(EVENTS.join(''));
      }),
    );
  });

  it('takes out whole events, however the stream is cut', () => {
    const drop = () =>
      onEvents(
        () =>
          ({ type, raw }) =>
            type === 'ping' ? [] : [raw],
      );
    assert(
      property(array(nat(bytes.length), { maxLength: 12 }), (cuts) => {
        expect(through(drop(), bytes, cuts).text).toBe(EVENTS.toSpliced(1, 1).join(''));
      }),
    );
  });

  it('passes an unfinished event on, and a cut as a cut', () => {
    const keep = onEvents(() => ({ raw }) => [raw]);
    expect(through(keep, Buffer.from('event: x\nda'), [], true)).toEqual({
      text: 'event: x\nda',
      clean: false,
    });
  });

  it('ends a cut stream cleanly where it has a last word', () => {
    const stop = onEvents(
      () =>
        ({ raw }) => [raw],
      (seen) => [`after ${seen.length}`],
    );
    expect(through(stop, Buffer.from(EVENTS[0] ?? ''), [], true)).toEqual({
      text: `${EVENTS[0]}after 1`,
      clean: true,
    });
  });

  it('leaves compressed streams and other answers alone', () => {
    const drop = onEvents(() => () => []);
    const packed = { ...head, headers: withHeader(head.headers, 'content-encoding', 'br') };
    expect(drop.response?.(packed, request)).toBeUndefined();
    expect(drop.response?.({ ...head, headers: [] }, request)).toBeUndefined();
  });
});

describe('altering messages', () => {
  it('leaves probes, counts and lists alone', () => {
    const broken = onMessages((one) => ({ ...one, target: '/broken' }));
    const targetOf = (one: WireRequest) => broken.request?.(one).target;
    expect(targetOf(request)).toBe('/broken');
    expect(targetOf({ ...request, target: '/api/anthropic/v1/messages' })).toBe('/broken');
    for (const target of ['/v1/messages/count_tokens', '/v1/models', '/']) {
      expect(targetOf({ ...request, target })).toBe(target);
    }
    expect(targetOf({ ...request, method: 'HEAD' })).toBe(request.target);
    expect(onAnswers(() => ({})).response?.(head, { ...request, target: '/' })).toBeUndefined();
  });

  it('puts a header in the place of the one of its name, in any case', () => {
    const headers = [
      ['A', '1'],
      ['X-Key', '2'],
      ['b', '3'],
    ] as const;
    expect(withHeader(headers, 'x-key', 'new')).toEqual([
      ['A', '1'],
      ['X-Key', 'new'],
      ['b', '3'],
    ]);
    expect(withHeader(headers, 'c', '4').at(-1)).toEqual(['c', '4']);
    expect(withoutHeader(headers, 'x-key')).toEqual([
      ['A', '1'],
      ['b', '3'],
    ]);
  });
});

describe('altering the usage log', () => {
  const log =
    '{"event":"decision","n":1}\n{"event":"completion","n":2}\nnot json\n{"event":"completion","n":3}\n';
  const told: ProxyRecords = {
    files: new Map([['usage.jsonl', log]]),
    store: { kind: 'read', rows: [] },
    crashes: [],
    lives: [],
  };
  const linesOf = (records: ProxyRecords) => records.files.get('usage.jsonl')?.split('\n');

  it('touches only the lines of its kind, and keeps the others as they are', () => {
    const altered = onLines('completion', (line) => (line['n'] === 2 ? null : [line, line]))(told);
    expect(linesOf(altered)).toEqual([
      '{"event":"decision","n":1}',
      'not json',
      '{"event":"completion","n":3}',
      '{"event":"completion","n":3}',
      '',
    ]);
  });
});
