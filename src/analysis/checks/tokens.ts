import type { Tokens } from '../../protocol/usage-event.ts';
import type { Check, Violation } from '../check.ts';
import { type Answered, about, answeredExchanges, completionOf } from '../check-kit.ts';
import type { ProbeResult } from '../evidence.ts';
import { answerOf } from '../oracle/answer.ts';
import { tokensOf } from '../oracle/tokens.ts';
import { requestFacts } from '../wire.ts';

const NONE: Tokens = { input: 0, output: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 };
const KINDS = ['input', 'output', 'cache_read', 'cache_write_5m', 'cache_write_1h'] as const;

const isMessage = ({ client }: Answered): boolean => requestFacts(client).op === 'messages';

/** What the upstream stated; undefined where it stated nothing. */
const stated = ({ answered }: Answered): Tokens | undefined => tokensOf(answerOf(answered));

const logAgrees: Check = {
  id: 'TOKENS-01',
  title: 'Token counts in the log equal what the upstream sent',
  least: 1,
  needs: ['upstream', 'proxy'],
  judge(evidence) {
    const judged = answeredExchanges(evidence).filter(
      (exchange) => isMessage(exchange) && completionOf(exchange) !== undefined,
    );
    const observed = judged.filter((exchange) => stated(exchange) !== undefined).length;
    return { observed, violations: judged.flatMap(miscounted) };
  },
};

function miscounted(exchange: Answered): Violation[] {
  const logged = completionOf(exchange)?.tokens ?? NONE;
  const sent = stated(exchange) ?? NONE;
  // Of a stream that ended early the proxy may have read less than was sent, never more.
  const whole = exchange.answered.ending === 'complete' && exchange.client.ending === 'complete';
  const wrong = KINDS.filter((kind) => (whole ? logged[kind] !== sent[kind] : logged[kind] > sent[kind]));
  if (wrong.length === 0) return [];
  const show = (tokens: Tokens) => wrong.map((kind) => `${kind}=${tokens[kind]}`).join(' ');
  const saw = { [exchange.answered.observer]: show(sent), log: show(logged) };
  return [
    about(exchange, 'the log counts other tokens than the upstream sent', { expected: show(sent), saw }),
  ];
}

const clientAgrees: Check = {
  id: 'TOKENS-02',
  title: "The client's own token counts equal what the upstream sent",
  least: 1,
  needs: ['upstream'],
  judge(evidence) {
    const answered = answeredExchanges(evidence).filter(isMessage);
    // Over several requests the client's total depends on which of them it kept; one request leaves no choice.
    const judged = evidence.probes.flatMap((probe) => {
      const own = answered.filter((exchange) => exchange.probe === probe);
      const [only] = own;
      return probe.ok && probe.tokens && only && own.length === 1 ? [{ probe, exchange: only }] : [];
    });
    const skipped = 'no client of this run reports token counts';
    return {
      observed: judged.length,
      violations: judged.flatMap(({ probe, exchange }) => otherView(probe, exchange)),
      ...(evidence.probes.length > 0 &&
        evidence.probes.every(({ tokens }) => tokens === undefined) && { skipped }),
    };
  },
};

function otherView({ tokens }: ProbeResult, exchange: Answered): Violation[] {
  const sent = stated(exchange) ?? NONE;
  const expected = {
    input: sent.input,
    output: sent.output,
    cacheRead: sent.cache_read,
    cacheWrite: sent.cache_write_5m + sent.cache_write_1h,
  };
  const kinds = ['input', 'output', 'cacheRead', 'cacheWrite'] as const;
  const wrong = kinds.filter((kind) => tokens?.[kind] !== expected[kind]);
  if (wrong.length === 0) return [];
  const saw = {
    [exchange.answered.observer]: wrong.map((kind) => `${kind}=${expected[kind]}`).join(' '),
    client: wrong.map((kind) => `${kind}=${tokens?.[kind]}`).join(' '),
  };
  return [about(exchange, 'the client counts other tokens than the upstream sent', { saw })];
}

export const TOKENS_CHECKS: readonly Check[] = [logAgrees, clientAgrees];
