import { describe, expect, it } from 'vitest';
import { MAX_PACK_BYTES, readPack, readPair } from './read-pack.ts';
import { createTestIssuer } from './testing/test-issuer.ts';

const { mint } = createTestIssuer();
const pack = mint();
const { license, signature } = pack;

const read = (value: unknown) =>
  readPack(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
const refusal = (reason: string, detail = '') => ({
  ok: false,
  reason,
  detail: expect.stringContaining(detail),
});

describe('a pack', () => {
  it.each([
    ['a pack', pack],
    ['an answer with sigB64', { license, sigB64: signature }],
    ['an answer with both names', { license, signature, sigB64: signature }],
    ['an answer with the pack in it', { pack }],
    ['a pack with white space and another order', JSON.stringify({ signature, license }, null, 8)],
  ])('is read from %s', (_, value) => {
    expect(read(value)).toEqual({ ok: true, pack });
  });

  it('keeps every member of the licence, as it came', () => {
    const text = `{"license":${JSON.stringify(license).replace('{', '{"constructor":{"a":1},"later":[1.50],')},"signature":"${signature}"}`;
    const reading = read(text);
    expect(reading.ok && Object.keys(reading.pack.license).slice(0, 2)).toEqual(['constructor', 'later']);
  });

  const without = (name: string) =>
    Object.fromEntries(Object.entries(license).filter(([key]) => key !== name));
  it.each<[string, unknown, string, string?]>([
    ['nothing', '', 'not_json', 'empty'],
    ['a key file', '-----BEGIN PUBLIC KEY-----', 'not_json'],
    ['two packs', JSON.stringify(pack) + JSON.stringify(pack), 'not_json'],
    ['an array', [pack], 'malformed', 'no JSON object'],
    ['null', null, 'malformed', 'no JSON object'],
    ['a pack in a pack in a pack', { pack: { pack } }, 'malformed', 'no "license"'],
    ['no licence', { signature }, 'malformed', 'no "license"'],
    ['a licence alone', license, 'unsigned'],
    ['no signature', { license }, 'unsigned'],
    ['a signature that is no text', { license, signature: [signature] }, 'malformed', 'no text'],
    [
      'two signatures',
      { license, signature, sigB64: `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}` },
      'malformed',
      'differ',
    ],
    ['a key that nobody knows', { license, signature, note: 1 }, 'malformed', 'unknown key "note"'],
    [
      '__proto__ beside the licence',
      `{"__proto__":{},${JSON.stringify(pack).slice(1)}`,
      'forbidden_key',
      '__proto__',
    ],
    ['a licence that is a text', { license: JSON.stringify(license), signature }, 'malformed', 'license: '],
    ['a licence that is null', { license: null, signature }, 'malformed', 'license: '],
    [
      'features that are a text',
      { license: { ...license, features: 'zai_offload' }, signature },
      'malformed',
      'license.features',
    ],
    [
      'a feature that is a number',
      { license: { ...license, features: [1] }, signature },
      'malformed',
      'license.features.0',
    ],
    [
      'a time without a zone',
      { license: { ...license, expires_at: '2027-01-01T00:00:00' }, signature },
      'malformed',
      'license.expires_at',
    ],
    [
      'a time in another zone',
      { license: { ...license, expires_at: '2027-01-01T00:00:00+02:00' }, signature },
      'malformed',
      'license.expires_at',
    ],
    [
      'a day that does not exist',
      { license: { ...license, expires_at: '2027-02-30T00:00:00Z' }, signature },
      'malformed',
      'license.expires_at',
    ],
    [
      'a time in seconds',
      { license: { ...license, expires_at: 1_900_000_000 }, signature },
      'malformed',
      'license.expires_at',
    ],
    [
      'a not_before that is null',
      { license: { ...license, not_before: null }, signature },
      'malformed',
      'license.not_before',
    ],
    ...Object.keys(license).map((name): [string, unknown, string, string] => [
      `no ${name}`,
      { license: without(name), signature },
      'malformed',
      `license.${name}`,
    ]),
    ['a key twice', `{"license":${JSON.stringify(license)},"license":{},"signature":"x"}`, 'duplicate_key'],
    ['more than 64 KiB', { ...pack, license: { ...license, more: 'x'.repeat(MAX_PACK_BYTES) } }, 'too_large'],
  ])('is refused with %s', (_, value, reason, detail) => {
    expect(read(value)).toEqual(refusal(reason, detail));
  });
});

describe('the text of a signature', () => {
  const last = signature.at(-3) ?? '';
  /** The four low bits of the last digit before the padding mean nothing: a lax decoder takes sixteen spellings. */
  const twin = String.fromCharCode(last.charCodeAt(0) + 1);
  it.each([
    ['its other spelling', `${signature.slice(0, -3)}${twin}==`],
    ['no padding', signature.replace('==', '')],
    ['more padding', `${signature}=`],
    ['a space', ` ${signature}`],
    ['a line break inside', `${signature.slice(0, 40)}\n${signature.slice(40)}`],
    ['base64url', Buffer.alloc(64, 0xfb).toString('base64url')],
    ['hexadecimal', Buffer.alloc(64).toString('hex')],
    ['63 bytes', Buffer.alloc(63).toString('base64')],
    ['65 bytes', Buffer.alloc(65).toString('base64')],
    ['nothing', ''],
  ])('is refused with %s', (_, text) => {
    expect(read({ license, signature: text })).toEqual(refusal('bad_signature_text'));
  });
});

describe('a licence and its signature that come apart', () => {
  const pair = (json: string, text: string) => readPair(Buffer.from(json), Buffer.from(text));

  it('are read, with white space around the signature as a file has it', () => {
    expect(pair(JSON.stringify(license), `${signature}\n`)).toEqual({ ok: true, pack });
    expect(pair(JSON.stringify(license, null, 2), ` ${signature}\r\n`)).toEqual({ ok: true, pack });
  });

  it('are refused where one is not what it should be', () => {
    expect(pair(JSON.stringify(pack), signature)).toEqual(refusal('signed_twice'));
    expect(pair('[]', signature)).toEqual(refusal('malformed'));
    expect(pair(JSON.stringify(license), '')).toEqual(refusal('bad_signature_text'));
    expect(pair(JSON.stringify(license), `${signature} ${signature}`)).toEqual(refusal('bad_signature_text'));
    expect(pair(JSON.stringify(license), `\u{a0}${signature}`)).toEqual(refusal('bad_signature_text'));
  });
});
