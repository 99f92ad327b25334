import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BodyFacts, scanBody, spliceModel } from './body-scan.ts';

/** A busy machine adds to the others. */
const best = (time: () => number): number => Math.min(...Array.from({ length: 5 }, time));

const scan = (text: string): BodyFacts => scanBody([Buffer.from(text)]);

/** What JSON.parse says of the same bytes; the span is judged apart. */
function oracle(body: Buffer): Omit<BodyFacts, 'modelSpan'> {
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch {
    return { valid: false, model: null, stream: false };
  }
  const record =
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? new Map(Object.entries(value))
      : null;
  const model: unknown = record?.get('model');
  return {
    valid: true,
    model: typeof model === 'string' ? model : null,
    stream: record?.get('stream') === true,
  };
}

function expectAgreement(body: Buffer): void {
  const { modelSpan, ...facts } = scanBody([body]);
  expect(facts).toEqual(oracle(body));
  if (modelSpan === null) expect(facts.model).toBeNull();
  else expect(JSON.parse(body.toString('utf8', modelSpan.start, modelSpan.end))).toBe(facts.model);
}

function timeOfEscapes(pairs: number): number {
  const body = Buffer.from(`{"a":"${'\\"'.repeat(pairs)}","model":"m"}`);
  const start = performance.now();
  expect(scanBody([body]).model).toBe('m');
  return performance.now() - start;
}

describe('scanBody', () => {
  it('finds the model wherever the key stands', () => {
    expect(scan('{"messages":[{"model":"inner"}],"stream":true,"model":"claude-haiku"}')).toEqual({
      valid: true,
      model: 'claude-haiku',
      modelSpan: { start: 54, end: 68 },
      stream: true,
    });
  });

  it.each([
    ['takes the last of duplicate keys', '{"model":"a","model":"b","stream":true,"stream":false}', 'b'],
    ['lets a later model that is no string win', '{"model":"a","model":{"model":"b"}}', null],
    ['decodes escaped keys', '{"mo\\u0064el":"a"}', 'a'],
    ['decodes an escaped value', '{"model":"a\\n\\u00e9\\ud83d\\ude00\\""}', 'a\né😀"'],
    ['does not take a nested key for a top-level one', '{"a":{"model":"x"},"b":[{"model":"y"}]}', null],
    ['does not take a value for a key', '{"a":"model","b":"stream"}', null],
    ['does not take a longer key for the model', '{"models":"a","xmodel":"b","Model":"c"}', null],
    ['reads the top level of objects only', '["model","x"]', null],
    ['accepts a scalar as JSON', ' -12.5e+3 ', null],
    ['accepts all four kinds of white space', '\t\r\n {"model" : "a"\n,\t"stream" :true } ', 'a'],
    ['takes __proto__ for a key like any other', '{"__proto__":{"model":"x"},"model":"a"}', 'a'],
  ])('%s', (_title, text, model) => {
    expect(scan(text)).toMatchObject({ valid: true, model });
    expectAgreement(Buffer.from(text));
  });

  it.each([
    '',
    ' ',
    '\ufeff{"model":"a"}',
    '{"model":"a"',
    '{"model":"a"}}',
    '{"model":"a"} x',
    '{"model":"a",}',
    '{,"model":"a"}',
    '{"model"}',
    '{"model":}',
    '{model:"a"}',
    "{'model':'a'}",
    '{"model":"a"]',
    '[1,]',
    '[,1]',
    '[1 2]',
    '{"a":[}',
    '"',
    '"\\',
    '"\\"',
    '{"a":"\\x"}',
    '{"a":"\\u12g4"}',
    '{"a":"\\u12"}',
    '{"model":"a\nb"}',
    '01',
    '-',
    '1.',
    '.5',
    '1e',
    '1e+',
    '+1',
    'tru',
    'truex',
    'nul',
    'undefined',
    'NaN',
    ']',
    '}',
  ])('says that %j is not JSON, and nothing else', (text) => {
    expect(scan(text)).toEqual({ valid: false, model: null, modelSpan: null, stream: false });
    expectAgreement(Buffer.from(text));
  });

  it.each([0x00, 0x0a, 0x1f])(
    'refuses the raw control character %i in a string, wherever it stands',
    (code) => {
      for (const at of [0, 15, 16, 31, 40]) {
        const text = `${'é'.repeat(at)}${String.fromCharCode(code)}`;
        expectAgreement(Buffer.from(`{"model":"m","a":"${text}"}`));
        expect(scan(`{"model":"m","a":"${text}"}`).valid).toBe(false);
      }
    },
  );

  it('reads bytes that are not UTF-8 as JSON.parse would read the decoded text', () => {
    const body = Buffer.concat([Buffer.from('{"model":"a'), Buffer.from([0xff, 0xc3]), Buffer.from('"}')]);
    expect(scanBody([body]).model).toBe('a\ufffd\ufffd');
    expectAgreement(body);
    expectAgreement(Buffer.from([0xff, 0x7b, 0x7d]));
  });

  it('reads what is nested 65,535 deep and nothing deeper, the one exception', () => {
    const nested = (pairs: number): string => `${'[{"a":'.repeat(pairs)}0${'}]'.repeat(pairs)}`;
    const deepest = nested(32_767);
    expect(scan(`{"a":${deepest},"model":"deep"}`)).toMatchObject({ valid: true, model: 'deep' });
    expect(scan(`{"a":${deepest.slice(0, -1)}},"model":"deep"}`).valid).toBe(false);
    expect(scan(`{"a":${nested(32_768)},"model":"deep"}`).valid).toBe(false);
    expect(scan('['.repeat(1_000_000)).valid).toBe(false);
    expect(scan('{"model":"not harmed"}').model).toBe('not harmed');
  });

  it('reads a body of many blocks, and one that comes a byte at a time', () => {
    const long = 'x'.repeat(200_000);
    const body = Buffer.from(`{"a":"${long}","mo\\u0064el":"claude","b":[${'1.5e3,'.repeat(40_000)}null]}`);
    expect(scanBody([body])).toMatchObject({ valid: true, model: 'claude' });
    const small = Buffer.from('{"a":[-1.5e+3,true,"\\u00e9\\n"],"mod\\u0065l":"clau\\u0064e","stream":true}');
    expect(scanBody([...small].map((byte) => Buffer.of(byte)))).toEqual(scanBody([small]));
    expect(scanBody([small]).model).toBe('claude');
  });

  it('takes time in proportion to the length, however many escapes a string has', () => {
    // Sixteen times the length; a quadratic scan would take 256 times as long.
    expect(best(() => timeOfEscapes(1_600_000))).toBeLessThan(
      100 *
        Math.max(
          best(() => timeOfEscapes(100_000)),
          0.5,
        ),
    );
  });
});

