import { describe, expect, it } from 'vitest';
import { summarize } from './summarize.ts';
import { formatSummary } from './summary-table.ts';
import { greenRun } from './testing/green-run.ts';

const summaryOf = (lines: readonly (object | string)[]) => {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  return summarize([{ name: 'usage.jsonl', chunks: [Buffer.from(text)] }]);
};

const completion = (rest: object) => ({
  v: 1,
  event: 'completion',
  ts: '2026-01-02T00:00:00.000Z',
  lane: 'zai',
  ...rest,
});

describe('summarize', () => {
  it('adds up a run by every dimension', async () => {
    const summary = await summaryOf(greenRun().usage.events);
    expect(summary.kinds).toEqual({ completion: 7, decision: 7, stream_start: 3, unknown: 0 });
    expect(Object.keys(summary.by.lane)).toEqual(['anthropic', 'zai']);
    expect(summary.by.lane['zai']).toMatchObject({
      completions: 1,
      errors: 0,
      tokens: { input: 14, output: 32, cache_read: 5, cache_write_5m: 0, cache_write_1h: 0 },
    });
    expect(summary.by.lane['zai']?.latency_ms.n).toBe(1);
    expect(summary.by.header_mode['x-api-key']?.completions).toBe(1);
    expect(summary.by.protocol['h2']?.completions).toBe(6);
    expect(summary.by.op['stream']?.completions).toBe(4);
    expect(summary.total.tokens.cache_write_1h).toBe(6);
    expect(summary.decisions).toEqual({
      first: { to_anthropic: 5, to_zai: 2 },
      final: { fallback_limit: 1, to_anthropic: 5, to_zai: 1 },
    });
    expect(summary.errors).toEqual({ http_4xx: 1, limit: 1 });
    expect(summary.sse).toMatchObject({ streams: 3, finished: 3, events: 24 });
    expect(summary.span).toEqual({ first: '2026-01-02T03:04:05.001Z', last: expect.any(String) });
  });

  it("reads the predecessor's lines, and calls unknown what they do not tell", async () => {
    const summary = await summaryOf([
      { ts: '2025-10-23T00:00:00Z', lane: 'zai', model: 'claude-haiku-4.5', decision: 'to_zai' },
      { lane: 'anthropic', reason: 'streaming', header_mode: null },
      {
        lane: 'zai',
        model: 'claude-haiku-4.5',
        status: 200,
        latency_ms: 900,
        h2: false,
        input_tokens: 13,
        output_tokens: 628,
      },
      { something: 'else' },
    ]);
    expect(summary.kinds).toEqual({ completion: 1, decision: 1, stream_start: 1, unknown: 1 });
    expect(summary.by.header_mode).toHaveProperty('unknown');
    expect(summary.by.op).toHaveProperty('unknown');
    expect(summary.by.protocol['h1']?.tokens).toMatchObject({ input: 13, output: 628 });
  });

  it('survives lines whose fields are of the wrong type', async () => {
    const odd = completion({
      lane: 5,
      model: {},
      latency_ms: 'soon',
      ttfb_ms: -1,
      tokens: { input: 'x' },
      sse: [],
      status: null,
    });
    const summary = await summaryOf([odd, 'torn {"']);
    expect(summary.by.lane['unknown']).toMatchObject({
      completions: 1,
      latency_ms: { n: 0 },
      ttfb_ms: { n: 0 },
    });
    expect(summary.bad.count).toBe(1);
  });

  it('keeps 200 models apart and says that the rest stands together', async () => {
    const lines = Array.from({ length: 1_000 }, (_, index) => completion({ model: `model-${index % 500}` }));
    const summary = await summaryOf(lines);
    expect(Object.keys(summary.by.model)).toHaveLength(201);
    expect(summary.by.model['other']?.completions).toBe(600);
    expect(summary.overflowed).toEqual(['model']);
    expect(formatSummary(summary)).toContain('Too many values of model');
  });
});

describe('formatSummary', () => {
  it('shows groups with figures, bad lines by place, and no control character of the log', async () => {
    const lines = [completion({ model: 'evil\u001b[31m', latency_ms: 1234, ttfb_ms: 5 }), 'broken'];
    const text = formatSummary(await summaryOf(lines));
    expect(text).toContain('2 lines: 1 completions');
    expect(text).toContain('usage.jsonl:2: not valid JSON');
    expect(text).toMatch(/^evil\uFFFD\[31m +1 +0 .* 1234 ms .* 5\.0 ms/m);
    expect(text).not.toContain('\u001b');
  });
});
