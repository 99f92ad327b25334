import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readStrictJson } from './strict-json.ts';

const read = (text: string) => readStrictJson(Buffer.from(text));

it('reads every JSON document as JSON.parse does', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
      const text = JSON.stringify(value);
      fc.pre(!text.includes('"__proto__":'));
      expect(read(text)).toEqual({ ok: true, value: JSON.parse(text) });
    }),
  );
});

it.each([
  ['nothing', '', 'not_json', 'is no JSON: it is empty'],
  ['trailing bytes', '{} x', 'not_json', 'is no JSON from character 4 on'],
  ['a second document', '{}{}', 'not_json', 'from character 3 on'],
  ['a comment', '{} // x', 'not_json', 'is no JSON'],
  ['a trailing comma', '{"a":1,}', 'not_json', 'is no JSON'],
  ['a NUL at its end', '{}\0', 'not_json', 'is no JSON'],
  ['a byte order mark', '\u{feff}{}', 'bad_encoding', 'byte order mark'],
  ['a key twice', '{"a":1,"b":{},"a":1}', 'duplicate_key', 'names "a" in line 1 twice'],
  ['a key twice, deep inside', '{"x":[{"y":{"a":1,"a":1}}]}', 'duplicate_key', 'names "a" in line 1 twice'],
  ['a key twice, once escaped', '{"ab":1,"\\u0061b":2}', 'duplicate_key', 'names "ab" in line 1 twice'],
  ['__proto__', '{"a":\n{"__proto__":1}}', 'forbidden_key', 'has the member "__proto__" in line 2'],
])('refuses %s', (_, text, reason, problem) => {
  expect(read(text)).toEqual({ ok: false, reason, problem: expect.stringContaining(problem) });
});

it('takes one key in several objects for what it is', () => {
  expect(read('[{"a":{"a":1}},{"a":2}]')).toMatchObject({ ok: true });
});

it('refuses what is not UTF-8', () => {
  const overlong = Buffer.from([0x22, 0xc0, 0xaf, 0x22]);
  const surrogate = Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]);
  for (const bytes of [overlong, surrogate, Buffer.from([0x22, 0xff, 0x22])]) {
    expect(readStrictJson(bytes)).toMatchObject({ ok: false, reason: 'bad_encoding' });
  }
});

it('refuses nesting that would break a recursive reader, however deep', () => {
  expect(read('['.repeat(32) + ']'.repeat(32))).toMatchObject({ ok: true });
  for (const depth of [33, 30_000]) {
    expect(read('['.repeat(depth) + ']'.repeat(depth))).toMatchObject({ reason: 'too_deep' });
    expect(read('{"a":'.repeat(depth) + '1' + '}'.repeat(depth))).toMatchObject({ reason: 'too_deep' });
  }
});

it('never quotes what it could not read', () => {
  for (const text of ['s3cret', 'KEY=s3cret', '{"key": s3cret}', '{"a": "s3cret']) {
    expect(JSON.stringify(read(text))).not.toContain('s3cret');
  }
});
