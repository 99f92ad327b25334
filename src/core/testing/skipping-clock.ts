/** The system's clock, which a test can put forward: a limit of minutes strikes when the test is ready for it. */
import { type Clock, systemClock } from '../../platform/clock.ts';

export interface SkippingClock extends Clock {
  /** Lets so many milliseconds have passed for whoever asks for the monotonic time; timers stay as they are. */
  skip(ms: number): void;
}

export function createSkippingClock(): SkippingClock {
  let skipped = 0;
  return {
    ...systemClock,
    monotonic: () => systemClock.monotonic() + skipped,
    skip(ms) {
      skipped += ms;
    },
  };
}
