import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSlidingWindows, type Entry, type Sums } from './sliding-windows.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const entry = (ts: number, tokens = 1): Entry => ({
  ts,
  requests: 1,
  tokens,
  tenths: tokens * 3,
  output: tokens,
  streamed: 0,
  streamTenths: 0,
});

/** The plain meaning of a window. */
function recount(entries: readonly Entry[], span: number, now: number): Pick<Sums, 'requests' | 'tokens'> {
  const held = entries.filter(({ ts }) => ts > now - span);
  return { requests: held.length, tokens: held.reduce((sum, { tokens }) => sum + tokens, 0) };
}

const SPANS = [50, 200];

/** The clocks were changed in Berlin (twice), New York and Sydney; a day on which they were not; a leap day. */
const DAYS = [
  Date.UTC(2026, 2, 29, 1),
  Date.UTC(2026, 9, 25, 1),
  Date.UTC(2026, 2, 8, 7),
  Date.UTC(2026, 3, 4, 16),
  Date.UTC(2026, 6, 1),
  Date.UTC(2028, 1, 29),
];

describe('sliding windows', () => {
  it('equal a recount, whatever order the entries and the questions come in', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('add' as const),
        ts: fc.integer({ min: 0, max: 2000 }),
        tokens: fc.nat(999),
      }),
      fc.record({ kind: fc.constant('ask' as const), now: fc.integer({ min: 0, max: 2500 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const windows = createSlidingWindows(SPANS);
        const entries: Entry[] = [];
        for (const one of steps) {
          if (one.kind === 'add') {
            entries.push(entry(one.ts, one.tokens));
            windows.add(entry(one.ts, one.tokens), one.ts);
          } else {
            for (const [index, span] of SPANS.entries()) {
              expect(windows.sums(index, one.now)).toMatchObject(recount(entries, span, one.now));
            }
          }
        }
      }),
    );
  });

  it('equal a recount under a clock that jumps by months, over restarts, on any day of the year', () => {
    const spans = [5 * HOUR, 7 * DAY];
    const burst = fc.record({
      adds: fc.integer({ min: 1, max: 150 }),
      everyMs: fc.oneof(fc.integer({ min: 0, max: MINUTE }), fc.integer({ min: MINUTE, max: 3 * HOUR })),
    });
    const glitch = fc.record({
      /** Far more than the longest window and what it is kept beyond. */
      byMs: fc
        .integer({ min: -90 * DAY, max: 90 * DAY })
        .filter((ms) => Math.abs(ms) > 8 * DAY || Math.abs(ms) < 3 * HOUR),
      adds: fc.integer({ min: 1, max: 20 }),
    });
    const step = fc.oneof(
      fc.record({ kind: fc.constant('traffic' as const), burst }),
      fc.record({ kind: fc.constant('glitch' as const), glitch }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(9 * DAY) }),
      fc.constant({ kind: 'restart' as const }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...DAYS), fc.array(step, { maxLength: 20 }), (start, steps) => {
        let windows = createSlidingWindows(spans);
        let [now, latest] = [start, start];
        let kept: Entry[] = [];
        const add = (at: number): void => {
          latest = Math.max(latest, at);
          const one = entry(at, (kept.length % 97) + 1);
          kept.push(one);
          windows.add(one, at);
        };
        const compare = (at: number): void => {
          latest = Math.max(latest, at);
          const counted = kept.filter(({ ts }) => ts <= latest + HOUR);
          for (const [index, span] of spans.entries()) {
            const sums = windows.sums(index, at);
            const all = recount(counted, span, at);
            if (at >= now) expect(sums).toMatchObject(all);
            else {
              // By the right clock some had left every window, and may be forgotten.
              const lasting = recount(
                counted.filter(({ ts }) => ts > now - 7 * DAY),
                span,
                at,
              );
              expect(sums.requests).toBeGreaterThanOrEqual(lasting.requests);
              expect(sums.requests).toBeLessThanOrEqual(all.requests);
            }
          }
        };
        for (const one of steps) {
          if (one.kind === 'wait') now += one.ms;
          if (one.kind === 'traffic') {
            for (let count = 0; count < one.burst.adds; count += 1) {
              add(now);
              now += one.burst.everyMs;
            }
          }
          if (one.kind === 'glitch') {
            // Between two of them the clock is right.
            add(now);
            for (let count = 0; count < one.glitch.adds; count += 1) add(now + one.glitch.byMs);
            compare(now + one.glitch.byMs);
          }
          if (one.kind === 'restart') {
            windows = createSlidingWindows(spans);
            latest = now;
            // As the store gives them: newest first.
            kept = kept.filter(({ ts }) => ts >= now - 7 * DAY).toSorted((a, b) => b.ts - a.ts);
            for (const sample of kept) windows.add(sample, now);
          }
          compare(now);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('are not emptied by one exchange that ended while the clock was ahead', () => {
    const spans = [5 * HOUR, 7 * DAY];
    const windows = createSlidingWindows(spans);
    const start = Date.UTC(2026, 5, 1);
    windows.add(entry(start + 30 * DAY), start + 30 * DAY);
    for (let minute = 0; minute < 1000; minute += 1) {
      windows.add(entry(start + minute * MINUTE), start + minute * MINUTE);
    }
    expect(windows.sums(1, start + 1000 * MINUTE).requests).toBe(1001);
  });

  it('do not count after a restart what ended in a future that never came, until it comes', () => {
    const windows = createSlidingWindows([5 * HOUR]);
    const now = Date.UTC(2026, 5, 1);
    for (const ts of [now + 30 * DAY, now + 30 * MINUTE, now]) windows.add(entry(ts), now);
    expect(windows.sums(0, now).requests).toBe(2);
    expect(windows.sums(0, now + 30 * DAY).requests).toBe(1);
  });

  it('end at the millisecond: an entry counts while it is younger than the span', () => {
    const windows = createSlidingWindows([50]);
    windows.add(entry(1000), 1000);
    expect(windows.sums(0, 1049).requests).toBe(1);
    expect(windows.sums(0, 1050).requests).toBe(0);
    expect(windows.sums(0, 1049).requests).toBe(1);
  });

  it('keep their memory to what the longest window holds', () => {
    const windows = createSlidingWindows([50]);
    for (let now = 0; now < 3 * DAY; now += MINUTE) windows.add(entry(now), now);
    expect(windows.size()).toBeLessThan(256);
  });

  it('merge neighbours beyond their bound: the sums stay exact, and nothing leaves early, or late by more than a slot', () => {
    const bound = 256;
    const slot = (7 * DAY + HOUR) / (bound / 2);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 10 }), (every, spread) => {
        // Many, and from few numbers: a failure is then soon made small.
        const steps = Array.from({ length: 2000 }, (_, at) => ((at * every * 7919) % (spread * MINUTE)) + 1);
        const windows = createSlidingWindows([DAY, 7 * DAY], bound);
        const entries: Entry[] = [];
        let now = Date.UTC(2026, 2, 28);
        for (const ms of steps) {
          now += ms;
          entries.push(entry(now, (ms % 50) + 1));
          windows.add(entry(now, (ms % 50) + 1), now);
          expect(windows.size()).toBeLessThanOrEqual(bound);
        }
        expect(windows.sums(1, now).tokens).toBeGreaterThanOrEqual(recount(entries, 7 * DAY, now).tokens);
        for (let later = now; later < now + 8 * DAY; later += 7 * HOUR) {
          for (const [index, span] of [DAY, 7 * DAY].entries()) {
            const { tokens } = windows.sums(index, later);
            expect(tokens).toBeGreaterThanOrEqual(recount(entries, span, later).tokens);
            expect(tokens).toBeLessThanOrEqual(recount(entries, span, later - slot).tokens);
          }
        }
        expect(windows.sums(1, now + 7 * DAY).tokens).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it('are not led astray by an absurd count', () => {
    const windows = createSlidingWindows([50]);
    windows.add(entry(1, Number.MAX_SAFE_INTEGER), 1);
    windows.add(entry(2, 5), 2);
    windows.sums(0, 51);
    expect(windows.sums(0, 51).tokens).toBe(5);
  });
});
