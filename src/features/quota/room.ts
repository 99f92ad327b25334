/** The room that exchanges under way have taken in budgets. */
import type { AttemptFacts } from '../../core/types.ts';
import { isCharged } from '../../protocol/charged.ts';
import type { Budget } from './budget.ts';
import type { Hold } from './count.ts';
import type { Match } from './match.ts';

export interface Room {
  /** Takes it for an exchange on a lane; what that had on another is given back. */
  take(facts: AttemptFacts): void;
  /** Gives back what an exchange has, if it has any. */
  release(rid: string): void;
  /** Moves all that is taken into the budgets that count by now. */
  move(): void;
}

/** `chargedTo` gives the budgets that count now. */
export function createRoom(chargedTo: Match): Room {
  const holds = new Map<string, Held>();

  const holdOn = (rid: string, lane: string, model: string | null): void => {
    const parts = chargedTo(lane, model).map((budget) => ({ budget, hold: budget.reserve() }));
    holds.set(rid, { lane, model, parts });
  };

  const release = (rid: string): void => {
    const held = holds.get(rid);
    if (held === undefined) return;
    holds.delete(rid);
    giveBack(held);
  };

  return {
    take({ rid, lane, model, op }) {
      if (!isCharged(op) || holds.get(rid)?.lane === lane) return;
      release(rid);
      holdOn(rid, lane, model);
    },
    release,
    move() {
      for (const [rid, held] of holds) {
        giveBack(held);
        holdOn(rid, held.lane, held.model);
      }
    },
  };
}

interface Held {
  readonly lane: string;
  readonly model: string | null;
  readonly parts: readonly { readonly budget: Budget; readonly hold: Hold }[];
}

function giveBack({ parts }: Held): void {
  for (const { budget, hold } of parts) budget.release(hold);
}
