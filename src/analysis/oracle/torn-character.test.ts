import { assert, integer, property, string } from 'fast-check';
import { expect, it } from 'vitest';
import { greenRun, pick, replaceBody, responseOf } from '../testing/green-run.ts';
import { tornCharacter } from './torn-character.ts';

/** The haiku stream as it was sent, and as it came once `change` had it. */
function torn(text: string, change: (bytes: Buffer) => Buffer) {
  const { client, upstream } = greenRun();
  const [sent, got] = [pick(upstream, 'u-haiku-stream'), pick(client, 'c-haiku-stream')];
  const bytes = Buffer.from(text);
  replaceBody(responseOf(sent).body, bytes);
  replaceBody(responseOf(got).body, change(bytes));
  return tornCharacter(sent, got);
}

/** What comes of decoding the two pieces by themselves. */
const decodedApart = (at: number) => (bytes: Buffer) =>
  Buffer.from(bytes.subarray(0, at).toString('utf8') + bytes.subarray(at).toString('utf8'));

it('names the character that was cut, its place, and what came of it', () => {
  expect(torn('data: 東京', decodedApart(8))).toEqual({
    bytes: 3,
    sent: 'e6 9d b1 (東) at byte 6',
    got: 'ef bf bd ef bf bd (U+FFFD × 2)',
  });
  expect(torn('ö', (bytes) => Buffer.from(bytes).fill(0x20, 1))).toEqual({
    bytes: 2,
    sent: 'c3 b6 (ö) at byte 0',
    got: 'c3 20',
  });
});

it('finds one wherever a piece ends within a character, and nowhere else', () => {
  assert(
    property(string({ unit: 'grapheme', minLength: 1 }), integer({ min: 0, max: 400 }), (text, seed) => {
      const bytes = Buffer.from(text);
      const at = seed % (bytes.length + 1);
      const isInside = ((bytes[at] ?? 0) & 0xc0) === 0x80;
      expect(torn(text, decodedApart(at)) !== null).toBe(isInside);
    }),
  );
});

it('says nothing of what is lost, added or another text', () => {
  expect(torn('naïve', (bytes) => bytes)).toBeNull();
  expect(torn('naïve', (bytes) => bytes.subarray(0, 3))).toBeNull();
  expect(torn('naïve', () => Buffer.from('naive'))).toBeNull();
  expect(torn('naïve', () => Buffer.from('naïve!'))).toBeNull();
});
