import type { Check, Violation } from '../check.ts';
import { about, clientLeft } from '../check-kit.ts';
import { accountOf, type Exchange } from '../exchanges.ts';
import { endOf } from '../wire.ts';

/** The promise of the proxy: a client that leaves cancels the upstream within this. */
const CANCEL_MS = 100;
/** No stall of a busy machine takes longer, so no exchange may. */
const LIMIT_MS = 1_000;

const upstreamCancelled: Check = {
  id: 'ABORT-01',
  title: 'Most clients that left ended their upstream exchange within 100 ms, each within 1 s',
  least: 1,
  needs: ['upstream'],
  judge(evidence) {
    const left = accountOf(evidence).exchanges.filter(clientLeft);
    // An answer that had ended before leaves nothing to cancel.
    const judged = left.filter(({ client, upstream }) => upstream.some((one) => endOf(one) > endOf(client)));
    return {
      observed: judged.length,
      violations: byUpstream(judged).flatMap(judgeTogether),
      ...(left.length === 0 && { skipped: 'no client of this run left on purpose' }),
    };
  },
};

function byUpstream(exchanges: readonly Exchange[]): Exchange[][] {
  return [...Map.groupBy(exchanges, ({ upstream }) => upstream[0]?.observer).values()];
}

/** A busy machine lets one of several run on for a little; a proxy that does not cancel, most of them, or for long. */
function judgeTogether(exchanges: readonly Exchange[]): Violation[] {
  const slow = exchanges.filter((exchange) => ranOn(exchange, CANCEL_MS).length > 0);
  const most = slow.length * 2 > exchanges.length;
  return slow.flatMap((exchange) => ranOn(exchange, most ? CANCEL_MS : LIMIT_MS));
}

function ranOn(exchange: Exchange, limitMs: number): Violation[] {
  return exchange.upstream
    .map((upstream) => ({ upstream, ms: Math.round(endOf(upstream) - endOf(exchange.client)) }))
    .filter(({ ms }) => ms > limitMs)
    .map(({ upstream, ms }) =>
      about(exchange, 'the upstream ran on after the client had left', {
        expected: `ended within ${limitMs} ms`,
        saw: { [upstream.observer]: `ended after ${ms} ms (${upstream.ending})` },
      }),
    );
}

export const ABORT_CHECKS: readonly Check[] = [upstreamCancelled];
