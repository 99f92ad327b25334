import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { EMBEDDED_KEYS, knownKeys, parsePublicKeys } from './public-keys.ts';

const key = randomBytes(32);
const other = randomBytes(32);
const base64 = (bytes: Buffer): string => bytes.toString('base64');
const EMBEDDED = new Map([['shipped', base64(other)]]);

it('reads one key, and several with white space between them', () => {
  expect(parsePublicKeys(`a=${base64(key)}`)).toEqual({ ok: true, keys: new Map([['a', key]]) });
  expect(parsePublicKeys(`a=${base64(key)}, b.2=${base64(other)}`)).toEqual({
    ok: true,
    keys: new Map([
      ['a', key],
      ['b.2', other],
    ]),
  });
});

it.each([
  ['no kid', base64(key), 'an entry is not KID=BASE64'],
  ['an empty kid', `=${base64(key)}`, 'an entry is not KID=BASE64'],
  ['a space in the kid', `a b=${base64(key)}`, 'an entry is not KID=BASE64'],
  ['an entry that is empty', `a=${base64(key)},`, 'an entry is not KID=BASE64'],
  ['a key that is too short', `a=${base64(key.subarray(1))}`, 'the key of "a" has 31 bytes and not 32'],
  ['a seed and its key', `a=${base64(Buffer.concat([key, key]))}`, 'the key of "a" has 64 bytes and not 32'],
  ['no key', 'a=', 'an entry is not KID=BASE64'],
  ['no padding', `a=${base64(key).replace('=', '')}`, 'the key of "a" is not standard base64'],
  [
    'base64url',
    `a=${Buffer.alloc(32, 0xff).toString('base64url')}=`,
    'the key of "a" is not standard base64',
  ],
  ['hexadecimal', `a=${key.toString('hex')}`, 'the key of "a" '],
  ['a kid twice', `a=${base64(key)},a=${base64(other)}`, 'the kid "a" is given twice'],
  [
    'a kid of the shipped keys',
    `shipped=${base64(key)}`,
    'the kid "shipped" belongs to a key that ccp was shipped with',
  ],
])('refuses %s', (_, text, problem) => {
  expect(parsePublicKeys(text, EMBEDDED)).toEqual({ ok: false, problem: expect.stringContaining(problem) });
});

it('knows the shipped keys besides those of the setting', () => {
  expect([...knownKeys(new Map([['a', key]]), EMBEDDED)]).toEqual([
    ['a', key],
    ['shipped', other],
  ]);
  expect([...knownKeys(null, EMBEDDED).keys()]).toEqual(['shipped']);
});

it('is shipped with keys that the setting could hold', () => {
  for (const [kid, text] of EMBEDDED_KEYS) expect(parsePublicKeys(`${kid}=${text}`, new Map()).ok).toBe(true);
});
