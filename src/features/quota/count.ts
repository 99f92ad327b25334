/** What was used of one quota and what is under way; its caps are somebody else's. */
import type { Used } from './caps.ts';
import { createHours, type Hours } from './pace.ts';
import type { QuotaDefinition } from './parse-quotas.ts';
import { createSlidingWindows, type Entry, type SlidingWindows } from './sliding-windows.ts';

/** What an exchange under way is expected to use. */
export type Hold = Used;

export interface Counted extends Entry {
  /** Whether anybody counted its tokens: what failed says nothing of the next one's. */
  readonly hasTokens: boolean;
}

export interface Count {
  /** Rolling, weekly, and the one of the present pace. */
  readonly windows: SlidingWindows;
  readonly hours: Hours;
  /** The sum of what is under way. */
  readonly reserved: Used;
  /** `now` is what the clock says as it is added, epoch milliseconds. */
  add(entry: Counted, now: number): void;
  /** The same for one of before. Those come newest first: what is expected of the next goes by the first of them. */
  fill(entry: Counted, now: number): void;
  /** One request, and the mean of the recent exchanges of all else. */
  reserve(): Hold;
  release(hold: Hold): void;
}

/** The present pace is that of the last quarter of an hour. */
export const PACE_MS = 900_000;
/** The mean is that of about so many exchanges. */
const MEAN_OF = 20;

export function createCount({ rolling, weekly }: Pick<QuotaDefinition, 'rolling' | 'weekly'>): Count {
  const windows = createSlidingWindows([rolling.spanMs, weekly.spanMs, PACE_MS]);
  const hours = createHours();
  const reserved = { requests: 0, tokens: 0, tenths: 0 };
  const mean = { tokens: createMean(), tenths: createMean() };
  const add = (entry: Counted, now: number): void => {
    windows.add(entry, now);
    hours.add(entry);
  };
  const change = (hold: Hold, sign: 1 | -1): void => {
    reserved.requests += sign * hold.requests;
    reserved.tokens += sign * hold.tokens;
    reserved.tenths += sign * hold.tenths;
  };
  return {
    windows,
    hours,
    reserved,
    add(entry, now) {
      add(entry, now);
      mean.tenths.take(entry.tenths);
      if (entry.hasTokens) mean.tokens.take(entry.tokens);
    },
    fill(entry, now) {
      add(entry, now);
      mean.tenths.begin(entry.tenths);
      if (entry.hasTokens) mean.tokens.begin(entry.tokens);
    },
    reserve() {
      const hold = {
        requests: 1,
        tokens: Math.round(mean.tokens.value()),
        tenths: Math.round(mean.tenths.value()),
      };
      change(hold, 1);
      return hold;
    },
    release: (hold) => change(hold, -1),
  };
}

/** Of about the last twenty. */
function createMean() {
  let [of, mean] = [0, 0];
  const take = (value: number): void => {
    of = Math.min(of + 1, MEAN_OF);
    mean += (value - mean) / of;
  };
  return {
    take,
    /** Takes what is older than all before, as long as there are too few. */
    begin: (value: number): void => void (of < MEAN_OF && take(value)),
    value: (): number => mean,
  };
}
