import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { OTHER_MODELS, type Rollup } from '../../protocol/meter.ts';
import { usageAnswer } from './answers.ts';
import { NOW, prices, quotaView } from './testing/usage-world.ts';
import { MOST_MODELS, type ReportInput, usageReport } from './usage-report.ts';

const HOUR = 3_600_000;

/** What an hour knows of one model. */
const hour = (part: Partial<Rollup>): Rollup => ({
  start: NOW - (NOW % HOUR),
  lane: 'anthropic',
  model: 'claude-haiku-4-5',
  served_model: null,
  count: 1,
  errors: 0,
  uncounted: 0,
  tokens: { input: 0, output: 10, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 },
  latency_p50: null,
  latency_p95: null,
  ttfb_p50: null,
  ttfb_p95: null,
  duration_ms: 1000,
  stream_ms: 0,
  streamed_tokens: 0,
  ...part,
});

const output = (count: number): Rollup['tokens'] => ({ ...hour({}).tokens, output: count });

const report = async (rollups: readonly Rollup[], part: Partial<ReportInput> = {}) => {
  const askHours: ReportInput['askHours'] = async () => [];
  const input = {
    spans: rollups,
    askHours,
    views: [],
    prices,
    since: NOW - 24 * HOUR,
    until: NOW,
    now: NOW,
    ...part,
  };
  return usageAnswer.parse({
    ...(await usageReport(input)),
    store: { ok: true, reason: null, remedy: null, path: null, pending: 0 },
  });
};

describe('a model that no quota watches', () => {
  it('has its speed while streaming, and that over all since its first hour', async () => {
    const long = hour({ tokens: output(5_400), streamed_tokens: 400, stream_ms: 20_000 });
    const since = (first: number): Partial<ReportInput> => ({
      askHours: async () => [{ model: long.model, first, peak_hour: null, fastest_hour: null }],
    });
    const { models } = await report([long], since(long.start - HOUR));
    // The present is half past: 5,400 tokens in one and a half hours.
    expect(models['claude-haiku-4-5']).toMatchObject({ tps_elr: 20, tps_dirty: 1 });
    const past = await report([long], {
      ...since(long.start),
      until: long.start + HOUR,
      now: NOW + 24 * HOUR,
    });
    expect(past.models['claude-haiku-4-5']).toMatchObject({ tps_dirty: 1.5 });
  });
});

it('tells at each sum of how many exchanges nobody knows the tokens', async () => {
  const silent = hour({ tokens: output(0), count: 3, uncounted: 2 });
  const { total, models, lanes } = await report([
    silent,
    { ...silent, start: silent.start - HOUR, uncounted: 1 },
    hour({ model: 'other' }),
  ]);
  expect(total).toMatchObject({ requests: 7, uncounted: 3, cost_usd: 0.1 });
  expect(lanes).toMatchObject({ anthropic: { uncounted: 3 } });
  expect(models).toMatchObject({
    'claude-haiku-4-5': { uncounted: 3, lanes: { anthropic: { uncounted: 3 } } },
    other: { uncounted: 0 },
  });
});

it('shows no quota at what names no model: none counts it', async () => {
  const all = quotaView({ model: '*', lane: 'anthropic', rolling_pct: 70 });
  const { models } = await report([hour({ model: null })], { views: [all] });
  expect(models['(none)']).toMatchObject({ requests: 1, rolling_pct: null });
  expect(models['*']).toMatchObject({ requests: 0, rolling_pct: 70 });
});

describe('names that clients invent', () => {
  const invented = [0, 1, 2].flatMap((ago) =>
    Array.from({ length: 10_000 }, (_, n) =>
      hour({ start: NOW - (NOW % HOUR) - ago * HOUR, model: `invented-${n}` }),
    ),
  );
  const real = hour({ tokens: output(1000) });
  const busy = hour({ model: 'counts-no-tokens', count: 500, tokens: output(30) });

  it('beyond the most used are one sum, which stands apart from the models', async () => {
    const { models, other_models, total, lanes } = await report([
      ...invented,
      busy,
      real,
      hour({ model: null, tokens: output(0) }),
    ]);
    // By tokens, then by requests; what names no model is none of them.
    expect(Object.keys(models).slice(0, 2)).toEqual(['claude-haiku-4-5', 'counts-no-tokens']);
    expect(Object.keys(models)).toHaveLength(MOST_MODELS + 1);
    expect(models['(none)']).toMatchObject({ requests: 1 });
    const rest = 10_002 - MOST_MODELS;
    expect(other_models).toMatchObject({
      models: rest,
      requests: 3 * rest,
      tokens: { output: 30 * rest },
      cost_usd: 0.3 * rest,
    });
    const told = [...Object.values(models), other_models].reduce((sum, one) => sum + (one?.requests ?? 0), 0);
    expect(told).toBe(total.requests);
    expect(lanes['anthropic']?.requests).toBe(total.requests);
  });

  it('make neither a long answer, nor one that others wait for', async () => {
    let turns = 0;
    const reported = new AbortController();
    const others = (async () => {
      for (; !reported.signal.aborted; turns += 1) await turn();
    })();
    const answer = await report(invented);
    reported.abort();
    await others;
    expect(JSON.stringify(answer).length).toBeLessThan(250_000);
    // At least one for each thousand rows.
    expect(turns).toBeGreaterThan(invented.length / 1000);
  });

  it('are with the others where the store does not tell them apart', async () => {
    const { models, other_models } = await report([real, hour({ model: OTHER_MODELS, count: 7 })]);
    expect(Object.keys(models)).toEqual(['claude-haiku-4-5']);
    expect(other_models).toMatchObject({ models: 0, requests: 7 });
  });

  it('are not mixed up, whatever is in them', async () => {
    const { models } = await report([
      hour({ model: 'a b', served_model: 'c' }),
      hour({ model: 'a', served_model: 'b c' }),
      hour({ model: 'null' }),
      hour({ model: null }),
    ]);
    expect(Object.entries(models).map(([name, { requests }]) => [name, requests])).toEqual([
      ['a b', 1],
      ['a', 1],
      ['null', 1],
      ['(none)', 1],
    ]);
  });

  it('are all told of where they are few', async () => {
    const { models, other_models } = await report([real, busy]);
    expect(Object.keys(models)).toHaveLength(2);
    expect(other_models).toBeNull();
  });
});
