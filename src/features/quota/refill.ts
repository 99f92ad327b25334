/** Fills the windows of budgets from the store: of those that are new, and of all anew where the store has more by now. */
import { OperatorError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { MeterStore } from '../../protocol/meter.ts';
import { type Budget, createBudget, type Use } from './budget.ts';
import { createMatch, type Match } from './match.ts';
import { type Rebuild, type RebuildOptions, rebuild } from './rebuild.ts';
import type { Retry } from './retry.ts';

export interface Refill {
  /** Fills budgets that count already. Resolves when they hold, or the proxy ends. */
  load(empty: readonly Budget[]): Promise<void>;
  /** Counts those that count now anew, beside them, and installs what came of it. No budget becomes emptier by it. */
  recount(): void;
  /** Told of each exchange that was counted live: the store may hold it as well. */
  sawLive(exchange: Live): void;
  /** Whether any windows still lack what the store has. */
  isFilling(): boolean;
  /** Why the store cannot tell what they lack, and what to do, in sentences; null while it can. */
  trouble(): string | null;
}

export interface Live {
  readonly rid: string;
  readonly lane: string;
  readonly model: string | null;
  readonly use: Use;
}

export interface RefillOptions extends Pick<RebuildOptions, 'onUse'> {
  readonly store: MeterStore;
  readonly retry: Retry;
  readonly clock: Clock;
  readonly log: Log;
  /** The budgets that count now. */
  readonly budgets: () => readonly Budget[];
  /** Lets others of the same quotas count from now on. */
  readonly install: (next: readonly Budget[]) => void;
  /** Told after some were filled. */
  readonly onFilled: () => void;
}

export function createRefill(options: RefillOptions): Refill {
  const { store, retry, clock, log, onUse, budgets, install, onFilled } = options;
  const rebuilds = new Set<Rebuild>();
  /** Those that are counted anew beside them. */
  let chargedBeside: Match | null = null;
  let recountAgain = false;

  const load = async (empty: readonly Budget[]): Promise<void> => {
    if (empty.length === 0) return;
    const filling = rebuild(empty, { store, retry, onUse, now: clock.now() });
    rebuilds.add(filling);
    const rebuilt = await filling.run();
    rebuilds.delete(filling);
    if (rebuilt === null || retry.stopped()) return;
    // Of a store that has nothing, nothing need be said.
    if (rebuilt.found > 0)
      log.info(`quota windows rebuilt: ${exchanges(rebuilt.counted)} of the last seven days`);
    onFilled();
  };

  const recount = async (): Promise<void> => {
    recountAgain = true;
    // What is being counted anew may have passed the place.
    if (chargedBeside !== null) return;
    while (recountAgain && !retry.stopped()) {
      recountAgain = false;
      const before = budgets();
      const anew = before.map(({ definition }) => createBudget(definition));
      chargedBeside = createMatch(anew);
      await load(anew);
      if (retry.stopped()) return;
      // Others were taken over meanwhile: what these lack of them nobody knows.
      if (budgets() !== before) recountAgain = true;
      else install(before.map((budget, index) => fuller(budget, anew[index], clock.now())));
    }
    chargedBeside = null;
  };

  return {
    load,
    recount: () => void recount(),
    sawLive({ rid, lane, model, use }) {
      if (chargedBeside !== null) for (const budget of chargedBeside(lane, model)) budget.add(use);
      for (const filling of rebuilds) filling.sawLive(rid);
    },
    isFilling: () => rebuilds.size > 0,
    trouble() {
      const failure = [...rebuilds].map((filling) => filling.failure()).find((one) => one !== null);
      return failure === undefined ? null : inSentences(failure);
    },
  };
}

function inSentences(failure: unknown): string {
  const reason = failure instanceof Error ? failure.message : String(failure);
  const remedy = failure instanceof OperatorError ? failure.hint : undefined;
  return remedy === undefined ? `${reason}.` : `${reason}. ${remedy}`;
}

/**
 * The one that knows of more exchanges in its longest window. The store may lack what was counted live (its file was
 * deleted, the disk was full), and a budget must not open for that.
 */
const fuller = (budget: Budget, anew: Budget | undefined, now: number): Budget =>
  anew !== undefined && anew.exchanges(now) >= budget.exchanges(now) ? anew : budget;

const exchanges = (count: number): string => (count === 1 ? '1 exchange' : `${count} exchanges`);
