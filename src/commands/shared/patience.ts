/** How many times our own event loop must have come round before patience ends. */
const TURNS = 10;

/**
 * A signal that aborts after `ms` milliseconds, or later where this process was not given the processor: it is not the
 * other side's fault what we had no time to hear. A plain timeout that is overdue goes before an answer that has arrived.
 */
export function patience(ms: number): AbortSignal {
  const controller = new AbortController();
  const wait = (turns: number): void => {
    setTimeout(() => (turns === 1 ? controller.abort() : wait(turns - 1)), ms / TURNS).unref();
  };
  wait(TURNS);
  return controller.signal;
}
