import type { Transcript } from '../../protocol/transcript.ts';
import type { Check, Violation } from '../check.ts';
import { about, clientLeft } from '../check-kit.ts';
import type { Evidence } from '../evidence.ts';
import { accountOf, type Exchange } from '../exchanges.ts';
import { excuse, latenessBetween } from '../stalls.ts';
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
    // One that may be slow for the machine's reasons alone has no vote on whether most were slow, for neither side.
    const silent = judged.filter((exchange) => isSilent(exchange, evidence));
    const late = byUpstream(judged.filter((one) => !silent.includes(one))).flatMap(judgeTogether);
    const excused = late.filter((one) => isExcused(one, evidence));
    const unsure = new Set([...silent, ...excused.map(({ exchange }) => exchange)]);
    return {
      // Late for the machine's reasons is not late for the proxy's, and not in time either.
      observed: judged.length - unsure.size,
      violations: late.filter((one) => !excused.includes(one)).map(ranOn),
      ...(left.length === 0 && { skipped: 'no client of this run left on purpose' }),
      ...(unsure.size > 0 && {
        note: excuse(unsure.size, Math.max(...[...unsure].map((exchange) => latenessOf(exchange, evidence)))),
      }),
    };
  },
};

/** Whether the machine was as late as all of it that took longer than it may. */
function isSilent(exchange: Exchange, evidence: Evidence): boolean {
  const late = lateIn(exchange, CANCEL_MS);
  return late.length > 0 && late.every((one) => isExcused(one, evidence));
}

const isExcused = ({ exchange, ms, limitMs }: Late, evidence: Evidence): boolean =>
  ms <= limitMs + latenessOf(exchange, evidence);

const latenessOf = ({ client, upstream }: Exchange, evidence: Evidence): number =>
  latenessBetween(evidence, endOf(client), Math.max(...upstream.map(endOf)));

function byUpstream(exchanges: readonly Exchange[]): Exchange[][] {
  return [...Map.groupBy(exchanges, ({ upstream }) => upstream[0]?.observer).values()];
}

interface Late {
  readonly exchange: Exchange;
  readonly upstream: Transcript;
  readonly ms: number;
  readonly limitMs: number;
}

/** A busy machine lets one of several run on for a little; a proxy that does not cancel, most of them, or for long. */
function judgeTogether(exchanges: readonly Exchange[]): Late[] {
  const slow = exchanges.filter((exchange) => lateIn(exchange, CANCEL_MS).length > 0);
  const most = slow.length * 2 > exchanges.length;
  return slow.flatMap((exchange) => lateIn(exchange, most ? CANCEL_MS : LIMIT_MS));
}

function lateIn(exchange: Exchange, limitMs: number): Late[] {
  return exchange.upstream
    .map((upstream) => ({ exchange, upstream, ms: endOf(upstream) - endOf(exchange.client), limitMs }))
    .filter(({ ms }) => ms > limitMs);
}

const ranOn = ({ exchange, upstream, ms, limitMs }: Late): Violation =>
  about(exchange, 'the upstream ran on after the client had left', {
    expected: `ended within ${limitMs} ms`,
    saw: { [upstream.observer]: `ended after ${Math.round(ms)} ms (${upstream.ending})` },
  });

export const ABORT_CHECKS: readonly Check[] = [upstreamCancelled];
