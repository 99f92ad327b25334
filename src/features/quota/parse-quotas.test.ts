import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { OperatorError } from '../../errors.ts';
import { parseQuotas } from './parse-quotas.ts';

const HOUR = 3_600_000;
const one = (fields: string): string => `{"quotas": [\n  {"model": "*haiku*", "lane": "zai", ${fields}}\n]}`;

const parse = (path: string, written: string | Buffer) => parseQuotas(path, Buffer.from(written));

describe('a quota file', () => {
  it('has defaults for all but the key', () => {
    const [quota] = parse('q.json', one('"weekly": {"tokens": 5}'));
    expect(quota).toMatchObject({
      model: '*haiku*',
      lane: 'zai',
      rolling: { spanMs: 5 * HOUR, tokens: null, requests: null, hours: null },
      weekly: { spanMs: 7 * 24 * HOUR, tokens: 5, requests: null, hours: null },
      warnPct: 80,
      blockPct: 100,
      countCacheReads: false,
    });
    expect(quota?.matches('Claude-Haiku-4')).toBe(true);
  });

  it.each([
    ['90m', 1.5 * HOUR],
    ['5h', 5 * HOUR],
    ['7d', 168 * HOUR],
  ])('takes a rolling span of %s', (span, ms) => {
    const [quota] = parse('q.json', one(`"rolling": {"span": "${span}", "hours": 0.5}`));
    expect(quota?.rolling).toMatchObject({ spanMs: ms, hours: 0.5 });
  });

  it('may cap nothing: then it only counts', () => {
    expect(parse('q.json', '{"quotas": []}')).toEqual([]);
    expect(parse('q.json', one('"warn_pct": 50'))).toHaveLength(1);
  });

  it.each([
    ['{', 'q.json:1:2: it is no JSON: a "}" is missing here'],
    ['[]', 'q.json:1:1: the file: must be an object: { … }'],
    ['{"quota": []}', 'q.json:1:1: quotas: is missing'],
    [one('"rolling": {"requests": 1.5}'), 'q.json:2:51: quotas[0].rolling.requests: must be a whole number'],
    [one('"rolling": {"requests": 0}'), 'q.json:2:51: quotas[0].rolling.requests: must be more than 0'],
    [one('"rolling":\n {"tokens": "1M"}'), 'q.json:3:3: quotas[0].rolling.tokens: must be a whole number'],
    [one('"rolling": {"span": "8d"}'), 'q.json:2:51: quotas[0].rolling.span: must be at most 7d'],
    [one('"rolling": {"span": "5"}'), 'must be a duration of at least 1m, like "90m", "5h" or "1d"'],
    [
      one('"rolling": {"span": "45s"}'),
      'q.json:2:51: quotas[0].rolling.span: must be a duration of at least 1m',
    ],
    [one('"weekly": {"span": "5h"}'), 'quotas[0].weekly.span: unknown key'],
    [one('"warn_pct": 101'), 'quotas[0].warn_pct: must not be more than block_pct'],
    [one('"warn_pct": 0.8'), 'quotas[0].warn_pct: must be at least 1, it is per cent: did you mean 80?'],
    [one('"warn_pct": 0.29'), 'it is per cent: did you mean 29?'],
    [one('"block_pct": 0.001'), 'quotas[0].block_pct: must be at least 1, it is per cent'],
    [one('"block_pct": 0'), 'quotas[0].block_pct: must be more than 0'],
    [one('"block_pct": "high"'), 'quotas[0].block_pct: must be a number'],
    [one('"colour": 1'), 'q.json:2:39: quotas[0].colour: unknown key'],
    [one('"lane": "zai"'), 'q.json:2:39: it names "lane" twice'],
    [
      '{"quotas": [{"model": "m", "lane": "a"},\n{"model": "M", "lane": "a"}]}',
      'q.json:2:1: quotas[1]: "M" on lane a stands twice',
    ],
    ['{"quotas": [{"model": "m", "lane": "No Lane"}]}', 'quotas[0].lane: must be the name of a lane'],
  ])('is refused by file, line, column and place: %s', (text, message) => {
    const taken = (): unknown => parse('q.json', text);
    expect(taken).toThrow(message);
    expect(taken).toThrow(OperatorError);
  });

  it('is refused with a byte order mark, by its place', () => {
    expect(() => parse('q.json', '\u{feff}{"quotas": []}')).toThrow(
      'q.json:1:1: it begins with a byte order mark',
    );
  });

  it('is refused in another encoding, in which a glob would match nothing', () => {
    const file = Buffer.from('{"quotas": [{"model": "café*", "lane": "zai"}]}', 'latin1');
    expect(() => parse('q.json', file)).toThrow('q.json: it is not UTF-8');
  });

  it('is shown by an example that is one', () => {
    const path = new URL('../../../configs/quotas.example.json', import.meta.url);
    expect(parse('example', readFileSync(path)).length).toBeGreaterThan(1);
  });
});
