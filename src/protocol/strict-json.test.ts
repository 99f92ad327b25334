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
  ['nothing', '', 'not_json', 'is no JSON: it is empty', null],
  ['trailing bytes', '{} x', 'not_json', 'is no JSON: only texts in double quotes', [1, 4]],
  ['a second document', '{}{}', 'not_json', 'is no JSON: the document is over before this', [1, 3]],
  ['a comment', '{} // x', 'not_json', 'is no JSON: there are no comments', [1, 4]],
  [
    'a comma behind the last member',
    '{"a":1,\n}',
    'not_json',
    'no comma stands behind the last member',
    [2, 1],
  ],
  ['a comma behind the last value', '[1,\n ]', 'not_json', 'no comma stands behind the last one', [2, 2]],
  ['a comma left out', '{"a":1\n "b":2}', 'not_json', 'a "," is missing before this', [2, 2]],
  ['a colon left out', '{"a" 1}', 'not_json', 'a ":" is missing before this', [1, 6]],
  ['a brace left out', '[{"a":1]', 'not_json', 'a "," is missing', [1, 8]],
  ['a bracket left out', '[1', 'not_json', 'a "]" is missing here', [1, 3]],
  ['a text without an end', '["a\n]', 'not_json', 'has no double quote at its end', [1, 2]],
  ['single quotes', "{'a': 1}", 'not_json', 'is no JSON: ', [1, 2]],
  ['an escape that is none', '["C:\\dir"]', 'not_json', 'behind a "\\"', [1, 2]],
  ['a tab in a text', '["a\tb"]', 'not_json', 'a control character', [1, 2]],
  ['half a number', '[1.]', 'not_json', 'this is no number', [1, 2]],
  ['a NUL at its end', '{}\0', 'not_json', 'is no JSON', [1, 3]],
  ['a byte order mark', '\u{feff}{}', 'bad_encoding', 'byte order mark', [1, 1]],
  ['a key twice', '{"a":1,"b":{},"a":1}', 'duplicate_key', 'names "a" twice', [1, 15]],
  ['a key twice, deep inside', '{"x":[{"y":{"a":1,\n"a":1}}]}', 'duplicate_key', 'names "a" twice', [2, 1]],
  ['a key twice, once escaped', '{"ab":1,"\\u0061b":2}', 'duplicate_key', 'names "ab" twice', [1, 9]],
  ['__proto__', '{"a":\n{"__proto__":1}}', 'forbidden_key', 'has the member "__proto__"', [2, 2]],
] as const)('refuses %s, and says where', (_, text, reason, problem, at) => {
  expect(read(text)).toEqual({
    ok: false,
    reason,
    problem: expect.stringContaining(problem),
    at: at === null ? null : { line: at[0], column: at[1] },
  });
});

it('has a place for whatever is no JSON', () => {
  const broken = fc.string({ unit: fc.constantFrom(...Array.from('{}[],:"\\/ \n1a-.eu')) }).filter((text) => {
    return text.trim() !== '' && !read(text).ok;
  });
  fc.assert(
    fc.property(broken, (text) => {
      expect(read(text)).toMatchObject({ at: { line: expect.any(Number) } });
    }),
  );
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
