/** Which lanes are left alone, for which models, and until when. */
import type { Cooldown } from '../../protocol/meter.ts';
import type { UpstreamError } from '../../protocol/upstream-error.ts';

/** Where the upstream does not say how long (contract, 6). */
const DEFAULT_MS = 300_000;
/** No plan has a window longer than a month: a stamp beyond it is a mistake, of the upstream's clock or of ours. */
const LONGEST_MS = 31 * 86_400_000;
/** What is over before the next request would make each of a flood of refusals a new one. */
const SHORTEST_MS = 1000;
/** Keys may be names that a client made up. */
const MAX_MADE_UP = 1000;

export type Ending = Pick<Cooldown, 'until' | 'stated'>;

/**
 * Until when an upstream refuses, from what it said at `now` (epoch milliseconds). What lies in the past or beyond a month
 * is not believed, and told apart from nothing said.
 */
export function endOf({ resetsAt, retryAfterMs }: UpstreamError, now: number): Ending {
  if (resetsAt !== undefined && holdsAt(resetsAt, now)) {
    return { until: Math.max(resetsAt, now + SHORTEST_MS), stated: 'reset' };
  }
  const waited = now + Math.max(retryAfterMs ?? Number.POSITIVE_INFINITY, SHORTEST_MS);
  if (holdsAt(waited, now)) return { until: waited, stated: 'retry_after' };
  const isSilent = resetsAt === undefined && retryAfterMs === undefined;
  return { until: now + DEFAULT_MS, stated: isSilent ? 'default' : 'implausible' };
}

/** Whether the end is one that the upstream named, and not ours. */
export const isStated = ({ stated }: Ending): boolean => stated === 'reset' || stated === 'retry_after';

/** Neither over nor a mistake, also where it was noted while our own clock was ahead. */
export const holdsAt = (until: number, now: number): boolean => until > now && until <= now + LONGEST_MS;

export interface Cooldowns {
  /** Takes one over unless a longer one holds; says whether it did. `madeUp`: its key may be a client's invention. */
  set(cooldown: Cooldown, now: number, madeUp: boolean): boolean;
  /** Ends those of a lane, or of one key of it, or all; gives them. */
  end(
    which: { readonly lane?: string | undefined; readonly key?: string | undefined },
    now: number,
  ): readonly Cooldown[];
  /** When the longest of these keys ends; null where none of them is cooling down. */
  until(lane: string, keys: readonly string[], now: number): number | null;
  all(now: number): readonly Cooldown[];
}

export function createCooldowns(): Cooldowns {
  const known = new Map<string, Cooldown>();
  const idOf = (lane: string, key: string): string => `${lane} ${key}`;

  /** When one ends; 0 where there is none that holds. */
  const endFor = (lane: string, key: string, now: number): number => {
    const until = known.get(idOf(lane, key))?.until ?? 0;
    return holdsAt(until, now) ? until : 0;
  };
  const all = (now: number): readonly Cooldown[] =>
    [...known.values()].filter(({ until }) => holdsAt(until, now));
  const prune = (now: number): void => {
    for (const [id, { until }] of known) if (!holdsAt(until, now)) known.delete(id);
  };

  return {
    set(cooldown, now, madeUp) {
      const { lane, key, until } = cooldown;
      if (!holdsAt(until, now) || until <= endFor(lane, key, now)) return false;
      if (known.size >= MAX_MADE_UP) prune(now);
      // Those that hold stay: a lane that is not left alone is asked once more, and refuses by itself.
      if (madeUp && known.size >= MAX_MADE_UP && !known.has(idOf(lane, key))) return false;
      known.set(idOf(lane, key), cooldown);
      return true;
    },
    end(which, now) {
      const ended = all(now).filter(
        ({ lane, key }) => lane === (which.lane ?? lane) && key === (which.key ?? key),
      );
      for (const { lane, key } of ended) known.delete(idOf(lane, key));
      return ended;
    },
    until(lane, keys, now) {
      if (known.size === 0) return null;
      let last = 0;
      for (const key of keys) last = Math.max(last, endFor(lane, key, now));
      return last > 0 ? last : null;
    },
    all,
  };
}
