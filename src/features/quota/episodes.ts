/** Tells an operator when a budget gets full, once for each time that it does, and when it has room again. */
import { type Clock, rfc3339 } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { Budget } from './budget.ts';

export interface Episodes extends Disposable {
  /** Looks at budgets of which something has changed. What only grows old is looked at by itself. */
  look(budgets: readonly Budget[]): void;
  /** From now on these are all that there are. */
  replace(budgets: readonly Budget[]): void;
}

/** Between two looks at what grows old. */
const LOOK_MS = 60_000;
/**
 * An episode ends so far below the warning, as a part of it: at the very edge each exchange that leaves the window would end
 * one, and the next begin another.
 */
const CLEARLY_BELOW = 0.9;

/** What was told last; nothing of a quota that has room. */
type Told = 'warn' | 'full';

interface EpisodesOptions {
  /** Whether a full budget turns exchanges away. Where it does not, more come, and nobody knows when it has room. */
  readonly holdsBack: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

export function createEpisodes({ holdsBack, clock, log }: EpisodesOptions): Episodes {
  /** By lane and glob: a reload makes other budgets of the same quotas. */
  const told = new Map<string, { readonly budget: Budget; readonly what: Told }>();
  let cancel: (() => void) | null = null;

  const lookAt = (budget: Budget, now: number): void => {
    const { lane, model, warnPct, blockPct } = budget.definition;
    const { rolling, weekly } = budget.full(now);
    const pct = Math.max(rolling ?? 0, weekly ?? 0);
    const id = idOf(budget);
    const before = told.get(id);
    const quota = `the quota for "${model}" on lane ${lane}`;
    if (pct >= blockPct) {
      if (before?.what === 'full') return;
      told.set(id, { budget, what: 'full' });
      const { why, at } = budget.opening(now);
      log.warn(holdsBack ? `${why} until ${rfc3339(at)}` : why);
    } else if (pct >= warnPct) {
      if (before !== undefined) return;
      told.set(id, { budget, what: 'warn' });
      log.warn(`${quota} is ${shown(pct)}% used`);
    } else if (before !== undefined && pct < warnPct * CLEARLY_BELOW) {
      told.delete(id);
      log.info(`${quota} has room again: it is ${shown(pct)}% used`);
    }
  };

  const look = (budgets: readonly Budget[]): void => {
    const now = clock.now();
    for (const budget of budgets) lookAt(budget, now);
    if (told.size === 0) return;
    cancel ??= clock.after(LOOK_MS, () => {
      cancel = null;
      look([...told.values()].map(({ budget }) => budget));
    });
  };

  return {
    look,
    replace(budgets) {
      const now = new Map(budgets.map((budget) => [idOf(budget), budget]));
      for (const [id, { what }] of told) {
        const budget = now.get(id);
        if (budget === undefined) told.delete(id);
        else told.set(id, { budget, what });
      }
      look(budgets);
    },
    [Symbol.dispose]: () => cancel?.(),
  };
}

const idOf = ({ definition: { lane, model } }: Budget): string => `${lane} ${model}`;

/** As the views show it: what is not all of it is no 100. */
const shown = (pct: number): number => (pct > 99 && pct < 100 ? 99 : Math.round(pct));
