import type { GivenQuota } from '../../protocol/witness.ts';
import type { Check, Finding, Violation } from '../check.ts';
import { about, completionOf, pointersTo } from '../check-kit.ts';
import type { Evidence, ProxyLife } from '../evidence.ts';
import { accountOf, type Exchange } from '../exchanges.ts';
import { isDuring } from '../lives.ts';
import { limitOf } from '../stated-limit.ts';
import { endOf, laneOf, requestFacts } from '../wire.ts';

const NO_BUDGET = 'the run gave the target no budget';

const budget: Check = {
  id: 'QUOTA-01',
  title: 'The lane got as many requests as its budget holds, and what was blocked went on and says so',
  // Requests that the budget is for.
  least: 2,
  needs: ['upstream', 'proxy'],
  judge: (evidence) =>
    overBudget(evidence, (own, quota) => {
      const gated = own.filter(({ life }) => life.quota?.mode === 'block');
      return {
        observed: own.length,
        violations: [...overrun(gated, own, quota), ...own.flatMap((one) => misjudged(one, quota))],
      };
    }),
};

interface Budgeted {
  readonly exchange: Exchange;
  readonly life: ProxyLife;
  /** How many requests of the budget its lane had got before, of all lives. */
  readonly before: number;
  readonly reached: boolean;
}

/** What the budget is for, in the order in which it was asked. */
function budgeted(evidence: Evidence, quota: GivenQuota): Budgeted[] {
  const inOrder = accountOf(evidence)
    .exchanges.filter(
      ({ client }) =>
        requestFacts(client).op === 'messages' && requestFacts(client).model?.includes(quota.model),
    )
    .toSorted((a, b) => a.client.startedAt - b.client.startedAt);
  let before = 0;
  return inOrder.flatMap((exchange) => {
    const life = evidence.lives.find((one) => isDuring(evidence, one, exchange.client.startedAt));
    const reached = exchange.upstream.some(({ observer }) => laneOf(observer) === quota.lane);
    const one = life && { exchange, life, before, reached };
    if (reached) before += 1;
    return one ?? [];
  });
}

/** In mode `block` the window holds so many, not one more and not one less. */
function overrun(
  gated: readonly Budgeted[],
  all: readonly Budgeted[],
  { requests, lane }: GivenQuota,
): Violation[] {
  const [first] = gated;
  if (first === undefined) return [];
  const reached = gated.filter((one) => one.reached).length;
  const expected = Math.min(gated.length, Math.max(0, requests - first.before));
  if (reached === expected) return [];
  return [
    {
      what: `the lane ${lane} got ${reached > expected ? 'more' : 'fewer'} requests than its budget holds`,
      expected: `${expected} of ${gated.length}, as ${first.before} of ${requests} had been used`,
      saw: { [lane]: String(reached) },
      pointers: all.filter((one) => one.reached).flatMap(({ exchange }) => pointersTo(exchange)),
    },
  ];
}

function misjudged({ exchange, reached, life }: Budgeted, { lane }: GivenQuota): Violation[] {
  const { upstream, decisions, probe } = exchange;
  const said = completionOf(exchange)?.decision;
  const saw = { log: said ?? 'no record', upstream: upstream.map(({ observer }) => observer).join(', ') };
  const expected = probe?.expectedDecision ?? `to_${lane}`;
  if (said !== expected)
    return [about(exchange, `in mode ${life.quota?.mode} its record says something else`, { expected, saw })];
  const turnedAway = said === 'quota_block' || said === 'cooldown';
  if (turnedAway && reached)
    return [about(exchange, `is called ${said}, and ${lane} got it`, { expected: 'anth', saw })];
  if (turnedAway && upstream.length === 0)
    return [about(exchange, `is called ${said}, and went nowhere`, { expected: 'anth', saw })];
  // The first decision of what was turned away before it was sent is the last one.
  const first = decisions.at(-1)?.decision;
  return turnedAway && first !== said
    ? [about(exchange, 'its decision line says something else', { expected, saw: { log: String(first) } })]
    : [];
}

const cooldown: Check = {
  id: 'QUOTA-02',
  title: 'A lane that stated its limit is left alone until the reset that it stated, and no longer',
  // Requests while it cools down.
  least: 1,
  needs: ['upstream', 'proxy'],
  judge: (evidence) =>
    overBudget(evidence, (own, { lane }) => {
      const limited = own.flatMap(({ exchange }) => coolingTime(exchange, lane));
      const judged = own.filter(({ exchange }) => cooling(exchange, limited) !== 'unclear');
      const violations = judged.flatMap(({ exchange, reached }) => {
        const isCooling = cooling(exchange, limited) === 'yes';
        const saidSo = completionOf(exchange)?.decision === 'cooldown';
        if (isCooling && reached)
          return [about(exchange, `${lane} got it before the reset that it had stated`)];
        if (isCooling && !saidSo) return [about(exchange, 'was kept back, and not for the cooldown')];
        return !isCooling && saidSo
          ? [about(exchange, `was kept from ${lane}, which had stated no limit until then`)]
          : [];
      });
      return {
        observed: judged.filter(({ exchange }) => cooling(exchange, limited) === 'yes').length,
        violations,
      };
    }),
};

interface CoolingTime {
  readonly from: number;
  readonly until: number;
}

function coolingTime({ upstream }: Exchange, lane: string): CoolingTime[] {
  return upstream.flatMap((transcript) => {
    const until = laneOf(transcript.observer) === lane ? limitOf(transcript)?.resetsAt : null;
    return typeof until === 'number' ? [{ from: endOf(transcript), until }] : [];
  });
}

/** Stamps are whole seconds, and a request that began beside the limit may have been decided on before it. */
const SLACK_MS = 1_000;

function cooling({ client }: Exchange, limits: readonly CoolingTime[]): 'yes' | 'no' | 'unclear' {
  const { startedAt: at } = client;
  if (limits.some(({ from, until }) => at > from && at < until - SLACK_MS)) return 'yes';
  return limits.some(({ from, until }) => endOf(client) >= from && at <= until + SLACK_MS) ? 'unclear' : 'no';
}

function overBudget(
  evidence: Evidence,
  judge: (own: readonly Budgeted[], quota: GivenQuota) => Finding,
): Finding {
  const quota = evidence.lives.find((life) => life.quota !== null)?.quota ?? null;
  if (quota === null)
    return { observed: 0, violations: [], ...(evidence.lives.length > 0 && { skipped: NO_BUDGET }) };
  return judge(budgeted(evidence, quota), quota);
}

export const QUOTA_CHECKS: readonly Check[] = [budget, cooldown];
