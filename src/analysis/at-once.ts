import type { Transcript } from '../protocol/transcript.ts';
import { endOf } from './wire.ts';

/** So long (milliseconds) several have to be under way beside each other: that one had hardly begun as another ended is no such thing. */
const BESIDE_MS = 200;

/** The most of them that were under way at the same time. */
export function mostAtOnce(transcripts: readonly Transcript[]): number {
  const steps = transcripts
    .filter(({ endedMs }) => endedMs > BESIDE_MS)
    .flatMap((one) => [
      { at: one.startedAt, by: 1 },
      { at: endOf(one) - BESIDE_MS, by: -1 },
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
