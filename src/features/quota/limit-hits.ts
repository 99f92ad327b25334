/** The limits that upstreams really have: what was said of them, what is left alone for it, what it teaches. */
import type { LimitFacts } from '../../core/types.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { Cooldown, LimitHit, MeterStore, Stated } from '../../protocol/meter.ts';
import type { Calibration } from '../../protocol/quota-view.ts';
import type { Budget } from './budget.ts';
import { calibrate, latestOf, teaches } from './calibration.ts';
import { createCooldowns, endOf, holdsAt, isStated } from './cooldowns.ts';
import { createProviderLimits, type ProviderLimitsBook } from './provider-limits.ts';
import type { Retry } from './retry.ts';

export interface LimitHits {
  readonly providerLimits: ProviderLimitsBook;
  /** When the longest cooldown of these keys ends, in epoch milliseconds; null where there is none. */
  coolingUntil(lane: string, keys: readonly string[], now: number): number | null;
  cooldowns(now: number): readonly Cooldown[];
  /** An attempt was refused, for a limit that is kept under `key`; `budget` is the quota of that key, if there is one. */
  hit(limit: LimitFacts, key: string, budget: Budget | undefined): void;
  calibration(lane: string, key: string): Calibration;
  /** Ends the cooldowns of a lane, or of one key of it, or all; gives them. */
  endCooldowns(which: CooldownChoice): readonly Cooldown[];
  /** Takes from the store what earlier processes knew. */
  load(): Promise<void>;
}

/** Left out is any. */
export interface CooldownChoice {
  readonly lane?: string | undefined;
  readonly key?: string | undefined;
}

export interface LimitHitsOptions {
  /** Whether a lane that refused is left alone. */
  readonly coolsDown: boolean;
  readonly store: MeterStore;
  readonly retry: Retry;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keys may be names that a client made up. */
const MAX_REFUSALS = 1000;

export function createLimitHits({ coolsDown, store, retry, clock, log }: LimitHitsOptions): LimitHits {
  const providerLimits = createProviderLimits();
  const cooldowns = createCooldowns();
  // While an upstream refuses, each further refusal of the kind is the same hit: its end, by kind, lane and key.
  const refusals = new Map<string, number>();
  // Of those that teach: by lane and key, which are the operator's quotas.
  const hits = new Map<string, readonly LimitHit[]>();

  /** Says whether an upstream was not refusing already. */
  const isFirst = (id: string, until: number, now: number): boolean => {
    const known = refusals.get(id) ?? 0;
    const goesOn = holdsAt(known, now);
    const [oldest] = refusals.keys();
    if (!refusals.has(id) && refusals.size >= MAX_REFUSALS && oldest !== undefined) refusals.delete(oldest);
    refusals.set(id, goesOn ? Math.max(known, until) : until);
    return !goesOn;
  };

  const learn = (hit: LimitHit): void => {
    if (!teaches(hit)) return;
    const id = idOf(hit.lane, hit.key);
    hits.set(id, latestOf([...(hits.get(id) ?? []), hit]));
  };

  const record = (
    { rid, lane, error }: LimitFacts,
    key: string,
    budget: Budget | undefined,
    now: number,
  ): void => {
    const full = budget?.full(now);
    const since = budget?.warnSince(now) ?? null;
    const hit: LimitHit = {
      rid,
      ts: now,
      lane,
      key,
      kind: kindOf(error),
      rolling_pct: full?.rolling ?? null,
      weekly_pct: full?.weekly ?? null,
      since_warn_s: since === null ? null : Math.max(Math.round((now - since) / 1000), 0),
      resets_at: error.resetsAt ?? null,
    };
    learn(hit);
    store.saveLimitHit(hit);
  };

  const coolDown = (cooldown: Cooldown, now: number, madeUp: boolean): void => {
    if (!cooldowns.set(cooldown, now, madeUp)) return;
    store.saveCooldown(cooldown);
    const { lane, key, until, stated } = cooldown;
    const end = new Date(until).toISOString();
    log.info(`lane ${lane} is left alone for ${JSON.stringify(key)} until ${end} (${WHO_SAID[stated]})`);
  };

  return {
    providerLimits,
    coolingUntil: (lane, keys, now) => cooldowns.until(lane, keys, now),
    cooldowns: (now) => cooldowns.all(now),
    hit(limit, key, budget) {
      const { lane, decision, error, sentOn } = limit;
      const now = clock.now();
      const ending = endOf(error, now);
      const { until, stated } = ending;
      const said = isStated(ending) ? until : null;
      providerLimits.refused(lane, { at: now, kind: kindOf(error), until: said });
      if (isFirst(`${kindOf(error)} ${idOf(lane, key)}`, until, now)) record(limit, key, budget, now);
      // Too fast for a moment, and not said for how long: no reason to stay away for minutes.
      const passing = error.kind === 'throttle' && said === null && decision !== 'quota_warn_attempt';
      if (coolsDown && sentOn && !passing) coolDown({ lane, key, until, stated }, now, budget === undefined);
    },
    endCooldowns(which) {
      const now = clock.now();
      const ended = cooldowns.end(which, now);
      for (const { lane, key, stated } of ended) {
        store.saveCooldown({ lane, key, until: now, stated });
        log.info(`lane ${lane} is not left alone any more for ${JSON.stringify(key)}`);
      }
      return ended;
    },
    calibration: (lane, key) => calibrate(hits.get(idOf(lane, key)) ?? []),
    async load() {
      const before = await retry.until(() =>
        Promise.all([coolsDown ? store.cooldowns() : [], store.limitHits()]),
      );
      if (before === null) return;
      const [known, learned] = before;
      const now = clock.now();
      for (const cooldown of known) cooldowns.set(cooldown, now, false);
      for (const hit of learned) learn(hit);
    },
  };
}

const WHO_SAID: Readonly<Record<Stated, string>> = {
  reset: 'its upstream stated the reset',
  retry_after: 'its upstream stated retry-after',
  default: 'its upstream did not say how long',
  implausible: 'the time that its upstream named is over or more than 31 days ahead',
};

const kindOf = ({ kind }: LimitFacts['error']): LimitHit['kind'] =>
  kind === 'window' || kind === 'balance' || kind === 'plan' ? kind : 'throttle';

const idOf = (lane: string, key: string): string => `${lane} ${key}`;
