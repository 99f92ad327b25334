/**
 * The time limits of all exchanges under way, held by one sweeping timer: a stream moves its limit with
 * every piece, and moving a number is what that may cost.
 */
import type { Clock } from '../platform/clock.ts';

/** A limit that can be moved or cleared; it strikes at most one sweep late. */
export interface Deadline {
  /** Monotonic milliseconds; Infinity while nothing is due. */
  at: number;
  owner: Overdue | null;
}

export interface Overdue {
  /** Its time is up. */
  overdue(): void;
}

export interface Deadlines {
  /** Starts watching; the caller sets `at` and `owner` as it likes and calls `drop` at the end. */
  watch(): Deadline;
  drop(deadline: Deadline): void;
}

/** The sweep is also the coarsest a limit can be off: nobody notices it beside limits of seconds. */
const SWEEP_MS = 50;

export function createDeadlines(clock: Clock): Deadlines {
  const watched = new Set<Deadline>();
  let sweeping = false;

  const sweep = (): void => {
    const now = clock.monotonic();
    for (const deadline of watched) {
      if (deadline.at > now) continue;
      deadline.at = Number.POSITIVE_INFINITY;
      deadline.owner?.overdue();
    }
    sweeping = watched.size > 0;
    if (sweeping) clock.after(SWEEP_MS, sweep);
  };

  return {
    watch() {
      const deadline: Deadline = { at: Number.POSITIVE_INFINITY, owner: null };
      watched.add(deadline);
      if (!sweeping) {
        sweeping = true;
        clock.after(SWEEP_MS, sweep);
      }
      return deadline;
    },
    drop(deadline) {
      watched.delete(deadline);
      deadline.owner = null;
    },
  };
}
