/** Asks the store until it answers: what it cannot read now is not nothing. */
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

export interface Retry extends Disposable {
  stopped(): boolean;
  /**
   * What `ask` resolves with, however often it rejects before; null where the proxy ends meanwhile. `what` is told with
   * the reason, a sentence about what is missing so far, once.
   */
  until<T>(what: string, ask: () => Promise<T>): Promise<T | null>;
}

export function createRetry({ clock, log }: { readonly clock: Clock; readonly log: Log }): Retry {
  const waiting = new Set<() => void>();
  let stopped = false;
  const isStopped = (): boolean => stopped;

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const go = (): void => {
        waiting.delete(go);
        cancel();
        resolve();
      };
      const cancel = clock.after(ms, go);
      waiting.add(go);
    });

  return {
    stopped: isStopped,
    async until(what, ask) {
      let told = false;
      for (let wait = FIRST_WAIT_MS; !isStopped(); wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
        try {
          return await ask();
        } catch (error) {
          const why = error instanceof Error ? error.message : String(error);
          if (!told) log.error(`${what}: ${why}; the store is asked again until it answers`);
          told = true;
          await pause(wait);
        }
      }
      return null;
    },
    [Symbol.dispose]() {
      stopped = true;
      for (const go of waiting) go();
    },
  };
}
