import { describe, expect, it } from 'vitest';
import { greenRun } from './testing/green-run.ts';
import { auditRouting, formatAudit, productizeCheck } from './verify-routing.ts';

const source = (lines: readonly object[]) => [
  { name: 'log', chunks: [Buffer.from(lines.map((line) => JSON.stringify(line)).join('\n'))] },
];
const audit = (lines: readonly object[]) => auditRouting(source(lines));
const completion = (rest: object) => ({
  v: 1,
  rid: 'r1',
  event: 'completion',
  model: 'claude-haiku-4-5',
  ...rest,
});

describe('auditRouting', () => {
  it('prints the two lines of the contract first', async () => {
    const [first, second] = formatAudit(await audit(greenRun().usage.events)).split('\n');
    expect(first).toBe('[verify-routing] decisions: 2/2 to_zai (100.0%)');
    expect(second).toBe('Completions by lane: anthropic=6 zai=1 unknown=0');
  });

  it('says so when there was nothing to decide', async () => {
    expect(formatAudit(await audit([]))).toBe(
      '[verify-routing] decisions: 0/0 to_zai (n/a)\nCompletions by lane: anthropic=0 zai=0 unknown=0\n',
    );
  });

  it("counts the predecessor's decision lines", async () => {
    const line = { ts: 'x', lane: 'zai', model: 'claude-haiku-4.5', decision: 'to_zai' };
    expect((await audit([line, line, { ...line, decision: 'license_block' }])).decisions).toEqual({
      toZai: 2,
      of: 3,
    });
  });

  it('finds haiku on the Anthropic lane, unless its decision explains it', async () => {
    const found = await audit([
      completion({ lane: 'anthropic', decision: 'to_anthropic' }),
      completion({ lane: 'anthropic', decision: 'fallback_limit' }),
      completion({ lane: 'anthropic', decision: 'offload_paused' }),
      { lane: 'anthropic', model: 'claude-haiku-4.5', reason: 'streaming' },
    ]);
    expect(found.violations.byRule).toEqual({ 'haiku-on-anthropic': 2 });
    expect(found.violations.examples[0]).toEqual({
      rule: 'haiku-on-anthropic',
      source: 'log',
      line: 1,
      rid: 'r1',
      decision: 'to_anthropic',
    });
    expect(found.explained).toEqual({ fallback_limit: 1, offload_paused: 1 });
  });

  it('finds another model on the zai lane, unless an override, a fallback or a catalog route sent it', async () => {
    const lines = [
      completion({ lane: 'zai', model: 'claude-sonnet-5', decision: 'to_zai' }),
      completion({ lane: 'zai', model: 'glm-5', decision: 'manual_override' }),
      completion({ lane: 'zai', model: 'local-1', decision: 'fallback_net' }),
    ];
    expect((await audit(lines)).violations.byRule).toEqual({ 'other-model-on-zai': 1 });
    const routed = await auditRouting(source(lines), {
      routedToZai: (model) => model.startsWith('claude-sonnet'),
    });
    expect(routed.violations.count).toBe(0);
  });

  it('takes a haiku that a route sends to Anthropic for no violation, and for one that is explained', async () => {
    const lines = [
      completion({ lane: 'anthropic', decision: 'to_anthropic' }),
      completion({ lane: 'anthropic', model: 'claude-haiku-3', decision: 'to_anthropic' }),
      { lane: 'anthropic', model: 'claude-haiku-4.5', reason: 'streaming' },
    ];
    const found = await auditRouting(source(lines), {
      routedToAnth: (model) => model.startsWith('claude-haiku-4'),
    });
    expect(found.violations).toMatchObject({ count: 1, examples: [{ line: 2 }] });
    expect(found.explained).toEqual({ explicit_route: 1 });
    // The acceptance gate asks for less than the audit does: it takes no haiku there at all.
    expect(productizeCheck(found, 'ccp_inflight 0').map(({ rule }) => rule)).toEqual(['haiku-on-anthropic']);
  });

  it('finds a header mode on the Anthropic lane and in an attempt on anth, and not a null one', async () => {
    const lane = { lane: 'anthropic', model: 'claude-sonnet-5' };
    const found = await audit([
      completion({ ...lane, header_mode: 'x-api-key' }),
      completion({ ...lane, header_mode: null }),
      completion({ ...lane, attempts: [{ provider: 'anth', header_mode: 'authorization' }] }),
    ]);
    expect(found.violations.byRule).toEqual({ 'header-mode-on-anthropic': 2 });
  });

  it('names bad lines and keeps at most twenty examples of violations', async () => {
    const wrong = completion({ lane: 'anthropic', decision: 'to_anthropic' });
    const found = await audit(Array.from({ length: 50 }, () => wrong));
    expect(found.violations.count).toBe(50);
    expect(found.violations.examples).toHaveLength(20);
  });
});

describe('productizeCheck', () => {
  it('passes a clean log with metrics', async () => {
    const lines = [completion({ lane: 'zai', decision: 'to_zai' })];
    expect(productizeCheck(await audit(lines), 'ccp_inflight 0')).toEqual([]);
  });

  it('fails on a header mode, on any haiku on the Anthropic lane, and without metrics', async () => {
    const lines = [
      completion({ lane: 'anthropic', decision: 'license_block' }),
      completion({ lane: 'anthropic', model: 'claude-sonnet-5', header_mode: 'x-api-key' }),
    ];
    expect(productizeCheck(await audit(lines), null).map(({ rule }) => rule)).toEqual([
      'header-mode-on-anthropic',
      'haiku-on-anthropic',
      'metrics-missing',
    ]);
  });
});
