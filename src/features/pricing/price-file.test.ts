import { describe, expect, it } from 'vitest';
import { OperatorError } from '../../errors.ts';
import { priceFileSchema, readPriceFile } from './price-file.ts';
import { PRICE_LIST } from './price-list.ts';

const ENTRY = {
  lane: 'local',
  models: ['llama-*'],
  valid_from: '2026-01-01',
  usd_per_mtok: { input: 0.001, output: 12.5 },
};
const textWith = (...prices: unknown[]): string => JSON.stringify({ v: 1, prices });

/** The message of the error that a file gives. */
function refusal(text: string): string {
  try {
    readPriceFile('/home/me/prices.json', text);
  } catch (error) {
    if (error instanceof OperatorError) return `${error.code} ${error.message} | ${error.hint}`;
  }
  return 'taken';
}

describe('the prices of a file', () => {
  it('are read as they stand there', () => {
    expect(readPriceFile('f', textWith(ENTRY))).toEqual([ENTRY]);
    expect(readPriceFile('f', textWith())).toEqual([]);
  });

  it.each([
    ['{', ':1:2: it is no JSON: a "}" is missing here'],
    ['{"v": 1,\n "prices": [,]}', ':2:13: it is no JSON: a value is missing here'],
    ['{"v":1,"v":1,"prices":[]}', ':1:8: it names "v" twice'],
    ['{"v":2,"prices":[]}', ':1:2: v: must be 1'],
    [textWith({ ...ENTRY, lanes: 'zai' }), ': prices[0].lanes: unknown key'],
    [textWith(ENTRY, { ...ENTRY, models: [] }), ': prices[1].models: must not be empty'],
    [
      textWith({ ...ENTRY, valid_from: '2026-02-30' }),
      ': prices[0].valid_from: must be a day like "2026-01-31"',
    ],
    [textWith({ ...ENTRY, usd_per_mtok: { input: 1 } }), ': prices[0].usd_per_mtok.output: is missing'],
    [
      textWith({ ...ENTRY, usd_per_mtok: { input: -1, output: 1 } }),
      'prices[0].usd_per_mtok.input: must be at least 0',
    ],
    [textWith({ ...ENTRY, usd_per_mtok: { input: 0.0001, output: 1 } }), 'at most three decimals'],
    [
      textWith(ENTRY, { ...ENTRY, models: ['x', 'LLAMA-*'] }),
      'prices[1].models[1]: LLAMA-* has a price from 2026-01-01 on in prices[0] already',
    ],
  ])('%s is refused with file, place and remedy', (text, place) => {
    const said = refusal(text);
    expect(said).toMatch(/^CONFIG \/home\/me\/prices\.json/);
    expect(said).toContain(place);
    expect(said).toContain('docs/usage.md');
  });

  it('of ours keep to the same form', () => {
    expect(priceFileSchema.parse({ v: 1, prices: PRICE_LIST }).prices).toEqual(PRICE_LIST);
  });
});
