/** Notices when this process was kept from running: stopped by a signal, or left without a processor. */
const EVERY_MS = 250;
/** Garbage collection and a busy machine take less than that. */
const LEAST_MS = 2_000;

export interface StallWatch extends Disposable {
  /** Milliseconds in all since this was asked last, of stalls of two seconds and more. */
  take(): number;
}

/** Looks four times a second, and keeps nothing alive. */
export function watchStalls(): StallWatch {
  let last = performance.now();
  let stalled = 0;
  const look = (): void => {
    const late = performance.now() - last - EVERY_MS;
    last = performance.now();
    if (late >= LEAST_MS) stalled += late;
  };
  const timer = setInterval(look, EVERY_MS).unref();
  return {
    take() {
      look();
      const taken = Math.round(stalled);
      stalled = 0;
      return taken;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
