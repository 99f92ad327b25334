/** What of the exchanges counts towards quotas, and which of them used what nobody counted. Pure. */
import type { CompletionEvent, Op } from './usage-event.ts';

/** Only messages are counted and turned away: counting tokens and listing models is free. */
export const isCharged = (op: Op): boolean => op === 'stream' || op === 'nonstream';

/** Whether anything was sent upstream. What the proxy refused by itself has no attempt, and is not `ok`. */
export const wasTried = (attempts: number, reason: CompletionEvent['reason']): boolean =>
  attempts > 0 || reason === 'ok';

/** The status of a client that left before there was one: the code that nginx made customary. */
export const CLIENT_LEFT = 499;

/** The status of an exchange whose upstream was not waited for any longer, where the client had been sent nothing. */
export const GAVE_UP = 504;

/**
 * Whether an upstream may have worked for a message and nobody knows for how many tokens: it answered with a 2xx that did
 * not say, or broke off before it said the last of it, or the client left, or we gave up, before it answered. A stream
 * tells its count at its end: what it told before is the least that it took, and zeros are no count (Z.AI begins with them).
 * Such an exchange is not known to be free. One that was refused with a status of its own is, also where the rest of that
 * refusal did not come.
 */
export const isUncounted = ({
  op,
  status,
  reason,
  attempts,
  tokens,
}: {
  readonly op: Op;
  readonly status: number;
  readonly reason: CompletionEvent['reason'];
  /** How many there were. */
  readonly attempts: number;
  /** How many it told of, of all kinds. */
  readonly tokens: number;
}): boolean => {
  if (!isCharged(op) || !wasTried(attempts, reason)) return false;
  if (isSuccess(status)) return tokens === 0 || (op === 'stream' && reason !== 'ok');
  return (
    (status === CLIENT_LEFT && reason === 'client_abort') || (status === GAVE_UP && reason === 'timeout')
  );
};

/** Whether a status says that the upstream did what was asked. */
export const isSuccess = (status: number): boolean => status >= 200 && status < 300;
