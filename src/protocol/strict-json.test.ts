import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readStrictJson } from './strict-json.ts';

const read = (text: string | Uint8Array) =>
  readStrictJson(typeof text === 'string' ? Buffer.from(text) : text);

it('reads whatever JSON says without doubt', () => {
  fc.assert(
    fc.property(fc.json({ noUnicodeString: false }), (text) => {
      // The generator may name a member __proto__, which is refused.
      fc.pre(!text.includes('__proto__'));
      expect(read(text)).toEqual({ ok: true, value: JSON.parse(text) });
    }),
  );
});

describe('it refuses', () => {
  it.each([
    ['{"a":1,"a":1}', 'names "a" in line 1 twice'],
    ['{"a":{"b":1,\n"c":[{"x":1,"x":2}]}}', 'names "x" in line 2 twice'],
    ['{"a":1,"\\u0061":2}', 'names "a" in line 1 twice'],
    ['{"__proto__":{}}', 'has the member "__proto__" in line 1, which is not allowed'],
    ['\u{feff}{}', 'begins with a byte order mark'],
    ['{} {}', 'is no JSON'],
    ['{}\0', 'is no JSON'],
    ['{"a":1,}', 'is no JSON'],
    ['{/* */}', 'is no JSON'],
    ['', 'is no JSON'],
  ])('%j', (text, problem) => {
    expect(read(text)).toEqual({ ok: false, problem: expect.stringContaining(problem) });
  });

  it('what is nested deeper than the stack of a reader', () => {
    const deep = 100_000;
    expect(read(`${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}`)).toEqual({
      ok: false,
      problem: 'is nested too deeply',
    });
  });

  it('bytes that are not UTF-8', () => {
    expect(read(Buffer.from([0x22, 0xff, 0x22]))).toEqual({ ok: false, problem: 'is not UTF-8' });
    // An overlong form of "/": two readers, two texts.
    expect(read(Buffer.from([0x22, 0xc0, 0xaf, 0x22])).ok).toBe(false);
  });

  it('no member of one object for that of another, nor a value for a name', () => {
    expect(read('[{"a":"a","b":{"a":"b"}},{"a":["b","b"]}]').ok).toBe(true);
  });
});
