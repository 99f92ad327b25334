import { createParser } from 'eventsource-parser';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSseScanner, encodeNames } from './sse-scan.ts';

type Event = readonly [name: string | null, data: string];

function scan(pieces: readonly Buffer[], maxEventBytes = 100): (Event | 'oversize')[] {
  const seen: (Event | 'oversize')[] = [];
  const scanner = createSseScanner({
    names: encodeNames(['known', 'error']),
    maxEventBytes,
    onEvent: (name, data) => seen.push([name, data()]),
    onOversize: () => seen.push('oversize'),
  });
  for (const piece of pieces) scanner.feed(piece);
  return seen;
}

/** The data of the first name is not kept where its events come in a row. */
const withoutFrequentData = (event: Event | 'oversize'): unknown =>
  event !== 'oversize' && event[0] === 'known' ? 'known' : event;

const scanText = (text: string, maxEventBytes?: number) => scan([Buffer.from(text)], maxEventBytes);

describe('an SSE scanner', () => {
  it.each<[string, string, Event[]]>([
    ['takes the name from its line', 'event: known\ndata: 1\n\n', [['known', '1']]],
    ['decodes a name that was not expected', 'event:größer\ndata: 1\n\n', [['größer', '1']]],
    ['does not take a longer name for an expected one', 'event: knowns\ndata:1\n\n', [['knowns', '1']]],
    ['takes the last of two names', 'event: error\ndata: 1\nevent: known\n\n', [['known', '1']]],
    ['takes an empty name for none', 'event: known\nevent:\ndata: 1\n\n', [[null, '1']]],
    ['joins data lines with newlines', 'data: a\ndata:b\ndata:  c\ndata\n\n', [[null, 'a\nb\n c\n']]],
    ['passes on an event whose data is empty', 'data:\n\n', [[null, '']]],
    ['drops an event without data', 'event: known\n\ndata: 1\n\n', [[null, '1']]],
    [
      'ignores comments, other fields and misspelt ones',
      ': x\nid: 1\ndat: 2\ndatas: 3\nDATA: 4\n data: 5\n\n',
      [],
    ],
    ['drops an event that has not ended', 'data: 1\n', []],
    [
      'takes only one line break for an end of line',
      'data: 1\r\n\r\ndata: 2\n\r\ndata: 3\r\r',
      [
        [null, '1'],
        [null, '2'],
        [null, '3'],
      ],
    ],
    [
      'knows no other ends of line',
      'data: a\u2028data: b\u0085\u000b\f\n\n',
      [[null, 'a\u2028data: b\u0085\u000b\f']],
    ],
    ['drops a leading byte order mark', '\ufeffdata: 1\n\n', [[null, '1']]],
    ['keeps any other byte order mark', '\n\ufeffdata: 1\n\ndata: \ufeff\n\n', [[null, '\ufeff']]],
  ])('%s', (_title, text, events) => {
    expect(scanText(text)).toEqual(events);
  });

  it('agrees with another parser on any mixture of lines, in any pieces', () => {
    const line = fc.oneof(
      fc.constantFrom(
        '',
        'data',
        'data:',
        'data: ',
        'event:',
        'event: known',
        'event: error',
        'event',
        ':',
        ': c',
        'datax: 1',
        'id: 4',
      ),
      fc.string({ unit: 'grapheme', maxLength: 5 }).map((text) => `data: ${text.replaceAll(/[\r\n]/g, '')}`),
    );
    const lines = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r', '\n\n', '\r\r', '\r\n\r\n')));
    fc.assert(
      fc.property(lines, fc.array(fc.nat(), { maxLength: 12 }), fc.boolean(), (parts, cuts, mark) => {
        const text = (mark ? '\ufeff' : '') + parts.map((part) => part.join('')).join('');
        const expected: Event[] = [];
        const parser = createParser({ onEvent: ({ event, data }) => expected.push([event ?? null, data]) });
        parser.feed(text);
        const bytes = Buffer.from(text);
        const places = cuts.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b);
        const pieces = [0, ...places].map((start, i) => bytes.subarray(start, places[i] ?? bytes.length));
        expect(scan(pieces, 10_000).map(withoutFrequentData)).toEqual(expected.map(withoutFrequentData));
      }),
      { numRuns: 2000 },
    );
  });

  it('stops at an event that is too large, wherever it is cut, and never before', () => {
    const fits = `data: ${'x'.repeat(94)}\n\n`;
    const tooLarge = [`data: ${'x'.repeat(95)}\n\n`, `data: ${'x'.repeat(50)}\ndata: ${'x'.repeat(50)}\n\n`];
    expect(scanText(fits.repeat(3))).toHaveLength(3);
    for (const stream of tooLarge) {
      const bytes = Buffer.from(fits + stream + fits);
      expect(scan([bytes])).toEqual([[null, 'x'.repeat(94)], 'oversize']);
      for (const at of bytes.keys()) {
        expect(scan([bytes.subarray(0, at), bytes.subarray(at)])).toEqual([
          [null, 'x'.repeat(94)],
          'oversize',
        ]);
      }
    }
  });

  it('does not count comments and other fields towards an event', () => {
    expect(scanText(`${': keep-alive, keep-alive\n'.repeat(100)}data: 1\n\n`)).toEqual([[null, '1']]);
  });
});
