/** Fills budgets from the store while new exchanges are counted, each once. */
import type { HistoryPage, MeterStore, SampleUse } from '../../protocol/meter.ts';
import type { Budget } from './budget.ts';
import { createMatch } from './match.ts';
import { WEEK_MS } from './parse-quotas.ts';
import type { Retry } from './retry.ts';

export interface Rebuild {
  /** Counted live since it began: the store may hold it as well. */
  sawLive(rid: string): void;
  /** Null where the proxy ended before it was done. */
  run(): Promise<Rebuilt | null>;
  /** What the store answered last where it cannot be read; null while it can. */
  failure(): unknown;
}

export interface Rebuilt {
  /** Samples that the store has of these lanes. */
  readonly found: number;
  /** Those of them that a budget counts, and that were not counted live. */
  readonly counted: number;
}

export interface RebuildOptions {
  readonly store: MeterStore;
  readonly retry: Retry;
  /** Told of each that the store has, also those that no budget counts. */
  readonly onUse: (use: SampleUse) => void;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** While a store cannot be read for long. */
const MOST_REMEMBERED = 200_000;

/**
 * Begins with what is youngest: the rolling windows hold first. What the store cannot read is asked for again
 * from the place where it stopped.
 */
export function rebuild(budgets: readonly Budget[], { store, retry, onUse, now }: RebuildOptions): Rebuild {
  const live = new Set<string>();
  const lanes = [...new Set(budgets.map(({ definition }) => definition.lane))];
  const chargedTo = createMatch(budgets);
  let cursor: string | null = null;
  let [found, counted] = [0, 0];
  let failure: unknown = null;

  const count = (use: SampleUse): void => {
    onUse(use);
    found += 1;
    if (live.has(use.rid)) return;
    const mine = chargedTo(use.lane, use.model);
    for (const budget of mine) budget.fill(use, now);
    if (mine.length > 0) counted += 1;
  };

  const ask = (from: string | null): Promise<HistoryPage> =>
    store.history({ since: now - WEEK_MS, lanes, cursor: from });

  const fill = async (): Promise<Rebuilt> => {
    // The store reads the next page while this one is counted.
    for (let asked: Promise<HistoryPage> | null = ask(cursor); asked !== null; ) {
      const { uses, next_cursor }: HistoryPage = await asked;
      failure = null;
      if (retry.stopped()) break;
      asked = next_cursor === null ? null : ask(next_cursor);
      for (const use of uses) count(use);
      cursor = next_cursor;
    }
    return { found, counted };
  };

  return {
    sawLive(rid) {
      const [first] = live;
      if (live.size >= MOST_REMEMBERED && first !== undefined) live.delete(first);
      live.add(rid);
    },
    run: () => retry.until(fill, (error) => void (failure = error)),
    failure: () => failure,
  };
}
