/** What of the records counts towards quotas. Pure. */
import type { Sample, SampleUse } from '../../protocol/meter.ts';
import type { CompletionEvent, Op } from '../../protocol/usage-event.ts';
import type { Use } from './budget.ts';

/** Only messages are counted and turned away: counting tokens and listing models is free. */
export const isCharged = (op: Op): boolean => op === 'stream' || op === 'nonstream';

/** Whether anything was sent upstream. What the proxy refused by itself has no attempt, and is not `ok`. */
const wasTried = (attempts: number, reason: Sample['reason']): boolean => attempts > 0 || reason === 'ok';

/** What an exchange that is over used; null where it does not count. */
export function useOf(event: CompletionEvent): Use | null {
  if (!isCharged(event.op) || !wasTried(event.attempts.length, event.reason)) return null;
  return {
    ts: Date.parse(event.ts),
    tokens: event.tokens ?? null,
    latency_ms: event.latency_ms,
    stream_ms: event.sse?.duration_ms ?? null,
  };
}

/** The same of a sample: windows are rebuilt to what they were. */
export const useOfSample = (sample: SampleUse): Use | null =>
  isCharged(sample.op) && wasTried(sample.attempts, sample.reason) ? sample : null;
