/** The form of prices, ours and the operator's: `prices.json` (docs/usage.md). */
import { z } from 'zod';
import { readWrittenJson } from '../../protocol/written-json.ts';

/** Thousandths of a dollar for a million tokens are whole nano-dollars for one: what sums are kept in, exactly. */
const usdPerMillion = z
  .number()
  .nonnegative()
  .max(100_000)
  .refine((usd) => Math.abs(usd * 1000 - Math.round(usd * 1000)) < 1e-6, 'must have at most three decimals');

const pricesByKind = z.strictObject({
  input: usdPerMillion,
  output: usdPerMillion,
  cache_read: usdPerMillion.optional(),
  cache_write_5m: usdPerMillion.optional(),
  cache_write_1h: usdPerMillion.optional(),
});

const priceEntry = z.strictObject({
  lane: z.string().min(1).max(200),
  models: z.array(z.string().min(1).max(200)).min(1).describe('globs over the model names of the lane'),
  valid_from: z.iso.date().describe('from the beginning of this day, UTC'),
  usd_per_mtok: pricesByKind.describe('US dollars for a million tokens; a kind that is left out is unpriced'),
  at_least: z.literal(true).optional().describe('the true price may be higher, by what a count cannot tell'),
  source: z.string().max(1000).optional().describe('where the price was read, for people'),
});

/** Of two prices for one glob and day it would be chance which one counts. */
function refuseTwice(
  prices: readonly Pick<PriceEntry, 'lane' | 'models' | 'valid_from'>[],
  context: z.RefinementCtx,
): void {
  const seen = new Map<string, number>();
  for (const [index, { lane, models, valid_from }] of prices.entries()) {
    for (const [place, glob] of models.entries()) {
      const key = `${lane}\n${glob.toLowerCase()}\n${valid_from}`;
      const earlier = seen.get(key);
      if (earlier !== undefined) {
        const message = `${glob} has a price from ${valid_from} on in prices[${earlier}] already`;
        context.addIssue({ code: 'custom', path: [index, 'models', place], message });
      }
      seen.set(key, index);
    }
  }
}

export const priceFileSchema = z.strictObject({
  $schema: z.string().optional(),
  v: z.literal(1),
  prices: z.array(priceEntry).max(10_000).superRefine(refuseTwice),
});

export type PriceEntry = z.infer<typeof priceEntry>;

const REMEDY =
  'Correct it (docs/usage.md shows the form), or move it away: the prices that ccp knows then count.';

/** The prices of a file. Throws `CONFIG` naming `path`, line, column and place of what is wrong, and what is allowed there. */
export const readPriceFile = (path: string, bytes: Uint8Array): readonly PriceEntry[] =>
  readWrittenJson({ path, bytes, schema: priceFileSchema, remedy: REMEDY }).value.prices;
