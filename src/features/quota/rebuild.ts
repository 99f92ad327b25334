/** Fills budgets from the store while new exchanges are counted, each once. */
import type { MeterStore } from '../../protocol/meter.ts';
import type { Budget } from './budget.ts';
import { useOfSample } from './charge.ts';
import { WEEK_MS } from './parse-quotas.ts';

export interface Rebuild {
  /** Counted live since it began: the store may hold it as well. */
  sawLive(rid: string): void;
  /** The samples that it counted; rejects with what the store says. */
  readonly done: Promise<number>;
}

/** Begins at once. `stopped` is asked between the pages of the store. */
export function rebuild(
  budgets: readonly Budget[],
  {
    store,
    now,
    stopped,
  }: { readonly store: MeterStore; readonly now: number; readonly stopped: () => boolean },
): Rebuild {
  const live = new Set<string>();
  const fill = async (): Promise<number> => {
    let counted = 0;
    // What was counted live before, and is still on its way to the disk.
    await store.flush();
    for await (const page of store.samplesSince(now - WEEK_MS)) {
      if (stopped()) break;
      for (const sample of page) {
        const use = useOfSample(sample);
        const { model } = sample;
        if (use === null || model === null || live.has(sample.rid)) continue;
        const mine = budgets.filter(
          ({ definition }) => definition.lane === sample.lane && definition.matches(model),
        );
        for (const budget of mine) budget.add(use, now);
        if (mine.length > 0) counted += 1;
      }
    }
    return counted;
  };
  return { sawLive: (rid) => void live.add(rid), done: fill() };
}
