/**
 * Watches how late the machine itself is, so that a check which measures time need not take that for the proxy's doing: by how much
 * a timer of this process comes too late, and for how long the target starved.
 */
import { watchStarvation } from './starvation.ts';

const EVERY_MS = 50;
/** What is less than this is usual, and within what the checks allow. */
const LEAST_MS = 25;
/** A timer that is so late was stopped by a signal, or left without a core: neither garbage collection nor a busy machine takes as long. */
const STOOD_STILL_MS = 2_000;

export interface MachineWatch extends Disposable {
  /** How long this process has stood still so far, in stretches of two seconds and more, milliseconds. */
  stoodStill(): number;
}

/** Calls `onLate` with the milliseconds that were lost until now, where they are worth telling; until it is disposed of. */
export function watchMachine(pid: () => number | null, onLate: (ms: number) => void): MachineWatch {
  let due = performance.now() + EVERY_MS;
  let stoodStill = 0;
  const starvation = watchStarvation();
  starvation.take(pid());
  const look = (): void => {
    const now = performance.now();
    const late = Math.max(0, now - due);
    due = now + EVERY_MS;
    if (late >= STOOD_STILL_MS) stoodStill += late;
    // Both waited in the same time, so the one is no addition to the other.
    const ms = Math.round(Math.max(late, starvation.take(pid())));
    if (ms >= LEAST_MS) onLate(ms);
  };
  const timer = setInterval(look, EVERY_MS).unref();
  return {
    stoodStill() {
      // The question may come before the timer that is late.
      if (performance.now() > due) look();
      return Math.round(stoodStill);
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      due = Number.POSITIVE_INFINITY;
    },
  };
}
