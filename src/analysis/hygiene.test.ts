import { describe, expect, it } from 'vitest';
import { findCanaries, findCredentialShapes, formsOf, matchesPlace, searchSources } from './hygiene.ts';

const SECRET = 'canary-0a1b2c3d4e5f';
const canary = { name: 'planted', value: SECRET, allowed: ['wire:*:request', 'home'] };
const at = (place: string, text: string) => [{ place, text }];

describe('findCredentialShapes', () => {
  it.each([
    ['anthropic-credential', 'key sk-ant-oat01-AbCdEfGh_-123'],
    ['bearer', 'Authorization: Bearer abcdefghijklmnop.qrst'],
    ['bearer', 'authorization=bearer%20abcdefghijklmnop'],
    ['zai-key', `${'0123456789abcdef'.repeat(2)}.Abcdefgh12345678`],
    ['value-after-auth-word', `"x-api-key": "${'aB3'.repeat(12)}"`],
    ['value-after-auth-word', `ZAI_API_KEY=${'aB3'.repeat(12)}`],
    ['value-after-auth-word', `authorization: Basic ${'QUJD'.repeat(9)}`],
    ['json-web-token', 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl'],
    ['private-key', '-----BEGIN PRIVATE KEY-----'],
  ])('finds %s in %s', (rule, text) => {
    const hits = findCredentialShapes(at('log', `first line\n${text}\n`));
    expect(hits.map((hit) => hit.rule)).toContain(rule);
    expect(hits.every(({ line, place }) => line === 2 && place === 'log')).toBe(true);
  });

  it.each([
    '"input_tokens":123456,"output_tokens":99',
    '"upstream_request_id":"req_011CabcdefghijklmnopqrstU"',
    `"sha256":"${'0123456789abcdef'.repeat(4)}"`,
    'x-api-key: (removed, 108 characters)',
    'the bearer of this letter',
  ])('passes over %s', (text) => {
    expect(findCredentialShapes(at('log', text))).toEqual([]);
  });
});

describe('findCanaries', () => {
  it('lets a canary be where it may, and nowhere else', () => {
    expect(findCanaries([canary], [...at('wire:zai:request', SECRET), ...at('home', SECRET)])).toEqual([]);
    expect(findCanaries([canary], at('wire:zai:response', SECRET))).toHaveLength(1);
  });

  it('finds it inside any base64, at every alignment and in both alphabets', () => {
    for (const before of ['', 'a', 'ab', 'abc', '>>?']) {
      const bytes = Buffer.from(`${before}${SECRET}??>`);
      for (const alphabet of ['base64', 'base64url'] as const) {
        const hits = findCanaries([canary], at('x', bytes.toString(alphabet)));
        expect(hits.map(({ form }) => form)).toContain('base64');
      }
    }
  });

  it('finds it wrapped, also where the line end is an escaped one, and counts it once', () => {
    for (const wrap of ['\n', '\r\n\t', '\\n', ' ']) {
      const hits = findCanaries([canary], at('x', `${SECRET.slice(0, 9)}${wrap}${SECRET.slice(9)}`));
      expect(hits).toMatchObject([{ count: 1, form: 'plain, split across lines' }]);
    }
  });

  it('never shows what it found', () => {
    const hits = findCanaries(
      [canary],
      at(
        'x',
        formsOf(SECRET)
          .map(({ text }) => text)
          .join(' '),
      ),
    );
    expect(hits.length).toBeGreaterThan(4);
    const shown = JSON.stringify(hits);
    expect(formsOf(SECRET).some(({ text }) => shown.includes(text))).toBe(false);
  });
});

it('matches places by name, with a star for any characters', () => {
  expect(matchesPlace('witness/*', 'witness/upstream.jsonl')).toBe(true);
  expect(matchesPlace('a.b', 'axb')).toBe(false);
  expect(matchesPlace('home', 'home2')).toBe(false);
});

describe('searchSources', () => {
  it('finds each secret once wherever the blocks are cut, on its line', async () => {
    const text = Buffer.from(`one\ntwo ${SECRET}\nsk-ant-abcdefghijk\n`);
    for (let cut = 0; cut <= text.length; cut += 1) {
      const chunks = [text.subarray(0, cut), text.subarray(cut)];
      const hits = await searchSources([{ name: 'log', chunks }], [canary]);
      expect(Object.fromEntries(hits.map(({ rule, count }) => [rule, count]))).toEqual({
        'anthropic-credential': 1,
        'canary:planted': 1,
      });
      expect(hits.find(({ rule }) => rule.startsWith('canary'))?.line).toBe(2);
    }
  });

  it('adds up over blocks far apart', async () => {
    const block = Buffer.from(`${SECRET}\n${'x'.repeat(100_000)}\n`);
    const hits = await searchSources([{ name: 'log', chunks: [block, block, block] }], [canary]);
    expect(hits).toMatchObject([{ rule: 'canary:planted', count: 3, line: 1, place: 'log' }]);
  });
});
