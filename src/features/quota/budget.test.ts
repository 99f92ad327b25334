import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBudget } from './budget.ts';
import type { Hold } from './count.ts';
import { parseQuotas } from './parse-quotas.ts';
import { sampleOf, tokens } from './testing/records.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** No whole hour, so that nothing is right by chance. */
const NOW = Date.UTC(2026, 2, 29, 10, 17, 3);

function budgetOf(fields: string) {
  const [definition] = parseQuotas(
    'q.json',
    Buffer.from(`{"quotas": [{"model": "*", "lane": "zai", ${fields}}]}`),
  );
  if (definition === undefined) throw new Error('no quota');
  return createBudget(definition);
}

describe('a budget', () => {
  it('counts input, output and cache writes, and cache reads only where it is told to', () => {
    const used = tokens({ input: 1, output: 2, cache_read: 4, cache_write_5m: 8, cache_write_1h: 16 });
    const plain = budgetOf('"rolling": {"tokens": 100}');
    const all = budgetOf('"rolling": {"tokens": 100}, "count_cache_reads": true');
    for (const budget of [plain, all]) budget.add(sampleOf(NOW, { tokens: used, latency_ms: 1_800_000 }));
    expect(plain.view(NOW).rolling).toMatchObject({
      span_seconds: 18_000,
      tokens: { used: 27, cap: 100, pct: 27 },
      requests: { used: 1, cap: null, pct: null },
      hours: { used: 0.5, cap: null, pct: null },
      pct: 27,
    });
    expect(all.view(NOW).rolling_pct).toBe(31);
  });

  it('counts an exchange without tokens as a request', () => {
    const budget = budgetOf('"rolling": {"requests": 4}');
    budget.add(sampleOf(NOW, { tokens: null }));
    expect(budget.full(NOW)).toEqual({ rolling: 25, weekly: null });
  });

  it('is as full as its fullest cap, of either window', () => {
    const budget = budgetOf('"rolling": {"requests": 10, "tokens": 15}, "weekly": {"hours": 0.01}');
    budget.add(sampleOf(NOW - 6 * HOUR, { latency_ms: 18_000 }));
    expect(budget.full(NOW)).toEqual({ rolling: 0, weekly: 50 });
    budget.add(sampleOf(NOW));
    expect(budget.full(NOW).rolling).toBeCloseTo(66.7, 1);
  });

  it('takes room for what is under way: one request each, and the mean of what it knows of the rest', () => {
    const budget = budgetOf('"rolling": {"tokens": 100}');
    const blind = budget.reserve();
    expect(blind).toEqual({ requests: 1, tokens: 0, tenths: 0 });
    budget.add(sampleOf(NOW, { tokens: tokens({ input: 10 }) }));
    budget.add(sampleOf(NOW, { tokens: tokens({ input: 20 }) }));
    const hold = budget.reserve();
    expect(hold).toEqual({ requests: 1, tokens: 15, tenths: 10_000 });
    expect(budget.held(NOW)).toBe(45);
    expect(budget.view(NOW)).toMatchObject({ rolling_pct: 30, reserved: { requests: 2, tokens: 15 } });
    budget.release(hold);
    budget.release(blind);
    expect(budget.held(NOW)).toBe(30);
  });

  it('expects of the next one what those with tokens used, whatever failed in between', () => {
    const budget = budgetOf('"rolling": {"tokens": 100}');
    for (let index = 0; index < 20; index += 1) budget.add(sampleOf(NOW, { tokens: tokens({ input: 10 }) }));
    for (let index = 0; index < 20; index += 1) budget.add(sampleOf(NOW, { tokens: null, latency_ms: 0 }));
    expect(budget.reserve().tokens).toBe(10);
    expect(budget.reserve().tenths).toBeLessThan(5000);
  });

  it('expects of the next one what the newest of before used', () => {
    const budget = budgetOf('"rolling": {"tokens": 100}');
    for (let ago = 0; ago < 100; ago += 1) {
      budget.fill(sampleOf(NOW - ago * MINUTE, { tokens: tokens({ input: ago < 20 ? 10 : 99 }) }), NOW);
    }
    expect(budget.reserve().tokens).toBe(10);
  });

  it('equals a recount, in any order of reserving, settling and giving up', () => {
    const step = fc.record({
      kind: fc.constantFrom('reserve', 'settle', 'drop', 'wait'),
      tokens: fc.nat(500),
      ms: fc.nat(3 * HOUR),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const budget = budgetOf('"rolling": {"tokens": 1000, "requests": 50}, "weekly": {"tokens": 5000}');
        const holds: Hold[] = [];
        const settled: { ts: number; tokens: number }[] = [];
        let now = NOW;
        for (const { kind, tokens: input, ms } of steps) {
          if (kind === 'reserve') holds.push(budget.reserve());
          if (kind === 'wait') now += ms;
          const hold = kind === 'settle' || kind === 'drop' ? holds.shift() : undefined;
          if (hold !== undefined) budget.release(hold);
          if (kind === 'settle') {
            budget.add(sampleOf(now, { tokens: tokens({ input }) }));
            settled.push({ ts: now, tokens: input });
          }
          const { rolling, weekly, reserved } = budget.view(now);
          const within = (span: number) => settled.filter(({ ts }) => ts > now - span);
          const sum = (list: readonly { tokens: number }[]) => list.reduce((a, b) => a + b.tokens, 0);
          expect(rolling.requests.used).toBe(within(5 * HOUR).length);
          expect(rolling.tokens.used).toBe(sum(within(5 * HOUR)));
          expect(weekly.tokens.used).toBe(sum(within(168 * HOUR)));
          expect(reserved).toEqual({ requests: holds.length, tokens: sum(holds) });
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('the opening of a budget that is used up', () => {
  it('is when enough has left the window', () => {
    const budget = budgetOf('"rolling": {"requests": 2}');
    budget.add(sampleOf(NOW - 4 * HOUR));
    budget.add(sampleOf(NOW - 3 * HOUR));
    budget.add(sampleOf(NOW - 2 * HOUR));
    expect(budget.opening(NOW)).toEqual({
      inMs: 2 * HOUR,
      at: NOW + 2 * HOUR,
      why: 'the rolling quota of requests for "*" on lane zai is used up',
    });
    expect(budget.held(NOW + 2 * HOUR)).toBe(50);
  });

  it('is when the last of its caps has room', () => {
    const budget = budgetOf('"rolling": {"requests": 1}, "weekly": {"tokens": 10}');
    budget.add(sampleOf(NOW - HOUR));
    expect(budget.opening(NOW)).toMatchObject({
      inMs: 167 * HOUR,
      at: NOW + 167 * HOUR,
      why: expect.stringContaining('weekly quota of tokens'),
    });
    expect(budget.view(NOW)).toMatchObject({ block: true, eta_seconds: 167 * 3600, headroom_tokens: 0 });
  });

  it('counts what is under way as if it ended now', () => {
    const budget = budgetOf('"rolling": {"requests": 1}');
    budget.reserve();
    expect(budget.opening(NOW).inMs).toBe(5 * HOUR);
  });

  it('has room at the millisecond that it names, and none before', () => {
    const uses = fc.array(fc.record({ ago: fc.integer({ min: 0, max: 6 * HOUR }), input: fc.nat(100) }), {
      minLength: 1,
      maxLength: 50,
    });
    fc.assert(
      fc.property(uses, (list) => {
        const budget = budgetOf('"rolling": {"tokens": 150, "requests": 20}');
        for (const { ago, input } of list) budget.add(sampleOf(NOW - ago, { tokens: tokens({ input }) }));
        const { inMs } = budget.opening(NOW);
        expect(budget.held(NOW + inMs)).toBeLessThan(100);
        if (inMs > 0) expect(budget.held(NOW + inMs - 1)).toBeGreaterThanOrEqual(100);
      }),
    );
  });
});

describe('the time until a budget is used up', () => {
  it('follows the pace of the last quarter of an hour', () => {
    const budget = budgetOf('"rolling": {"tokens": 1000}');
    budget.add(sampleOf(NOW - 2 * HOUR, { tokens: tokens({ input: 100 }) }));
    for (let minute = 10; minute > 0; minute -= 1) {
      budget.add(sampleOf(NOW - minute * MINUTE, { tokens: tokens({ input: 15 }) }));
    }
    // 150 tokens in 15 minutes, 750 to go.
    expect(budget.view(NOW)).toMatchObject({ eta_seconds: 75 * 60, headroom_tokens: 750, block: false });
  });

  it('counts on what leaves the window meanwhile', () => {
    const budget = budgetOf('"rolling": {"tokens": 1000}');
    budget.add(sampleOf(NOW - 4.5 * HOUR, { tokens: tokens({ input: 600 }) }));
    budget.add(sampleOf(NOW - MINUTE, { tokens: tokens({ input: 150 }) }));
    // 250 to go at 10 a minute.
    expect(budget.view(NOW).eta_seconds).toBe(25 * 60);
    const later = budgetOf('"rolling": {"tokens": 1060}');
    later.add(sampleOf(NOW - 4.5 * HOUR, { tokens: tokens({ input: 600 }) }));
    later.add(sampleOf(NOW - MINUTE, { tokens: tokens({ input: 150 }) }));
    // 310 to go at 10 a minute: a minute before that the 600 leave.
    expect(later.view(NOW).eta_seconds).toBe(91 * 60);
  });

  it('is not in sight where the pace never fills the window, or there is none', () => {
    const budget = budgetOf('"rolling": {"tokens": 1000}');
    expect(budget.view(NOW).eta_seconds).toBeNull();
    budget.add(sampleOf(NOW - 10 * MINUTE, { tokens: tokens({ input: 30 }) }));
    // 30 in ten minutes are 900 in five hours.
    expect(budget.view(NOW).eta_seconds).toBeNull();
    expect(budgetOf('"warn_pct": 50').view(NOW)).toMatchObject({ eta_seconds: null, headroom_tokens: null });
  });
});

describe('the speeds of a budget', () => {
  const stream = (ts: number, output: number, stream_ms: number) =>
    sampleOf(ts, { op: 'stream', tokens: tokens({ output }), stream_ms, latency_ms: stream_ms + 1000 });

  it('are output over streaming time, and output over wall time since the oldest exchange began', () => {
    const budget = budgetOf('"rolling": {"tokens": 1000}');
    budget.add(stream(NOW - 99_000, 100, 4_000));
    budget.add(stream(NOW - 9_000, 100, 1_000));
    budget.add(sampleOf(NOW, { tokens: tokens({ output: 104 }) }));
    // Began 99 + 5 s ago.
    expect(budget.view(NOW)).toMatchObject({ tps_elr: 40, tps_dirty: 304 / 104 });
  });

  it('are unknown where there is nothing', () => {
    expect(budgetOf('"warn_pct": 50').view(NOW)).toMatchObject({
      tps_elr: null,
      tps_dirty: null,
      peak_hour: null,
      fastest_hour: null,
    });
  });

  it('have their best clock hours, of the last seven days only', () => {
    const budget = budgetOf('"rolling": {"tokens": 1000}');
    const hour = Math.floor(NOW / HOUR) * HOUR;
    budget.add(stream(NOW - 8 * 24 * HOUR, 1_000_000, 10_000));
    budget.add(stream(hour - 2 * HOUR, 500, 20_000));
    budget.add(stream(hour - 1, 300, 10_000));
    budget.add(stream(hour + 1, 100, 100));
    expect(budget.view(NOW)).toMatchObject({
      peak_hour: { start: hour - 2 * HOUR, tokens: 500 },
      fastest_hour: { start: hour - HOUR, tps: 30 },
    });
  });
});

describe('the time since the warning', () => {
  const after = (...minutes: readonly number[]) => {
    const budget = budgetOf('"rolling": {"span": "60m", "requests": 10}, "warn_pct": 30');
    for (const minute of minutes) budget.add(sampleOf(NOW + minute * MINUTE));
    return budget;
  };

  it('counts from the exchange that reached it', () => {
    expect(after(0, 5, 9, 20).warnSince(NOW + 30 * MINUTE)).toBe(NOW + 9 * MINUTE);
  });

  it('begins anew where the count had fallen below in between', () => {
    // At minute 60 the first leaves: two are left until the one of minute 64.
    expect(after(0, 5, 9, 64).warnSince(NOW + 64.5 * MINUTE)).toBe(NOW + 64 * MINUTE);
    expect(after(0, 5, 9, 20, 64).warnSince(NOW + 64.5 * MINUTE)).toBe(NOW + 9 * MINUTE);
  });

  it('equals what a recount at every exchange says', () => {
    const span = 60 * MINUTE;
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 60 }),
        fc.nat(60),
        (minutes, wait) => {
          const times = minutes.toSorted((a, b) => a - b);
          const now = (times.at(-1) ?? 0) + wait;
          const held = (upTo: number, at: number): number =>
            times.slice(0, upTo).filter((minute) => minute > at - span / MINUTE).length;
          let since: number | null = null;
          for (const [index, minute] of times.entries()) {
            if (held(index, minute) < 3) since = null;
            if (held(index + 1, minute) >= 3) since ??= minute;
          }
          if (held(times.length, now) < 3) since = null;
          const expected = since === null ? null : NOW + since * MINUTE;
          expect(after(...times).warnSince(NOW + now * MINUTE)).toBe(expected);
        },
      ),
    );
  });

  it('is unknown of what was filled in, until the count was below', () => {
    const budget = after(0, 5, 9);
    budget.fill(sampleOf(NOW - MINUTE), NOW + 10 * MINUTE);
    expect(budget.warnSince(NOW + 30 * MINUTE)).toBeNull();
    expect(budget.warnSince(NOW + 64 * MINUTE)).toBeNull();
    for (const minute of [65, 66, 67]) budget.add(sampleOf(NOW + minute * MINUTE));
    expect(budget.warnSince(NOW + 68 * MINUTE)).toBe(NOW + 66 * MINUTE);
  });

  it('is none below it', () => {
    expect(after(0, 5).warnSince(NOW + 30 * MINUTE)).toBeNull();
    expect(after(0, 5, 9).warnSince(NOW + 61 * MINUTE)).toBeNull();
  });
});