it('takes time in proportion to the length, however many keys and pieces a body has', () => {
  const time = (keys: number): number => {
    const body = Buffer.from(`{${'"abcde":1,'.repeat(keys)}"model":"m"}`);
    const pieces = Array.from({ length: Math.ceil(body.length / 10) }, (_, at) =>
      body.subarray(10 * at, 10 * at + 10),
    );
    const start = performance.now();
    expect(scanBody(pieces).model).toBe('m');
    return performance.now() - start;
  };
  // Sixteen times the length; a quadratic scan would take 256 times as long.
  expect(best(() => time(64_000))).toBeLessThan(
    100 *
      Math.max(
        best(() => time(4_000)),
        0.5,
      ),
  );
});

describe('scanBody beside JSON.parse', () => {
  const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\r', '\t'), maxLength: 3 });
  const key = fc.oneof(
    fc.constantFrom('model', 'stream', 'mo\\u0064el', '\\u0073tream', 'models', '', 'a\\"b'),
    fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text).slice(1, -1)),
  );
  const scalar = fc.oneof(
    fc.constantFrom(
      'true',
      'false',
      'null',
      '"claude-haiku-4-5"',
      '"\\\\"',
      '"\\u00e9\\/\\b\\""',
      '-0',
      '1E-9',
    ),
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  );
  const { document } = fc.letrec<{ document: string; list: string; object: string }>((tie) => ({
    document: fc.oneof({ maxDepth: 5 }, scalar, tie('list'), tie('object')),
    list: fc
      .tuple(space, fc.array(tie('document'), { maxLength: 4 }), space)
      .map(([before, items, after]) => `[${before}${items.join(`${after},${before}`)}${after}]`),
    object: fc
      .tuple(space, fc.array(fc.tuple(key, space, tie('document')), { maxLength: 6 }), space)
      .map(([before, members, after]) => {
        const inner = members.map(([name, gap, value]) => `"${name}"${gap}:${gap}${value}`);
        return `{${before}${inner.join(`${after},${before}`)}${after}}`;
      }),
  }));

  it('agrees on any JSON document', () => {
    fc.assert(
      fc.property(space, document, space, (before, text, after) => {
        expectAgreement(Buffer.from(before + text + after));
      }),
      { numRuns: 2000 },
    );
  });

  it('says the same however the document is cut into pieces', () => {
    fc.assert(
      fc.property(document, fc.array(fc.nat(), { maxLength: 8 }), (text, cuts) => {
        const body = Buffer.from(text);
        const places = cuts.map((cut) => cut % (body.length + 1)).toSorted((a, b) => a - b);
        const pieces = [0, ...places].map((from, index) => body.subarray(from, places[index] ?? body.length));
        expect(scanBody(pieces)).toEqual(scanBody([body]));
      }),
      { numRuns: 2000 },
    );
  });

  it('agrees on documents that were cut short or changed', () => {
    const byte = fc.constantFrom(...Buffer.from('{}[]",:\\u0019aeE+-. tfn/\n\u0001'));
    fc.assert(
      fc.property(document, fc.nat(), fc.nat(), byte, (text, cut, place, replacement) => {
        const whole = Buffer.from(text);
        expectAgreement(whole.subarray(0, cut % (whole.length + 1)));
        const changed = Buffer.from(whole);
        changed[place % changed.length] = replacement;
        expectAgreement(changed);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('spliceModel', () => {
  it('replaces the model and leaves every other byte', () => {
    const body = Buffer.from('{ "x":"é", "model" : "a\\u0062" ,"y":1e0}');
    for (let cut = 0; cut < body.length; cut++) {
      const pieces = [body.subarray(0, cut), body.subarray(cut)];
      const { modelSpan } = scanBody(pieces);
      if (modelSpan === null) throw new Error('the model was not found');
      const spliced = Buffer.concat(spliceModel(pieces, modelSpan, 'g"lm'));
      expect(spliced.toString()).toBe('{ "x":"é", "model" : "g\\"lm" ,"y":1e0}');
    }
  });
});
