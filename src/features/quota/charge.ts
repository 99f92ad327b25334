/** What an exchange used, where it counts towards quotas. Pure. */
import { isCharged, wasTried } from '../../protocol/charged.ts';
import type { CompletionEvent } from '../../protocol/usage-event.ts';
import type { Use } from './budget.ts';

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
