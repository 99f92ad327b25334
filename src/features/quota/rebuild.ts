/** Fills budgets from the store while new exchanges are counted, each once. */
import type { MeterStore } from '../../protocol/meter.ts';
import type { Budget } from './budget.ts';
import { useOfSample } from './charge.ts';
import { WEEK_MS } from './parse-quotas.ts';
import type { Retry } from './retry.ts';

export interface Rebuild {
  /** Counted live since it began: the store may hold it as well. */
  sawLive(rid: string): void;
  /** Resolves with how many samples it counted; null where the proxy ended before. */
  run(): Promise<number | null>;
}

export interface RebuildOptions {
  readonly store: MeterStore;
  readonly retry: Retry;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** While a store cannot be read for long. */
const MOST_REMEMBERED = 200_000;

/**
 * Begins with what is youngest: the rolling windows hold first. What the store cannot read is asked for again
 * from the place where it stopped.
 */
export function rebuild(budgets: readonly Budget[], { store, retry, now }: RebuildOptions): Rebuild {
  const live = new Set<string>();
  let cursor: string | null = null;
  let counted = 0;

  const fill = async (): Promise<number> => {
    do {
      const page = await store.history(now - WEEK_MS, cursor);
      if (retry.stopped()) break;
      for (const sample of page.samples) {
        const use = useOfSample(sample);
        const { model } = sample;
        if (use === null || model === null || live.has(sample.rid)) continue;
        const mine = budgets.filter(
          ({ definition }) => definition.lane === sample.lane && definition.matches(model),
        );
        for (const budget of mine) budget.fill(use, now);
        if (mine.length > 0) counted += 1;
      }
      cursor = page.next_cursor;
    } while (cursor !== null);
    return counted;
  };

  return {
    sawLive(rid) {
      const [first] = live;
      if (live.size >= MOST_REMEMBERED && first !== undefined) live.delete(first);
      live.add(rid);
    },
    run: () => retry.until('the quota windows still lack what the store has', fill),
  };
}
