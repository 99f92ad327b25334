import { expect, it } from 'vitest';
import { parseMetrics } from './prometheus.ts';

it('reads samples with and without labels, escapes, timestamps and infinities', () => {
  const text = [
    '# HELP a help',
    '# TYPE a counter',
    'a 1',
    String.raw`b{x="1",y="a\"b\\c\nd,e}"} 2.5 1700000000000`,
    'c_bucket{le="+Inf"} +Inf',
    '',
  ].join('\n');
  expect(parseMetrics(text)).toEqual([
    { name: 'a', labels: {}, value: 1 },
    { name: 'b', labels: { x: '1', y: 'a"b\\c\nd,e}' }, value: 2.5 },
    { name: 'c_bucket', labels: { le: '+Inf' }, value: Number.POSITIVE_INFINITY },
  ]);
});

it('throws on a line that is no sample', () => {
  expect(() => parseMetrics('<html>')).toThrow(SyntaxError);
});
