/** Waiting for conditions, so that no test depends on how fast the machine is. */
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 2;

/**
 * Waits until `probe` gives something, and gives that.
 * @param what for the error: what was waited for
 * @param limitMs generous, because it is only waited for when the test fails
 */
export async function until<T>(
  probe: () => T | null | undefined | false,
  what: string,
  limitMs = 8_000,
): Promise<T> {
  const endsAt = performance.now() + limitMs;
  for (;;) {
    const found = probe();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > endsAt) throw new Error(`waited ${limitMs} ms in vain for ${what}`);
    await sleep(POLL_MS);
  }
}
