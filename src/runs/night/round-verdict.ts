/** What a round of a night came to: its verdict, and how many exchanges each witness has of it. */
import { mostAtOnce } from '../../analysis/at-once.ts';
import type { Check } from '../../analysis/check.ts';
import { accountOf } from '../../analysis/exchanges.ts';
import type { RoundAccount } from '../../protocol/witness.ts';
import { judgeRun, outcomeOf } from '../judge.ts';
import type { StoredRun } from '../stored/stored-run.ts';

/** Judges all that is stored of a leg so far, as `ccp-uat report` does with one that was kept. */
export function verdictOn(stored: StoredRun, checks: readonly Check[]): RoundAccount['verdict'] {
  const verdicts = judgeRun(stored, checks);
  return {
    outcome: outcomeOf(verdicts),
    passed: verdicts.flatMap(({ id, outcome }) => (outcome === 'pass' ? [id] : [])),
    red: verdicts
      .filter(({ outcome }) => outcome !== 'pass' && outcome !== 'skipped')
      .map(({ id, outcome, violations, note = '' }) => ({ id, outcome, what: violations[0]?.what ?? note })),
  };
}

export type Counts = Pick<RoundAccount, 'witnesses' | 'spoken'>;

/** Before the first round. */
export const NO_COUNTS: Counts = {
  witnesses: { client: 0, logged: 0, stored: 0, attempts: 0, upstream: 0 },
  spoken: { h1: 0, h2: 0 },
};

/** How often each witness has seen an exchange, or an attempt at an upstream, in all of a leg. */
export function countsOf({ evidence, plan }: Pick<StoredRun, 'evidence' | 'plan'>): Counts {
  const { exchanges, strayUpstream } = accountOf(evidence);
  const seen = [...exchanges.flatMap(({ upstream }) => upstream), ...strayUpstream];
  const completions = evidence.usage.events.filter((event) => event.event === 'completion');
  const { store } = evidence;
  const h2 = seen.filter(({ http }) => http === '2').length;
  return {
    witnesses: {
      client: exchanges.length,
      logged: completions.length,
      stored: store.kind === 'none' ? null : store.kind === 'read' ? store.rows.length : 0,
      attempts: completions.reduce((sum, { attempts }) => sum + attempts.length, 0),
      upstream: plan.upstream === 'mock' ? seen.length : null,
    },
    spoken: { h1: seen.length - h2, h2 },
  };
}

/** Clients that wait beside each other for less may have had answers that did not last. */
const WAITING_MS = 200;
/** More than the witnesses of two ends can be apart: of a proxy that takes turns the upstreams never have two. */
const MEETING_MS = 20;

/**
 * How many exchanges were under way at the same time in the round that began at `from` (epoch milliseconds). Of each the
 * upstream that answered: neither its other attempts nor the proxy's own questions who is there are work for another client.
 */
export function atOnceIn(
  { evidence, plan }: Pick<StoredRun, 'evidence' | 'plan'>,
  from: number,
): RoundAccount['atOnce'] {
  const inRound = accountOf(evidence).exchanges.filter(({ client }) => client.startedAt >= from);
  const answered = inRound.flatMap((exchange) => exchange.answered ?? []);
  return {
    client: mostAtOnce(
      inRound.map(({ client }) => client),
      WAITING_MS,
    ),
    upstream: plan.upstream === 'mock' ? mostAtOnce(answered, MEETING_MS) : null,
  };
}

/** Never below nothing: a round that is judged again with those after it may find less than before, and that is told there. */
export function minus({ witnesses, spoken }: Counts, before: Counts): Counts {
  const less = (a: number, b: number): number => Math.max(0, a - b);
  const { client, logged, stored, attempts, upstream } = witnesses;
  return {
    witnesses: {
      client: less(client, before.witnesses.client),
      logged: less(logged, before.witnesses.logged),
      stored: stored === null ? null : less(stored, before.witnesses.stored ?? 0),
      attempts: less(attempts, before.witnesses.attempts),
      upstream: upstream === null ? null : less(upstream, before.witnesses.upstream ?? 0),
    },
    spoken: { h1: less(spoken.h1, before.spoken.h1), h2: less(spoken.h2, before.spoken.h2) },
  };
}
