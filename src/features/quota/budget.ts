/** One quota at work: what was used, what is under way, and whether there is room for more. */
import { perSecond } from '../../protocol/hours.ts';
import type { Sample } from '../../protocol/meter.ts';
import type { Calibration, QuotaView, QuotaWindow } from '../../protocol/quota-view.ts';
import type { Opening } from '../../protocol/standing.ts';
import { type Cap, capsOf, type Filling, fills, fullness, type Used, untilFull, untilRoom } from './caps.ts';
import { type Count, createCount, type Hold, PACE_MS } from './count.ts';
import { crossedAt } from './crossing.ts';
import type { QuotaDefinition, WindowCaps } from './parse-quotas.ts';
import type { Entry } from './sliding-windows.ts';

/** What a record says of one exchange, as far as it is counted. */
export type Use = Pick<Sample, 'ts' | 'tokens' | 'latency_ms' | 'stream_ms'>;

/** All but what comes of limits that were hit. */
export type BudgetView = Omit<QuotaView, keyof Calibration | 'cooldown_until' | 'provider_limits'>;

/** `now` is in epoch milliseconds everywhere. */
export interface Budget {
  readonly definition: QuotaDefinition;
  readonly count: Count;
  /** Counts an exchange that is over. */
  add(use: Use): void;
  /** Takes room for an exchange that begins: one request, and the mean of the recent ones of all else. */
  reserve(): Hold;
  release(hold: Hold): void;
  /** How full it is with what is under way, in per cent of its fullest cap; 0 without one. */
  held(now: number): number;
  /** The windows without what is under way, in per cent; null where there is no cap. */
  full(now: number): { readonly rolling: number | null; readonly weekly: number | null };
  /** When it has room again, and what it has not. */
  opening(now: number): Opening;
  /** Since when its count is past `warn_pct`, in epoch milliseconds; null where it is not. */
  warnSince(now: number): number | null;
  view(now: number): BudgetView;
}

/** What is younger says nothing of a pace. */
const LEAST_PACE_MS = 60_000;
/** `count` is what was counted before where only the caps are new. */
export function createBudget(definition: QuotaDefinition, count: Count = createCount(definition)): Budget {
  const { warnPct, blockPct } = definition;
  const rolling = { name: 'rolling', window: 0, given: definition.rolling, caps: capsOf(definition.rolling) };
  const weekly = { name: 'weekly', window: 1, given: definition.weekly, caps: capsOf(definition.weekly) };
  const recent = 2;
  const { windows, hours, reserved } = count;

  const fullOf = ({ window, caps }: Capped, now: number, more?: Used): number | null =>
    caps.length === 0 ? null : fullness(caps, windows.sums(window, now), more);

  const full = (now: number) => ({ rolling: fullOf(rolling, now), weekly: fullOf(weekly, now) });

  /** Every cap at one moment. */
  const fillings = (now: number): readonly (Filling & { readonly name: string })[] =>
    [rolling, weekly].flatMap(({ name, window, given: { spanMs }, caps }) =>
      caps.map((cap) => {
        return { name, windows, window, spanMs, cap, blockPct, reserved: reserved[cap.amount], now };
      }),
    );

  /** When the oldest exchange of a window began, in epoch milliseconds; null where there is none. */
  const beginning = (window: number, now: number): number | null => {
    const oldest = windows.tail(window, now);
    if (oldest === windows.size()) return null;
    return windows.endOf(oldest) - windows.amountOf(oldest, 'tenths') / 10;
  };

  /** Units a millisecond, of the last quarter of an hour or, where there is less, of what there is. */
  const paceOf = ({ amount }: Cap, now: number): number => {
    const since = Math.max(now - PACE_MS, beginning(weekly.window, now) ?? now);
    return windows.sums(recent, now)[amount] / Math.max(now - since, LEAST_PACE_MS);
  };

  const etaSeconds = (now: number, blocked: boolean): number | null => {
    const all = fillings(now);
    if (blocked) return Math.ceil(Math.max(...all.map(untilRoom)) / 1000);
    const times = all.flatMap((filling) => untilFull(filling, paceOf(filling.cap, now)) ?? []);
    return times.length === 0 ? null : Math.round(Math.min(...times) / 1000);
  };

  const headroom = (now: number): number | null => {
    const left = [rolling, weekly].flatMap(({ window, given: { tokens } }) =>
      tokens === null ? [] : (tokens * blockPct) / 100 - windows.sums(window, now).tokens - reserved.tokens,
    );
    return left.length === 0 ? null : Math.max(Math.floor(Math.min(...left)), 0);
  };

  const speeds = (now: number): Pick<QuotaView, 'tps_elr' | 'tps_dirty'> => {
    const { output, streamed, streamTenths } = windows.sums(rolling.window, now);
    const since = beginning(rolling.window, now);
    return {
      tps_elr: perSecond(streamed, streamTenths / 10),
      tps_dirty: since === null ? null : perSecond(output, now - since),
    };
  };

  const windowView = ({ window, given }: Capped, now: number, pct: number | null): QuotaWindow => ({
    span_seconds: given.spanMs / 1000,
    ...fills(windows.sums(window, now), given),
    pct,
  });

  return {
    definition,
    count,
    add: (use) => count.add(entryOf(use, definition.countCacheReads)),
    reserve: () => count.reserve(),
    release: (hold) => count.release(hold),
    held: (now) => Math.max(fullOf(rolling, now, reserved) ?? 0, fullOf(weekly, now, reserved) ?? 0),
    full,
    opening(now) {
      const waits = fillings(now).map((filling) => ({ ...filling, inMs: untilRoom(filling) }));
      // All of them must have room.
      const [last] = waits.toSorted((a, b) => b.inMs - a.inMs);
      const what = last === undefined ? 'quota' : `${last.name} quota of ${last.cap.unit}`;
      return {
        inMs: last?.inMs ?? 0,
        why: `the ${what} for "${definition.model}" on lane ${definition.lane} is used up`,
      };
    },
    warnSince: (now) => crossedAt(windows, [rolling, weekly], warnPct, now),
    view(now) {
      const pct = full(now);
      const fullest = Math.max(pct.rolling ?? 0, pct.weekly ?? 0);
      const block = fullest >= blockPct;
      return {
        model: definition.model,
        lane: definition.lane,
        rolling: windowView(rolling, now, pct.rolling),
        weekly: windowView(weekly, now, pct.weekly),
        rolling_pct: pct.rolling,
        weekly_pct: pct.weekly,
        warn_pct: warnPct,
        block_pct: blockPct,
        warn: fullest >= warnPct,
        block,
        reserved: { requests: reserved.requests, tokens: reserved.tokens },
        eta_seconds: etaSeconds(now, block),
        headroom_tokens: headroom(now),
        ...speeds(now),
        ...hours.best(now),
      };
    },
  };
}

interface Capped {
  readonly window: number;
  readonly given: WindowCaps;
  readonly caps: readonly Cap[];
}

function entryOf({ ts, tokens, latency_ms, stream_ms }: Use, countCacheReads: boolean): Entry {
  const output = tokens?.output ?? 0;
  const charged = tokens === null ? 0 : tokens.input + output + tokens.cache_write_5m + tokens.cache_write_1h;
  return {
    ts,
    requests: 1,
    tokens: charged + (countCacheReads ? (tokens?.cache_read ?? 0) : 0),
    tenths: latency_ms * 10,
    output,
    streamed: stream_ms === null ? 0 : output,
    streamTenths: (stream_ms ?? 0) * 10,
  };
}
