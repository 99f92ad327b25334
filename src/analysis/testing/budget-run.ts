/** A made-up run of a proxy with a budget of two requests, killed once, in which all is as it should be. */
import type { Evidence } from '../evidence.ts';
import { type Mutable, runOf } from './green-run.ts';
import { BEGIN, JSON_HEADERS, type Made, make } from './made-exchange.ts';

const ANSWER = JSON.stringify({
  type: 'message',
  model: 'claude-haiku-4-5',
  usage: { input_tokens: 1, output_tokens: 1 },
});
const answered = (provider: 'anth' | 'zai') => ({
  provider,
  status: 200,
  headers: JSON_HEADERS,
  body: ANSWER,
});

/** When the lane opens again: a minute after the run began. Stated in UTC+8, as Z.AI does. */
const RESET = new Date(BEGIN + 60_000 + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
const usedUp = {
  provider: 'zai',
  status: 429,
  headers: JSON_HEADERS,
  body: JSON.stringify({
    type: 'error',
    error: {
      type: 'rate_limit_error',
      code: '1308',
      message: `Usage limit reached for 5 hour. Your limit will reset at ${RESET}`,
    },
  }),
} as const;

const haiku = {
  model: 'claude-haiku-4-5',
  op: 'nonstream',
  tokens: { input: 1, output: 1, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 },
} as const;

const passes = (rid: string, at: number): Made =>
  make({ ...haiku, rid, at, hops: [answered('zai')], record: { decision: 'to_zai', reason: 'ok' } });

const turnedAway = (rid: string, at: number, decision: 'quota_block' | 'cooldown'): Made =>
  make({
    ...haiku,
    rid,
    at,
    hops: [answered('anth')],
    record: { decision, reason: 'ok' },
    decision,
    expected: decision,
  });

const limited = (rid: string, at: number): Made =>
  make({
    ...haiku,
    rid,
    at,
    hops: [usedUp, answered('anth')],
    record: { decision: 'fallback_limit', reason: 'ok' },
    decision: 'quota_warn_attempt',
    expected: 'fallback_limit',
  });

const warned = (rid: string, at: number): Made =>
  make({
    ...haiku,
    rid,
    at,
    hops: [answered('zai')],
    record: { decision: 'quota_warn_attempt', reason: 'ok' },
    decision: 'quota_warn_attempt',
    expected: 'quota_warn_attempt',
  });

const sonnet = { model: 'claude-sonnet-5', op: 'nonstream', tokens: haiku.tokens } as const;

/** What a proxy says that has used a budget of one up, a minute after that was used. */
export const STOPPED = {
  status: 429,
  headers: [...JSON_HEADERS, ['retry-after', String(5 * 3600 - 1)], ['x-should-retry', 'false']],
  body: '{"type":"error","error":{"type":"billing_error","message":"used up"}}',
} as const;

/** Of two that came at once one passes a budget that nobody takes over from, and one is refused by the proxy itself. */
export function hardBudgetRun(
  alter: (evidence: Mutable<Evidence>) => unknown = () => undefined,
): Mutable<Evidence> {
  const passed = make({
    ...sonnet,
    rid: 'passed',
    at: 0,
    hops: [answered('anth')],
    record: { decision: 'to_anthropic', reason: 'ok' },
  });
  const { tokens: _, ...untold } = sonnet;
  const refused = make({
    ...untold,
    rid: 'refused',
    at: 10,
    hops: [{ provider: 'anth', ...STOPPED }],
    record: { decision: 'quota_block', reason: 'blocked', err_type: 'limit', attempts: [] },
    decision: 'quota_block',
  });
  return runOf([passed, { ...refused, upstream: [] }], (evidence) => {
    const [life] = evidence.lives;
    if (life === undefined) throw new Error('the run has no life');
    evidence.lives = [{ ...life, quota: { lane: 'anthropic', model: 'sonnet', requests: 1, mode: 'block' } }];
    alter(evidence);
  });
}

/** Two pass, one is blocked; then, in mode `hybrid`, one more passes, one meets the lane's own limit, one is kept back. */
export function budgetRun(
  alter: (evidence: Mutable<Evidence>) => unknown = () => undefined,
): Mutable<Evidence> {
  const exchanges = [
    passes('first', 0),
    passes('second', 1_000),
    turnedAway('third', 2_000, 'quota_block'),
    warned('fourth', 12_000),
    limited('fifth', 13_000),
    turnedAway('sixth', 14_000, 'cooldown'),
  ];
  return runOf(exchanges, (evidence) => {
    const [life] = evidence.lives;
    if (life === undefined) throw new Error('the run has no life');
    const quota = { lane: 'zai', model: 'haiku', requests: 2 };
    evidence.lives = [
      { ...life, stage: 'block', quota: { ...quota, mode: 'block' } },
      { ...life, stage: 'hybrid', quota: { ...quota, mode: 'hybrid' }, startedAt: BEGIN + 10_000, pid: 2 },
    ];
    evidence.crashes = [
      {
        killedAt: BEGIN + 9_000,
        load: { answered: 3, least: 3, bad: [] },
        logged: 3,
        acknowledged: 3,
        unlogged: [],
        rows: 2,
        integrity: 'ok',
        shell: { said: 'ok' },
        // It ended a moment before the kill.
        missing: [{ rid: 'third', ts: BEGIN + 8_900 }],
        doubled: [],
        rebuilt: { said: 2, counted: 2 },
        slopes: { ms: 60_000, rssMbPerMinute: 0.2, filesPerMinute: 0, rssMb: 90, files: 40 },
      },
    ];
    alter(evidence);
  });
}
