import { describe, expect, it } from 'vitest';
import { createRetention, MAX_STREAM_BYTES, type Retained } from './retention.ts';

const textOf = (retained: Retained): string => Buffer.concat([...retained.pieces()]).toString();

function addAll(retained: Retained, pieces: readonly string[]): void {
  for (const piece of pieces) retained.add(Buffer.from(piece));
}

/** So many bytes in pieces of a size, told apart by their letters. */
function cut(bytes: number, size: number): string[] {
  const letters = 'abcdefghij';
  return Array.from({ length: Math.ceil(bytes / size) }, (_, index) =>
    (letters[index % 10] ?? '').repeat(size),
  );
}

describe('a retained stream', () => {
  it('gives back what was added, in order, however large the pieces', () => {
    const retained = createRetention().open();
    const pieces = [
      '',
      'a',
      'b'.repeat(3_000),
      'c',
      'd'.repeat(1_900),
      'e'.repeat(1_900),
      'f'.repeat(100_000),
      'g',
    ];
    addAll(retained, pieces);
    expect(textOf(retained)).toBe(pieces.join(''));
  });

  it('can be looked at while it goes on', () => {
    const retained = createRetention().open();
    addAll(retained, ['a', 'b']);
    expect(textOf(retained)).toBe('ab');
    addAll(retained, ['c']);
    expect(textOf(retained)).toBe('abc');
  });

  it.each([10, 1_500, 2_048, 60_000])(
    'keeps its beginning and no more than its bound, in pieces of %i bytes',
    (size) => {
      const retained = createRetention().open();
      const pieces = cut(MAX_STREAM_BYTES + 200_000, size);
      addAll(retained, pieces);
      // One small enough to fit behind those that did not.
      addAll(retained, ['x']);
      const text = textOf(retained);
      expect(pieces.join('').startsWith(text)).toBe(true);
      expect(text.length).toBeLessThanOrEqual(MAX_STREAM_BYTES);
      expect(text.length).toBeGreaterThan(MAX_STREAM_BYTES / 2);
    },
  );

  it('that is empty has no pieces', () => {
    expect(createRetention().open().pieces()).toEqual([]);
  });
});

describe('all retained streams together', () => {
  it('stay under one bound: what came first is kept, and no stream has a hole', () => {
    const retention = createRetention(10_000);
    const [first, second] = [retention.open(), retention.open()];
    addAll(first, ['a'.repeat(6_000)]);
    addAll(second, ['b'.repeat(3_000), 'c'.repeat(3_000)]);
    first.release();
    addAll(second, ['d'.repeat(3_000), 'e']);
    expect(textOf(second)).toBe('b'.repeat(3_000));
  });

  it('give their room back when they are released, and only once', () => {
    const retention = createRetention(10_000);
    const [first, second] = [retention.open(), retention.open()];
    addAll(first, ['a'.repeat(5_000)]);
    addAll(second, ['b'.repeat(5_000)]);
    first.release();
    first.release();
    expect(first.pieces()).toEqual([]);
    const third = retention.open();
    addAll(third, ['c'.repeat(5_000), 'd'.repeat(5_000)]);
    expect(textOf(third)).toBe('c'.repeat(5_000));
  });
});
