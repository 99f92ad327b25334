/** Prices from loaded settings: the operator's before ours. */
import { OperatorError } from '../errors.ts';
import { createPrices } from '../features/pricing/bill.ts';
import { readPriceFile } from '../features/pricing/price-file.ts';
import { PRICE_LIST } from '../features/pricing/price-list.ts';
import { createPricing } from '../features/pricing/pricing.ts';
import type { Prices } from '../protocol/money.ts';
import type { LoadedCcp } from './ccp-settings.ts';
import { nearestName } from './nearest-name.ts';
import { readSmallFile } from './read-small-file.ts';

/** The models that our own list names, each once. */
export const NAMED_MODELS: readonly string[] = [
  ...new Set(PRICE_LIST.flatMap(({ models }) => models).filter((model) => !model.includes('*'))),
];

export interface OpenedPrices {
  readonly prices: Prices;
  /** The file with prices of the operator's own; null where there is none. */
  readonly file: string | null;
  /** Which of those are of no lane that there is, a sentence each: most likely a slip, and of a lane of before no harm. */
  readonly strays: (lanes: readonly string[]) => readonly string[];
  /** Which of those do not hold yet at `now`, epoch milliseconds, a sentence each: set early, or a slip. */
  readonly toCome: (now: number) => readonly string[];
}

/** Throws `CONFIG` where a file is named that is not there, or a file holds no prices. */
export function openPrices({ settings: { pricesFile }, paths }: LoadedCcp): OpenedPrices {
  const path = pricesFile ?? paths.prices;
  const bytes = readSmallFile(path);
  if (bytes === null && pricesFile !== null) {
    throw new OperatorError('CONFIG', `CCP_PRICES_FILE is ${path}: there is no such file`, {
      hint: 'Name a file with prices (docs/usage.md), or unset it.',
    });
  }
  const own = bytes === null ? [] : readPriceFile(path, bytes);
  return {
    prices: createPrices(createPricing(PRICE_LIST, own)),
    file: bytes === null ? null : path,
    strays: (lanes) => {
      const there = [...new Set(lanes)];
      return [...new Set(own.map(({ lane }) => lane))]
        .filter((lane) => !there.includes(lane))
        .map((lane) => {
          const meant = nearestName(lane, there);
          const why = `there is no such lane (there are ${there.join(', ')})`;
          const question = meant === null ? '' : `: did you mean "${meant}"?`;
          return `the prices for lane ${lane} in ${path} count nothing: ${why}${question}`;
        });
    },
    toCome: (now) =>
      own
        .filter(({ valid_from }) => Date.parse(valid_from) > now)
        .map(
          ({ lane, models, valid_from }) =>
            `the price for ${models.join(', ')} on lane ${lane} in ${path} holds from ${valid_from} on, not yet`,
        ),
  };
}
