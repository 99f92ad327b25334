import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSlidingWindows, type Entry, type Sums } from './sliding-windows.ts';

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
            windows.add(entry(one.ts, one.tokens));
          } else {
            for (const [index, span] of SPANS.entries()) {
              expect(windows.sums(index, one.now)).toMatchObject(recount(entries, span, one.now));
            }
          }
        }
      }),
    );
  });

  it('end at the millisecond: an entry counts while it is younger than the span', () => {
    const windows = createSlidingWindows([50]);
    windows.add(entry(1000));
    expect(windows.sums(0, 1049).requests).toBe(1);
    expect(windows.sums(0, 1050).requests).toBe(0);
    expect(windows.sums(0, 1049).requests).toBe(1);
  });

  it('keep their memory to what the longest window holds', () => {
    const windows = createSlidingWindows([50]);
    const day = 86_400_000;
    for (let now = 0; now < 3 * day; now += 60_000) {
      windows.add(entry(now));
      windows.sums(0, now);
    }
    let kept = 0;
    windows.all(() => {
      kept += 1;
    });
    expect(kept).toBeLessThan(256);
  });

  it('merge neighbours beyond their bound: the sums stay exact, and nothing leaves too early', () => {
    const windows = createSlidingWindows([1000], 64);
    const entries: Entry[] = [];
    for (let ts = 0; ts < 900; ts += 1) {
      entries.push(entry(ts, ts));
      windows.add(entry(ts, ts));
    }
    expect(windows.sums(0, 900)).toMatchObject(recount(entries, 1000, 900));
    let kept = 0;
    windows.all(() => {
      kept += 1;
    });
    expect(kept).toBeLessThanOrEqual(64);
    for (const now of [1100, 1400, 1800]) {
      const exact = recount(entries, 1000, now);
      expect(windows.sums(0, now).requests).toBeGreaterThanOrEqual(exact.requests);
      expect(windows.sums(0, now).requests).toBeLessThan(exact.requests + 1000 / 32 + 1);
    }
    expect(windows.sums(0, 1900).requests).toBe(0);
  });

  it('are not led astray by an absurd count', () => {
    const windows = createSlidingWindows([50]);
    windows.add(entry(1, Number.MAX_SAFE_INTEGER));
    windows.add(entry(2, 5));
    windows.sums(0, 51);
    expect(windows.sums(0, 51).tokens).toBe(5);
  });
});
