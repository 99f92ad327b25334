/**
 * Asks the store until it answers: what it cannot read now is not nothing. The store itself tells the operator of it; what
 * may be a fault of ours is told here.
 */
import { OperatorError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

export interface Retry extends Disposable {
  stopped(): boolean;
  /**
   * What `ask` resolves with, however often it rejects before, of which `onFailed` is told each time; null where the proxy
   * ends meanwhile.
   */
  until<T>(ask: () => Promise<T>, onFailed?: (error: unknown) => void): Promise<T | null>;
}

export function createRetry(clock: Clock, log: Log): Retry {
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
    async until(ask, onFailed = () => {}) {
      let isTold = false;
      for (let wait = FIRST_WAIT_MS; !isStopped(); wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
        try {
          return await ask();
        } catch (error) {
          onFailed(error);
          if (!isTold && !isStopped() && !(error instanceof OperatorError)) {
            isTold = true;
            log.error(
              `the proxy could not take from the store what quotas go by, and tries again: ${stackOf(error)}`,
            );
          }
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

const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
