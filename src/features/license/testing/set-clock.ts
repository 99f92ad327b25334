import type { Clock } from '../../../platform/clock.ts';

/** A clock that stands still until a test sets it; its timers are called by hand. */
export interface SetClock extends Clock {
  set(ms: number): void;
  /** Calls every timer that waits, as a late one would; gives for how many milliseconds they had been asked. */
  fire(): number[];
}

export function createSetClock(start: number): SetClock {
  let now = start;
  let waiting: { readonly ms: number; readonly callback: () => void }[] = [];
  return {
    now: () => now,
    monotonic: () => now,
    after(ms, callback) {
      const timer = { ms, callback };
      waiting.push(timer);
      return () => {
        waiting = waiting.filter((one) => one !== timer);
      };
    },
    set(ms) {
      now = ms;
    },
    fire() {
      const due = waiting;
      waiting = [];
      for (const { callback } of due) callback();
      return due.map(({ ms }) => ms);
    },
  };
}
