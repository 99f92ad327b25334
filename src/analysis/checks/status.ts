import type { HeaderPairs } from '../../protocol/transcript.ts';
import type { Check, Violation } from '../check.ts';
import { type Answered, about, answeredExchanges, isWithheld } from '../check-kit.ts';
import { differingBodies } from '../differing-bodies.ts';
import { endToEnd, valuesOf } from '../wire.ts';

const asSent: Check = {
  id: 'STATUS-01',
  title: 'Status, error body and response headers reach the client as the upstream sent them',
  least: 1,
  needs: ['upstream'],
  judge(evidence) {
    const judged = answeredExchanges(evidence).filter(
      (exchange) =>
        exchange.answered.ending === 'complete' &&
        exchange.client.response !== undefined &&
        !isWithheld(exchange),
    );
    return { observed: judged.length, violations: judged.flatMap(judgeAnswer) };
  },
};

function judgeAnswer(exchange: Answered): Violation[] {
  const sent = exchange.answered.response;
  const got = exchange.client.response;
  if (got === undefined) return [];
  const violations: Violation[] = [];
  if (got.status !== sent.status) {
    const saw = { [exchange.answered.observer]: String(sent.status), client: String(got.status) };
    violations.push(about(exchange, 'the status arrived changed', { expected: String(sent.status), saw }));
  }
  if (sent.status >= 400 && exchange.client.ending === 'complete' && got.body.sha256 !== sent.body.sha256) {
    const [before, after] = differingBodies(exchange.answered, exchange.client);
    const saw = { [exchange.answered.observer]: before, client: after };
    violations.push(about(exchange, 'the error body arrived changed', { saw }));
  }
  for (const name of differingHeaders(sent.headers, got.headers)) {
    violations.push(about(exchange, `the response header ${name} did not arrive as sent`));
  }
  return violations;
}

/** Set by whoever frames the message or stamps it: a proxy over another protocol version has its own. */
const PER_HOP = new Set(['content-length', 'date']);

/** Names of end-to-end headers that differ, were added or were lost. Order between names carries no meaning. */
function differingHeaders(sent: HeaderPairs, got: HeaderPairs): string[] {
  const [before, after] = [endToEnd(sent), endToEnd(got)];
  const names = new Set([...before, ...after].map(([name]) => name.toLowerCase()));
  return [...names].filter((name) => !PER_HOP.has(name) && joined(before, name) !== joined(after, name));
}

/** Null where the header is absent, which differs from an empty one. */
function joined(headers: HeaderPairs, name: string): string | null {
  const values = valuesOf(headers, name);
  return values.length === 0 ? null : values.join(', ');
}

export const STATUS_CHECKS: readonly Check[] = [asSent];
