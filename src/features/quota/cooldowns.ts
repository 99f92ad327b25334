/** Which lanes are left alone, for which models, and until when. */
import type { Cooldown } from '../../protocol/meter.ts';
import type { UpstreamError } from '../../protocol/upstream-error.ts';

/** Where the upstream does not say how long (contract, 6). */
const DEFAULT_MS = 300_000;
/** No plan has a window longer than a month: a stamp beyond it is a mistake. */
const LONGEST_MS = 31 * 86_400_000;
/** Keys may be names that a client made up. */
const MAX_COOLDOWNS = 1000;

export type Ending = Pick<Cooldown, 'until' | 'stated'>;

/** Until when an upstream refuses, from what it said at `now` (epoch milliseconds). A stamp of the past says nothing. */
export function endOf({ resetsAt, retryAfterMs }: UpstreamError, now: number): Ending {
  if (resetsAt !== undefined && resetsAt > now) return { until: bounded(resetsAt, now), stated: 'reset' };
  if (retryAfterMs !== undefined) return { until: bounded(now + retryAfterMs, now), stated: 'retry_after' };
  return { until: now + DEFAULT_MS, stated: 'default' };
}

const bounded = (until: number, now: number): number => Math.min(until, now + LONGEST_MS);

export interface Cooldowns {
  /** Takes one over unless a longer one is known; says whether it did. */
  set(cooldown: Cooldown, now: number): boolean;
  /** When the longest of these keys ends; null where none of them is cooling down. */
  until(lane: string, keys: readonly string[], now: number): number | null;
  all(now: number): readonly Cooldown[];
}

export function createCooldowns(): Cooldowns {
  const known = new Map<string, Cooldown>();
  const idOf = (lane: string, key: string): string => `${lane} ${key}`;

  const prune = (now: number): void => {
    for (const [id, { until }] of known) if (until <= now) known.delete(id);
    if (known.size < MAX_COOLDOWNS) return;
    const [soonest] = [...known].toSorted(([, a], [, b]) => a.until - b.until);
    if (soonest !== undefined) known.delete(soonest[0]);
  };

  return {
    set(cooldown, now) {
      const { lane, key, until } = cooldown;
      if (until <= now || until <= (known.get(idOf(lane, key))?.until ?? 0)) return false;
      prune(now);
      known.set(idOf(lane, key), cooldown);
      return true;
    },
    until(lane, keys, now) {
      if (known.size === 0) return null;
      const ends = keys.flatMap((key) => known.get(idOf(lane, key))?.until ?? []);
      const last = Math.max(0, ...ends);
      return last > now ? last : null;
    },
    all: (now) => [...known.values()].filter(({ until }) => until > now),
  };
}
