/** How a run ended, in its own words. */
import type { RunEvent } from './run-events.ts';

export type EndingEvent = Extract<RunEvent, { type: 'run_ended' | 'interrupted' | 'broken' }>;

/** What it said of its end, which need not be the last: a client that was interrupted may have ended a moment later. Undefined also where it was resumed since. */
export function endIn(events: readonly RunEvent[]): EndingEvent | undefined {
  const resumed = events.findLastIndex(({ type }) => type === 'resumed');
  return events.slice(resumed + 1).findLast(isEnding);
}

const isEnding = (event: RunEvent): event is EndingEvent =>
  event.type === 'run_ended' || event.type === 'interrupted' || event.type === 'broken';
