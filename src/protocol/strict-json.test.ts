import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseStrictJson } from './strict-json.ts';

const parse = (text: string) => parseStrictJson(Buffer.from(text));

it('reads every JSON document as JSON.parse does', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
      const text = JSON.stringify(value);
      expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) });
    }),
  );
});

it.each([
  ['nothing', '', 'not_json', 'it is empty'],
  ['trailing bytes', '{} x', 'not_json', 'it breaks the grammar at character 4'],
  ['a second document', '{}{}', 'not_json', 'at character 3'],
  ['a comment', '{} // x', 'not_json', 'grammar'],
  ['a trailing comma', '{"a":1,}', 'not_json', 'grammar'],
  ['a NUL at its end', '{}\0', 'not_json', 'grammar'],
  ['a byte order mark', '\u{feff}{}', 'bad_encoding', 'byte order mark'],
  ['a key twice', '{"a":1,"b":{},"a":1}', 'duplicate_key', '"a"'],
  ['a key twice, deep inside', '{"x":[{"y":{"a":1,"a":1}}]}', 'duplicate_key', '"a"'],
  ['a key twice, once escaped', '{"ab":1,"\\u0061b":2}', 'duplicate_key', '"ab"'],
  ['__proto__ twice', '{"__proto__":1,"__proto__":2}', 'duplicate_key', '"__proto__"'],
])('refuses %s', (_, text, reason, detail) => {
  expect(parse(text)).toEqual({ ok: false, reason, detail: expect.stringContaining(detail) });
});

it('takes one key in several objects for what it is', () => {
  expect(parse('[{"a":{"a":1}},{"a":2}]')).toMatchObject({ ok: true });
});

it('refuses what is not UTF-8', () => {
  const overlong = Buffer.from([0x22, 0xc0, 0xaf, 0x22]);
  const surrogate = Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]);
  for (const bytes of [overlong, surrogate, Buffer.from([0x22, 0xff, 0x22])]) {
    expect(parseStrictJson(bytes)).toMatchObject({ ok: false, reason: 'bad_encoding' });
  }
});

it('refuses nesting that would break a recursive reader, however deep', () => {
  expect(parse('['.repeat(32) + ']'.repeat(32))).toMatchObject({ ok: true });
  for (const depth of [33, 30_000]) {
    expect(parse('['.repeat(depth) + ']'.repeat(depth))).toMatchObject({ reason: 'too_deep' });
    expect(parse('{"a":'.repeat(depth) + '1' + '}'.repeat(depth))).toMatchObject({ reason: 'too_deep' });
  }
});

it('never quotes what it could not read', () => {
  for (const text of ['s3cret', 'KEY=s3cret', '{"key": s3cret}', '{"a": "s3cret']) {
    expect(JSON.stringify(parse(text))).not.toContain('s3cret');
  }
});
