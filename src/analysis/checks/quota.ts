import type { GivenQuota } from '../../protocol/witness.ts';
import type { Check, Finding, Violation } from '../check.ts';
import { about, completionOf, pointersTo } from '../check-kit.ts';
import type { Evidence, ProxyLife } from '../evidence.ts';
import { accountOf, type Exchange } from '../exchanges.ts';
import { isJsonObject, parseJson } from '../json.ts';
import { isDuring } from '../lives.ts';
import { decodedBody } from '../oracle/answer.ts';
import { limitOf } from '../stated-limit.ts';
import { endOf, laneOf, requestFacts, valueOf } from '../wire.ts';

const NO_STOP = 'the run gave the target no budget that stops anything';
/** A rolling window where the quotas file says nothing else (contract, section 6). */
const WINDOW_MS = 5 * 3_600_000;

const NO_BUDGET = 'the run gave the target no budget';

const budget: Check = {
  id: 'QUOTA-01',
  title:
    'Each lane got as many requests as its budget holds, also at once; what was blocked went on, or nowhere, and says so',
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
  /** When the oldest of those that the lane had got leaves the window, epoch milliseconds; null where it had got none. */
  readonly opensAt: number | null;
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
  let opensAt: number | null = null;
  return inOrder.flatMap((exchange) => {
    const life = evidence.lives.find((one) => isDuring(evidence, one, exchange.client.startedAt));
    const reached = exchange.upstream.some(({ observer }) => laneOf(observer) === quota.lane);
    const one = life && { exchange, life, before, reached, opensAt };
    if (reached) before += 1;
    if (reached) opensAt ??= endOf(exchange.client) + WINDOW_MS;
    return one === undefined || !isSame(one.life.quota, quota) ? [] : one;
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
  const isStopped = said === 'quota_block' && upstream.length === 0 && !hasHeir(lane);
  // Which of those that were sent at once find room, nobody can say beforehand; how many do is counted.
  if (isStopped && life.quota?.mode === 'block' && probe?.expectedDecision === undefined) return [];
  if (said !== expected)
    return [about(exchange, `in mode ${life.quota?.mode} its record says something else`, { expected, saw })];
  const turnedAway = said === 'quota_block' || said === 'cooldown';
  if (turnedAway && reached)
    return [about(exchange, `is called ${said}, and ${lane} got it`, { expected: 'anth', saw })];
  if (turnedAway && upstream.length === 0 && !isStopped)
    return [about(exchange, `is called ${said}, and went nowhere`, { expected: 'anth', saw })];
  // The first decision of what was turned away before it was sent is the last one.
  const first = decisions.at(-1)?.decision;
  return turnedAway && first !== said
    ? [about(exchange, 'its decision line says something else', { expected, saw: { log: String(first) } })]
    : [];
}

/** Whether somebody else may take over what a lane does not take: nobody has the login of Anthropic's clients. */
const hasHeir = (lane: string): boolean => lane !== 'anthropic';

const stopped: Check = {
  id: 'QUOTA-03',
  title:
    'What a budget stopped and nobody else takes got 429 billing_error, the time to come back, and no invitation to retry',
  // Requests that went nowhere.
  least: 1,
  needs: ['upstream', 'proxy'],
  judge(evidence) {
    const finding = overBudget(evidence, (own, quota) => {
      if (hasHeir(quota.lane)) return { observed: 0, violations: [] };
      const refused = own.filter(({ exchange }) => completionOf(exchange)?.decision === 'quota_block');
      return {
        observed: refused.length,
        violations: refused.flatMap(({ exchange, opensAt }) => misrefused(exchange, opensAt)),
      };
    });
    const applies = evidence.lives.some(({ quota }) => quota !== null && !hasHeir(quota.lane));
    return evidence.lives.length === 0 || applies ? finding : { ...finding, skipped: NO_STOP };
  },
};

/** `retry-after` is in whole seconds, and what it counts from ended a moment before anybody could see it end. */
const RETRY_SLACK_S = 10;

function misrefused(exchange: Exchange, opensAt: number | null): Violation[] {
  const { client, upstream } = exchange;
  const { status, headers = [] } = client.response ?? {};
  const body = parseJson(decodedBody(client)?.toString('utf8') ?? '');
  const error = isJsonObject(body) && isJsonObject(body['error']) ? body['error'] : {};
  const wait = valueOf(headers, 'retry-after');
  const due = opensAt === null ? null : Math.ceil((opensAt - client.startedAt) / 1000);
  const claims: [isWrong: boolean, what: string, expected: string, saw: unknown][] = [
    [upstream.length > 0, 'was blocked, and sent', 'no upstream', upstream.length],
    [status !== 429, 'was not answered with 429', '429', status],
    [
      !isJsonObject(body) || body['type'] !== 'error',
      "is not in the shape of Anthropic's errors",
      'type error',
      typeof body,
    ],
    [error['type'] !== 'billing_error', 'names another error', 'billing_error', error['type']],
    [
      typeof error['message'] !== 'string' || error['message'] === '',
      'does not say why',
      'a message',
      error['message'],
    ],
    [
      valueOf(headers, 'x-should-retry') !== 'false',
      'invites to retry',
      'x-should-retry: false',
      valueOf(headers, 'x-should-retry'),
    ],
    [!isWhen(wait, due), 'does not say when to come back', `retry-after: ${due}`, wait],
  ];
  return claims
    .filter(([isWrong]) => isWrong)
    .map(([, what, expected, saw]) => about(exchange, what, { expected, saw: { client: String(saw) } }));
}

const isWhen = (stated: string | undefined, due: number | null): boolean =>
  stated !== undefined &&
  /^[1-9]\d*$/.test(stated) &&
  due !== null &&
  Math.abs(Number(stated) - due) <= RETRY_SLACK_S;

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
  const given = evidence.lives.flatMap(({ quota }) => quota ?? []);
  if (given.length === 0)
    return { observed: 0, violations: [], ...(evidence.lives.length > 0 && { skipped: NO_BUDGET }) };
  const budgets = given.filter((quota, index) => given.findIndex((one) => isSame(one, quota)) === index);
  const findings = budgets.map((quota) => judge(budgeted(evidence, quota), quota));
  return {
    observed: findings.reduce((sum, { observed }) => sum + observed, 0),
    violations: findings.flatMap(({ violations }) => violations),
  };
}

const isSame = (one: GivenQuota | null, other: GivenQuota): boolean =>
  one?.lane === other.lane && one.model === other.model;

export const QUOTA_CHECKS: readonly Check[] = [budget, cooldown, stopped];
