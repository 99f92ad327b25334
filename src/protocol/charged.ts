/** What of the exchanges counts towards quotas. Pure. */
import type { CompletionEvent, Op } from './usage-event.ts';

/** Only messages are counted and turned away: counting tokens and listing models is free. */
export const isCharged = (op: Op): boolean => op === 'stream' || op === 'nonstream';

/** Whether anything was sent upstream. What the proxy refused by itself has no attempt, and is not `ok`. */
export const wasTried = (attempts: number, reason: CompletionEvent['reason']): boolean =>
  attempts > 0 || reason === 'ok';
