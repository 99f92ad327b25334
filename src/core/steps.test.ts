import { describe, expect, it } from 'vitest';
import type { UpstreamError } from '../protocol/upstream-error.ts';
import { type Failure, firstStep, mayGoOn, nextStep, type Step, type StepPolicy } from './steps.ts';
import { ANTH, keyed } from './testing/providers.ts';

const ALL: StepPolicy = { fallback: new Set(['auth', 'limit', 'overload', 'net']), backoff: false };
const NONE: StepPolicy = { fallback: new Set(), backoff: false };
const PATIENT: StepPolicy = { ...ALL, backoff: true };

const toZai = (): Step => firstStep({ provider: keyed(), decision: 'to_zai', alternatives: [ANTH] });
const toAnth = (): Step => firstStep({ provider: ANTH, decision: 'to_anthropic', alternatives: [] });

const failure = (facts: Partial<Failure>): Failure => ({
  errType: 'net',
  cause: 'net',
  unprocessed: false,
  message: 'made up',
  ...facts,
});
const waits = (retryAfterMs: number): UpstreamError => ({
  kind: 'throttle',
  errType: 'limit',
  cause: 'limit',
  retryAfterMs,
});
const throttled = (retryAfterMs?: number): Failure =>
  failure({
    errType: 'limit',
    cause: 'limit',
    status: 429,
    ...(retryAfterMs !== undefined && { upstream: waits(retryAfterMs) }),
  });

/** All steps until nothing is left to try, each failing alike. */
function exhaust(first: Step, failed: Failure, policy: StepPolicy): string[] {
  const taken: string[] = [];
  for (let step: Step | null = first; step !== null; step = nextStep(step, failed, policy)) {
    const { auth, id } = step.provider;
    taken.push(`${id} ${auth.kind === 'key' ? auth.headerMode : 'client'} ${step.decision} +${step.delayMs}`);
    if (taken.length > 10) throw new Error(`no end: ${taken.join(', ')}`);
  }
  return taken;
}

describe('after a failure', () => {
  it.each(['auth', 'limit', 'overload', 'net'] as const)(
    'by %s the next provider takes over, and says why',
    (cause) => {
      expect(nextStep(toZai(), failure({ cause }), ALL)).toMatchObject({
        provider: { id: 'anth' },
        decision: `fallback_${cause}`,
        alternatives: [],
        delayMs: 0,
      });
    },
  );

  it('for which no other lane would do better, nothing follows', () => {
    expect(nextStep(toZai(), failure({ cause: null }), ALL)).toBeNull();
  });

  it('whose cause is not among those wanted, nothing follows', () => {
    expect(nextStep(toZai(), failure({ cause: 'limit' }), { ...ALL, fallback: new Set(['net']) })).toBeNull();
    expect(nextStep(toZai(), failure({}), NONE)).toBeNull();
  });

  it('of the last provider nothing follows', () => {
    expect(nextStep(toAnth(), failure({}), ALL)).toBeNull();
  });
});

describe('401', () => {
  const refused = failure({ errType: 'auth', cause: 'auth', status: 401 });

  it.each([
    ['x-api-key', 'authorization'],
    ['authorization', 'x-api-key'],
  ] as const)('to %s is tried once as %s, then the next provider', (mode, other) => {
    const first = { ...toZai(), provider: keyed(mode) };
    expect(exhaust(first, refused, ALL)).toEqual([
      `zai ${mode} to_zai +0`,
      `zai ${other} to_zai +0`,
      'anth client fallback_auth +0',
    ]);
  });

  it('is tried in the other mode even where nobody may take over', () => {
    expect(exhaust(toZai(), refused, NONE)).toHaveLength(2);
  });

  it('to the client\u2019s own credentials is the client\u2019s business', () => {
    expect(nextStep(toAnth(), refused, ALL)).toBeNull();
  });
});

describe('a request that was provably not processed', () => {
  it('is sent once more to the same provider, and then goes on', () => {
    expect(exhaust(toZai(), failure({ unprocessed: true }), ALL)).toEqual([
      'zai x-api-key to_zai +0',
      'zai x-api-key to_zai +0',
      'anth client fallback_net +0',
      'anth client fallback_net +0',
    ]);
  });
});

describe('a stated wait', () => {
  it.each([0, 10_000])('of %i ms is waited out once on the same lane', (ms) => {
    expect(exhaust(toZai(), throttled(ms), PATIENT)).toEqual([
      'zai x-api-key to_zai +0',
      `zai x-api-key to_zai +${ms}`,
      'anth client fallback_limit +0',
      `anth client fallback_limit +${ms}`,
    ]);
  });

  it('of 503 is waited out too, and of another status is not', () => {
    expect(nextStep(toAnth(), failure({ status: 503, upstream: waits(1) }), PATIENT)?.delayMs).toBe(1);
    expect(nextStep(toAnth(), failure({ status: 500, upstream: waits(1) }), PATIENT)).toBeNull();
  });

  it('of more than 10 s, or of none, is not waited out', () => {
    expect(nextStep(toZai(), throttled(10_001), PATIENT)).toMatchObject({ decision: 'fallback_limit' });
    expect(nextStep(toZai(), throttled(), PATIENT)).toMatchObject({ decision: 'fallback_limit' });
  });

  it('is not waited out unless that is wanted', () => {
    expect(nextStep(toZai(), throttled(1), ALL)).toMatchObject({ decision: 'fallback_limit' });
  });
});

describe('an error answer is worth holding back', () => {
  it.each<[string, boolean, Step, StepPolicy]>([
    ['where another provider may take over', true, toZai(), ALL],
    ['where a wait may help', true, toAnth(), { ...NONE, backoff: true }],
    ['where the other header mode was not tried', true, { ...toZai(), alternatives: [] }, NONE],
    ['not where nothing is left', false, toAnth(), ALL],
    [
      'not where both header modes were tried and no fallback is wanted',
      false,
      { ...toZai(), tried: { replay: false, otherMode: true, backoff: false } },
      NONE,
    ],
  ])('%s', (_when, worth, step, policy) => {
    expect(mayGoOn(step, policy)).toBe(worth);
  });
});
