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

const read = (path: string, written: string | Buffer) => readPriceFile(path, Buffer.from(written));

/** The message of the error that a file gives. */
function refusal(written: string | Buffer): string {
  try {
    read('/home/me/prices.json', written);
  } catch (error) {
    if (error instanceof OperatorError) return `${error.code} ${error.message} | ${error.hint}`;
  }
  return 'taken';
}

describe('the prices of a file', () => {
  it('are read as they stand there', () => {
    expect(read('f', textWith(ENTRY))).toEqual([ENTRY]);
    expect(read('f', textWith())).toEqual([]);
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

  it('are refused in another encoding, in which a name would come out as another', () => {
    const file = Buffer.from(textWith({ ...ENTRY, models: ['café*'] }), 'latin1');
    expect(refusal(file)).toContain('/home/me/prices.json: it is not UTF-8');
  });

  it('of ours keep to the same form', () => {
    expect(priceFileSchema.parse({ v: 1, prices: PRICE_LIST }).prices).toEqual(PRICE_LIST);
  });
});
