/** A clock for a night that is over in a minute: who waits for it is not kept waiting, and what takes time takes it. */
import { type Clock, systemClock } from '../../../platform/clock.ts';

export interface NightClock extends Clock {
  /** The wall clock goes on by so many milliseconds, and the steady one does not: the machine slept. */
  suspend(ms: number): void;
}

export function createNightClock(): NightClock {
  /** Deadlines on the steady clock; the earliest is reached by leaping there as soon as nothing else is to be done. */
  const waiting = new Map<object, { readonly at: number; readonly callback: () => void }>();
  let leapt = 0;
  let asleep = 0;
  const steady = (): number => systemClock.monotonic() + leapt;
  const reachNext = (): void => {
    const [first] = [...waiting].toSorted(([, a], [, b]) => a.at - b.at);
    if (first === undefined) return;
    const [key, { at, callback }] = first;
    waiting.delete(key);
    leapt += Math.max(0, at - steady());
    callback();
    if (waiting.size > 0) setImmediate(reachNext);
  };
  return {
    now: () => systemClock.now() + leapt + asleep,
    monotonic: steady,
    after(ms, callback) {
      const key = {};
      waiting.set(key, { at: steady() + ms, callback });
      if (waiting.size === 1) setImmediate(reachNext);
      return () => void waiting.delete(key);
    },
    suspend: (ms) => {
      asleep += ms;
    },
  };
}
