/** The limits that upstreams really have: what was said of them, what is left alone for it, what it teaches. */
import type { LimitFacts } from '../../core/types.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { Cooldown, LimitHit, MeterStore } from '../../protocol/meter.ts';
import type { Calibration } from '../../protocol/quota-view.ts';
import type { Budget } from './budget.ts';
import { calibrate } from './calibration.ts';
import { createCooldowns, endOf } from './cooldowns.ts';
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
  /** Takes from the store what earlier processes knew. */
  load(): Promise<void>;
}

export interface LimitHitsOptions {
  /** Whether a lane that refused is left alone. */
  readonly coolsDown: boolean;
  readonly store: MeterStore;
  readonly retry: Retry;
  readonly clock: Clock;
  readonly log: Log;
}

/** Calibration looks at the latest of each quota; this is for all of them. */
const MAX_HITS = 2000;

export function createLimitHits({ coolsDown, store, retry, clock, log }: LimitHitsOptions): LimitHits {
  const providerLimits = createProviderLimits();
  const cooldowns = createCooldowns();
  // While an upstream refuses, each further refusal is the same hit.
  const refusals = createCooldowns();
  let hits: readonly LimitHit[] = [];

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
    hits = [...hits, hit].slice(-MAX_HITS);
    store.saveLimitHit(hit);
  };

  const coolDown = (cooldown: Cooldown, now: number): void => {
    if (!cooldowns.set(cooldown, now)) return;
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
      const { until, stated } = endOf(error, now);
      const said = stated === 'default' ? null : until;
      providerLimits.refused(lane, { at: now, kind: kindOf(error), until: said });
      if (refusals.until(lane, [key], now) === null) record(limit, key, budget, now);
      refusals.set({ lane, key, until, stated }, now);
      // Too fast for a moment, and not said for how long: no reason to stay away for minutes.
      const passing = error.kind === 'throttle' && said === null && decision !== 'quota_warn_attempt';
      if (coolsDown && sentOn && !passing) coolDown({ lane, key, until, stated }, now);
    },
    calibration: (lane, key) => calibrate(hits.filter((hit) => hit.lane === lane && hit.key === key)),
    async load() {
      const before = await retry.until('cooldowns and limit hits of before are still missing', () =>
        Promise.all([store.cooldowns(), store.limitHits()]),
      );
      if (before === null) return;
      const [known, learned] = before;
      const now = clock.now();
      for (const cooldown of known) cooldowns.set(cooldown, now);
      hits = [...learned, ...hits].slice(-MAX_HITS);
    },
  };
}

const WHO_SAID: Readonly<Record<Cooldown['stated'], string>> = {
  reset: 'its upstream stated the reset',
  retry_after: 'its upstream stated retry-after',
  default: 'its upstream did not say how long',
};

const kindOf = ({ kind }: LimitFacts['error']): LimitHit['kind'] =>
  kind === 'window' || kind === 'balance' || kind === 'plan' ? kind : 'throttle';
