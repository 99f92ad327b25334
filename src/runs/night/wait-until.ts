/** Waiting on the clock of a run, which may be a simulated one. */
import type { Clock } from '../../platform/clock.ts';

/** Resolves when the steady clock is there, or at once where it was or the run is interrupted. */
export async function waitUntil(
  time: number,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const left = time - clock.monotonic();
  if (left <= 0 || signal.aborted) return;
  await new Promise<void>((resolve) => {
    // The clock's own timer keeps nothing alive, and a night has to be waited for.
    const alive = setInterval(() => {}, KEPT_ALIVE_MS);
    const done = (): void => {
      clearInterval(alive);
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(left, done);
    signal.addEventListener('abort', done, { once: true });
  });
}

const KEPT_ALIVE_MS = 60_000;
