import type { CompletionEvent } from '../../protocol/usage-event.ts';
import type { Check, Violation } from '../check.ts';
import { type Answered, about, answeredExchanges, clientLeft, isWithheld } from '../check-kit.ts';
import { isJsonObject } from '../json.ts';
import { answerOf, decodesToItsEnd, isFinished } from '../oracle/answer.ts';

type Reason = CompletionEvent['reason'];

const endings: Check = {
  id: 'RECONCILE-04',
  title: 'The log says how each answer ended: ok for what came whole and well, and for nothing else',
  least: 1,
  needs: ['upstream', 'proxy'],
  judge(evidence) {
    const judged = answeredExchanges(evidence).flatMap((exchange) => {
      const expected = stayed(exchange) ? reasonsFor(exchange) : null;
      return expected === null ? [] : [{ exchange, expected }];
    });
    return { observed: judged.length, violations: judged.flatMap(otherReason) };
  },
};

/** What somebody is told who left, or had no more patience, is no matter of the upstream's. */
const stayed = (exchange: Answered): boolean =>
  !clientLeft(exchange) && exchange.client.ending !== 'timeout' && !isWithheld(exchange);

const CUT: readonly Reason[] = ['upstream_reset', 'truncated', 'stream_timeout', 'timeout', 'upstream_error'];

/** The reasons that fit what the upstream sent; null where its bytes do not tell. */
function reasonsFor({ answered }: Answered): readonly Reason[] | null {
  const { ending, response } = answered;
  if (ending !== 'complete') return CUT;
  if (response.status >= 400) return ['upstream_error'];
  const answer = answerOf(answered);
  if (answer.kind === 'unreadable') return null;
  if (answer.kind === 'whole')
    return isJsonObject(answer.value) && answer.value['type'] === 'error' ? ['upstream_error'] : ['ok'];
  if (answer.events.some(({ type }) => type === 'error')) return ['upstream_error'];
  if (isFinished(answer.events)) return ['ok'];
  // Of what cannot be decoded to its end the proxy need not say that the end is missing.
  return decodesToItsEnd(answered) ? ['truncated'] : null;
}

function otherReason({
  exchange,
  expected,
}: {
  readonly exchange: Answered;
  readonly expected: readonly Reason[];
}): Violation[] {
  return exchange.completions
    .filter(({ reason }) => !expected.includes(reason))
    .map(({ reason }) =>
      about(exchange, 'the log tells another ending than the wire', {
        expected: expected.join(' or '),
        saw: { log: reason, [exchange.answered.observer]: exchange.answered.ending },
      }),
    );
}

export const ENDING_CHECKS: readonly Check[] = [endings];
