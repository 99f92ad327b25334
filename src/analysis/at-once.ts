import type { Transcript } from '../protocol/transcript.ts';
import { endOf } from './wire.ts';

/**
 * The most of them that were under way at the same time. That one had begun less than `besideMs` milliseconds before another
 * ended is no such thing.
 */
export function mostAtOnce(transcripts: readonly Transcript[], besideMs: number): number {
  const steps = transcripts
    .filter(({ endedMs }) => endedMs > besideMs)
    .flatMap((one) => [
      { at: one.startedAt, by: 1 },
      { at: endOf(one) - besideMs, by: -1 },
    ])
    // What ends makes room first.
    .toSorted((a, b) => a.at - b.at || a.by - b.by);
  let [now, most] = [0, 0];
  for (const { by } of steps) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}
