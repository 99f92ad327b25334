/** Which budgets an exchange counts in. */
import type { Budget } from './budget.ts';

/** Names come again and again; those beyond, which a client may make up, are looked up anew each time. */
const MEMO_ENTRIES = 1000;
const NONE: readonly Budget[] = [];

export type Match = (lane: string, model: string | null) => readonly Budget[];

/** In the order of `budgets`; none for an exchange that names no model. */
export function createMatch(budgets: readonly Budget[]): Match {
  const memo = new Map<string, readonly Budget[]>();
  return (lane, model) => {
    if (budgets.length === 0 || model === null) return NONE;
    const id = `${lane} ${model}`;
    let found = memo.get(id);
    if (found === undefined) {
      found = budgets.filter(({ definition }) => definition.lane === lane && definition.matches(model));
      if (memo.size >= MEMO_ENTRIES) memo.clear();
      memo.set(id, found);
    }
    return found;
  };
}
