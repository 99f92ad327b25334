import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadCcpSettings } from './ccp-settings.ts';
import { openPrices } from './open-prices.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'ccp-prices-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(home, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** Dollars for a million tokens of input to claude-haiku-4-5. */
function priceWith(env: NodeJS.ProcessEnv = {}): number | null {
  const { prices } = openPrices(loadCcpSettings({ flags: {}, env, cwd: home, home }));
  const bill = prices.open();
  const tokens = { input: 1_000_000, output: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 };
  const at = Date.parse('2026-11-01');
  bill.add(prices.chargeOf({ lane: 'anthropic', model: 'claude-haiku-4-5', tokens, uncounted: 0, at }));
  return bill.sum().cost_usd;
}

const file = (usd: number): string =>
  JSON.stringify({
    v: 1,
    prices: [
      {
        lane: 'anthropic',
        models: ['*haiku*'],
        valid_from: '2026-01-01',
        usd_per_mtok: { input: usd, output: usd },
      },
    ],
  });

it('are ours without a file, else those of the user file, else those of the file that is named', () => {
  expect(priceWith()).toBe(1);
  write('.config/ccp/prices.json', file(2));
  expect(priceWith()).toBe(2);
  expect(priceWith({ CCP_PRICES_FILE: write('mine.json', file(3)) })).toBe(3);
});

it('refuse a file that is named and not there, and one that holds none', () => {
  expect(() => priceWith({ CCP_PRICES_FILE: join(home, 'nothing.json') })).toThrow(
    `CCP_PRICES_FILE is ${join(home, 'nothing.json')}: there is no such file`,
  );
  write('.config/ccp/prices.json', '{"v":1}');
  expect(() => priceWith()).toThrow(/prices\.json:1:1: prices: is missing/);
});

it('of a lane that is not there are told of, with the lanes there are and the one that was meant', () => {
  const strays = (lanes = ['zai', 'local']) =>
    openPrices(loadCcpSettings({ flags: {}, env: {}, cwd: home, home })).strays(lanes);
  expect(strays()).toEqual([]);
  const path = write('.config/ccp/prices.json', file(2));
  expect(strays()).toEqual([
    `the prices for lane anthropic in ${path} count nothing: there is no such lane (there are zai, local)`,
  ]);
  expect(strays(['antropic', 'zai', 'zai'])).toEqual([
    expect.stringMatching(/there is no such lane \(there are antropic, zai\): did you mean "antropic"\?$/),
  ]);
});

it('that begin later are told of until then', () => {
  const opened = () => openPrices(loadCcpSettings({ flags: {}, env: {}, cwd: home, home }));
  const start = Date.parse('2026-01-01');
  expect(opened().toCome(start - 1)).toEqual([]);
  const path = write('.config/ccp/prices.json', file(2));
  expect(opened().toCome(start - 1)).toEqual([
    `the price for *haiku* on lane anthropic in ${path} holds from 2026-01-01 on, not yet`,
  ]);
  expect(opened().toCome(start)).toEqual([]);
});
