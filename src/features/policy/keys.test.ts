import { expect, it } from 'vitest';
import { parsePolicyKey, parseSignature } from './keys.ts';

const BYTES = Buffer.alloc(32, 0xa5);
const TEXT = BYTES.toString('base64');

it.each([TEXT, `${TEXT}\n`, ` \t${TEXT}\r\n`, `2030-01=${TEXT}`, `ops.main:1=${TEXT}`])(
  'reads the key %j',
  (text) => {
    expect(parsePolicyKey(text)).toEqual(BYTES);
  },
);

it.each([
  ['nothing', ''],
  ['31 bytes', Buffer.alloc(31).toString('base64')],
  ['33 bytes', Buffer.alloc(33).toString('base64')],
  ['no padding', TEXT.slice(0, -1)],
  ['bits after the last byte', `${TEXT.slice(0, -2)}X=`],
  ['the URL alphabet', Buffer.alloc(32, 0xff).toString('base64url')],
  ['hexadecimal', BYTES.toString('hex')],
  ['two keys', `${TEXT}\n${TEXT}`],
  ['an id with spaces', `a b=${TEXT}`],
  ['no id before the sign', `=${TEXT}`],
])('takes %s for no key', (_, text) => {
  expect(parsePolicyKey(text)).toBeNull();
});

it('takes 64 bytes in their one spelling for a signature', () => {
  const signature = Buffer.alloc(64, 0xa5);
  const text = signature.toString('base64');
  expect(parseSignature(`${text}\n`)).toEqual(signature);
  // The last character before the padding holds four bits that no byte needs.
  for (const other of [text.slice(0, -1), `${text.slice(0, -3)}X==`, `${text}${text}`, TEXT, '']) {
    expect(parseSignature(other)).toBeNull();
  }
});
