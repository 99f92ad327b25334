import type { Check, Violation } from '../check.ts';
import { about, clientLeft } from '../check-kit.ts';
import { accountOf, type Exchange } from '../exchanges.ts';
import { endOf } from '../wire.ts';

/** The promise of the proxy: a client that leaves cancels the upstream within this. */
const CANCEL_MS = 100;

const upstreamCancelled: Check = {
  id: 'ABORT-01',
  title: 'A client that left ended its upstream exchange within 100 ms',
  least: 1,
  needs: ['upstream'],
  judge(evidence) {
    const left = accountOf(evidence).exchanges.filter(clientLeft);
    // An answer that had ended before leaves nothing to cancel.
    const judged = left.filter(({ client, upstream }) => upstream.some((one) => endOf(one) > endOf(client)));
    return {
      observed: judged.length,
      violations: byUpstream(judged).flatMap(mostRanOn),
      ...(left.length === 0 && { skipped: 'no client of this run left on purpose' }),
    };
  },
};

function byUpstream(exchanges: readonly Exchange[]): Exchange[][] {
  return [...Map.groupBy(exchanges, ({ upstream }) => upstream[0]?.observer).values()];
}

/** A busy machine lets one of several run on; a proxy that does not cancel, all of them. */
function mostRanOn(exchanges: readonly Exchange[]): Violation[] {
  const ran = exchanges.map(ranOn).filter((violations) => violations.length > 0);
  return ran.length * 2 > exchanges.length ? ran.flat() : [];
}

function ranOn(exchange: Exchange): Violation[] {
  return exchange.upstream
    .map((upstream) => ({ upstream, ms: Math.round(endOf(upstream) - endOf(exchange.client)) }))
    .filter(({ ms }) => ms > CANCEL_MS)
    .map(({ upstream, ms }) =>
      about(exchange, 'the upstream ran on after the client had left', {
        expected: `ended within ${CANCEL_MS} ms`,
        saw: { [upstream.observer]: `ended after ${ms} ms (${upstream.ending})` },
      }),
    );
}

export const ABORT_CHECKS: readonly Check[] = [upstreamCancelled];
