import type { Clock } from '../platform/clock.ts';

/** For so long the clock must have gone as the monotonic one does; one that was wrong at boot is set right sooner. */
const STEADY_MS = 600_000;
/** Slewing and leap seconds are no jump. */
const JUMP_MS = 60_000;

/**
 * Whether the clock may decide what is old enough to be deleted: false for ten minutes from the start on, and after each
 * jump. `onJump` is told of one, in milliseconds; a machine that slept jumps as well.
 */
export function createSteadiness(clock: Clock, onJump: (ms: number) => void): () => boolean {
  const look = (): { readonly at: number; readonly apart: number } => {
    const at = clock.monotonic();
    return { at, apart: clock.now() - at };
  };
  let { at: since, apart } = look();
  return () => {
    const seen = look();
    const jump = seen.apart - apart;
    if (Math.abs(jump) > JUMP_MS) {
      since = seen.at;
      onJump(jump);
    }
    ({ apart } = seen);
    return seen.at - since >= STEADY_MS;
  };
}
