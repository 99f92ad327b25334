/** One quota at work: what was used, what is under way, and whether there is room for more. */
import { perSecond } from '../../protocol/hours.ts';
import type { Sample } from '../../protocol/meter.ts';
import type { Calibration, QuotaView, QuotaWindow } from '../../protocol/quota-view.ts';
import type { Opening } from '../../protocol/standing.ts';
import { type Cap, capsOf, type Filling, fills, fullness, type Used, untilFull, untilRoom } from './caps.ts';
import { type Count, type Counted, createCount, type Hold, PACE_MS } from './count.ts';
import type { QuotaDefinition, WindowCaps } from './parse-quotas.ts';

/** What a record says of one exchange, as far as it is counted. */
export type Use = Pick<Sample, 'ts' | 'tokens' | 'latency_ms' | 'stream_ms'>;

/** All but what comes of limits that were hit, and of routes. */
export type BudgetView = Omit<QuotaView, keyof Calibration | 'idle' | 'cooldown_until' | 'provider_limits'>;

/** `now` is in epoch milliseconds everywhere. */
export interface Budget {
  readonly definition: QuotaDefinition;
  readonly count: Count;
  /** Counts an exchange that ends now. */
  add(use: Use): void;
  /** Counts one of before; they come newest first. */
  fill(use: Use, now: number): void;
  /** Takes room for an exchange that begins: one request, and the mean of the recent ones of all else. */
  reserve(): Hold;
  release(hold: Hold): void;
  /** How full it is with what is under way, in per cent of its fullest cap; 0 without one. */
  held(now: number): number;
  /** The windows without what is under way, in per cent; null where there is no cap. */
  full(now: number): { readonly rolling: number | null; readonly weekly: number | null };
  /** How many exchanges count, of the last seven days. */
  exchanges(now: number): number;
  /** When it has room again, and what it has not, as it was within the last second. */
  opening(now: number): Opening;
  /**
   * Since when its count is past `warn_pct`, in epoch milliseconds; null where it is not, or where it was already when
   * what is of before was filled in.
   */
  warnSince(now: number): number | null;
  view(now: number): BudgetView;
}

/** Everybody who is refused asks; where a cap was lowered the answer lies a whole week of exchanges back. */
const OPENING_HOLDS_MS = 1000;
/** What is younger says nothing of a pace. */
const LEAST_PACE_MS = 60_000;
/** `count` is what was counted before where only caps, or the span of the rolling window, are new. */
export function createBudget(definition: QuotaDefinition, count: Count = createCount(definition)): Budget {
  const { warnPct, blockPct } = definition;
  const rolling = { name: 'rolling', window: 0, given: definition.rolling, caps: capsOf(definition.rolling) };
  const weekly = { name: 'weekly', window: 1, given: definition.weekly, caps: capsOf(definition.weekly) };
  const recent = 2;
  /** Whether the count was seen below the warning since, and when it was then found past it. */
  const crossing: { wasBelow: boolean; at: number | null } = { wasBelow: false, at: null };
  const { windows, hours, reserved } = count;
  windows.resize(rolling.window, rolling.given.spanMs);

  const fullOf = ({ window, caps }: Capped, now: number, more?: Used): number | null =>
    caps.length === 0 ? null : fullness(caps, windows.sums(window, now), more);

  const full = (now: number) => ({ rolling: fullOf(rolling, now), weekly: fullOf(weekly, now) });

  let told = { at: Number.NEGATIVE_INFINITY, inMs: 0, why: '' };

  /** Called before and after each that ends: between two of them the count only falls. */
  const watch = (now: number): void => {
    const pct = full(now);
    if (Math.max(pct.rolling ?? 0, pct.weekly ?? 0) < warnPct)
      [crossing.wasBelow, crossing.at] = [true, null];
    else if (crossing.wasBelow) crossing.at ??= now;
  };

  /** Every cap at one moment. */
  const fillings = (now: number): readonly (Filling & { readonly name: string })[] =>
    [rolling, weekly].flatMap(({ name, window, given: { spanMs }, caps }) =>
      caps.map((cap) => {
        return { name, windows, window, spanMs, cap, blockPct, reserved: reserved[cap.amount], now };
      }),
    );

  /** When the oldest exchange of a window began, in epoch milliseconds; null where there is none. */
  const beginning = (window: number, now: number): number | null => {
    let began = Number.NaN;
    windows.visit(window, now, 'tenths', (end, tenths) => {
      began = end - tenths / 10;
      return true;
    });
    return Number.isNaN(began) ? null : began;
  };

  /** Units a millisecond, of the last quarter of an hour or, where there is less, of what there is. */
  const paceOf = ({ amount }: Cap, now: number): number => {
    const since = Math.max(now - PACE_MS, beginning(weekly.window, now) ?? now);
    return windows.sums(recent, now)[amount] / Math.max(now - since, LEAST_PACE_MS);
  };

  const opening = (now: number): Opening => {
    if (now >= told.at && now < told.at + OPENING_HOLDS_MS) {
      const inMs = Math.max(told.inMs - (now - told.at), 1);
      return { inMs, at: now + inMs, why: told.why };
    }
    const waits = fillings(now).map((filling) => ({ ...filling, inMs: untilRoom(filling) }));
    // All of them must have room.
    const [last] = waits.toSorted((a, b) => b.inMs - a.inMs);
    const what = last === undefined ? 'quota' : `${last.name} quota of ${last.cap.unit}`;
    const why = `the ${what} for "${definition.model}" on lane ${definition.lane} is used up`;
    const inMs = last?.inMs ?? 0;
    if (inMs > 0) told = { at: now, inMs, why };
    return { inMs, at: now + inMs, why };
  };

  const etaSeconds = (now: number, blocked: boolean): number | null => {
    if (blocked) return Math.ceil(opening(now).inMs / 1000);
    const times = fillings(now).flatMap((filling) => untilFull(filling, paceOf(filling.cap, now)) ?? []);
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
    add(use) {
      watch(use.ts);
      count.add(entryOf(use, definition.countCacheReads), use.ts);
      watch(use.ts);
    },
    fill(use, now) {
      count.fill(entryOf(use, definition.countCacheReads), now);
      [crossing.wasBelow, crossing.at] = [false, null];
    },
    reserve: () => count.reserve(),
    release: (hold) => count.release(hold),
    held: (now) => Math.max(fullOf(rolling, now, reserved) ?? 0, fullOf(weekly, now, reserved) ?? 0),
    full,
    exchanges: (now) => windows.sums(weekly.window, now).requests,
    opening,
    warnSince(now) {
      watch(now);
      return crossing.at;
    },
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

function entryOf({ ts, tokens, latency_ms, stream_ms }: Use, countCacheReads: boolean): Counted {
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
    hasTokens: tokens !== null,
  };
}
