import { describe, expect, it } from 'vitest';
import type { Clock } from '../platform/clock.ts';
import { createDeadlines, type Deadline } from './deadlines.ts';

interface TestClock extends Clock {
  advance(ms: number): void;
  /** Callbacks that are due one day. */
  pending(): number;
}

function createTestClock(): TestClock {
  let time = 0;
  const timers = new Map<number, { readonly at: number; readonly callback: () => void }>();
  let id = 0;
  return {
    now: () => time,
    monotonic: () => time,
    after(ms, callback) {
      const own = id++;
      timers.set(own, { at: time + ms, callback });
      return () => void timers.delete(own);
    },
    pending: () => timers.size,
    advance(ms) {
      for (const end = time + ms; time < end; time++) {
        for (const [key, { at, callback }] of timers) {
          if (at > time) continue;
          timers.delete(key);
          callback();
        }
      }
    },
  };
}

function setUp(): {
  clock: TestClock;
  watch: (at: number) => { deadline: Deadline; struck: number[] };
  drop: (deadline: Deadline) => void;
} {
  const clock = createTestClock();
  const deadlines = createDeadlines(clock);
  return {
    clock,
    drop: (deadline) => deadlines.drop(deadline),
    watch(at) {
      const deadline = deadlines.watch();
      const struck: number[] = [];
      deadline.owner = { overdue: () => void struck.push(clock.monotonic()) };
      deadline.at = at;
      return { deadline, struck };
    },
  };
}

describe('a deadline', () => {
  it('strikes once, and never early', () => {
    const { clock, watch } = setUp();
    const { struck } = watch(120);
    clock.advance(1_000);
    expect(struck).toHaveLength(1);
    expect(struck[0]).toBeGreaterThanOrEqual(120);
    expect(struck[0]).toBeLessThanOrEqual(120 + 50);
  });

  it('that is moved strikes where it was moved to', () => {
    const { clock, watch } = setUp();
    const { deadline, struck } = watch(100);
    clock.advance(90);
    deadline.at = 400;
    clock.advance(250);
    expect(struck).toEqual([]);
    clock.advance(200);
    expect(struck).toHaveLength(1);
  });

  it('that is cleared or dropped does not strike', () => {
    const { clock, watch, drop } = setUp();
    const cleared = watch(100);
    const dropped = watch(100);
    cleared.deadline.at = Number.POSITIVE_INFINITY;
    drop(dropped.deadline);
    clock.advance(500);
    expect([...cleared.struck, ...dropped.struck]).toEqual([]);
  });

  it('does not hold up another: each strikes for itself', () => {
    const { clock, watch } = setUp();
    const [late, early] = [watch(300), watch(100)];
    clock.advance(200);
    expect([late.struck.length, early.struck.length]).toEqual([0, 1]);
    clock.advance(200);
    expect(late.struck).toHaveLength(1);
  });

  it('that is set anew by its own strike strikes again', () => {
    const { clock, watch } = setUp();
    const { deadline, struck } = watch(100);
    deadline.owner = {
      overdue() {
        struck.push(clock.monotonic());
        deadline.at = clock.monotonic() + 100;
      },
    };
    clock.advance(500);
    expect(struck.length).toBeGreaterThanOrEqual(3);
  });
});

describe('the sweep', () => {
  it('rests while nothing is watched, and starts again', () => {
    const { clock, watch, drop } = setUp();
    expect(clock.pending()).toBe(0);
    const { deadline } = watch(1_000);
    const other = watch(1_000);
    expect(clock.pending()).toBe(1);
    drop(deadline);
    drop(other.deadline);
    clock.advance(100);
    expect(clock.pending()).toBe(0);
    const { struck } = watch(200);
    clock.advance(300);
    expect(struck).toHaveLength(1);
  });
});
