import { describe, expect, it } from 'vitest';
import { completionIn, pick, verdictOf } from '../testing/green-run.ts';

describe('ROUTE-01', () => {
  it('fails when Anthropic saw haiku, whatever the log says', () => {
    const verdict = verdictOf('ROUTE-01', ({ upstream }) => {
      pick(upstream, 'u-haiku-stream').observer = 'anth';
    });
    expect(verdict.outcome).toBe('fail');
    expect(verdict.violations[0]?.pointers).toContain('rid:haiku-stream');
  });

  it('fails when no record tells of a haiku request that Anthropic saw', () => {
    const verdict = verdictOf('ROUTE-01', (evidence) => {
      pick(evidence.upstream, 'u-haiku-stream').observer = 'anth';
      evidence.usage.events = [];
    });
    expect(verdict.outcome).toBe('fail');
  });

  it('does not believe in a fallback that left no other lane', () => {
    const verdict = verdictOf('ROUTE-01', (evidence) => {
      completionIn(evidence, 'haiku-fallback').attempts.shift();
    });
    expect(verdict.outcome).toBe('fail');
  });

  it('accepts haiku on Anthropic while the offload is paused', () => {
    const verdict = verdictOf('ROUTE-01', (evidence) => {
      pick(evidence.upstream, 'u-haiku-stream').observer = 'anth';
      completionIn(evidence, 'haiku-stream').decision = 'offload_paused';
    });
    expect(verdict.outcome).toBe('pass');
  });

  it('is inconclusive when no haiku was sent', () => {
    const verdict = verdictOf('ROUTE-01', (evidence) => {
      evidence.upstream = evidence.upstream.filter(({ id }) => !id.includes('haiku'));
    });
    expect(verdict.outcome).toBe('inconclusive');
  });
});

describe('ROUTE-02', () => {
  it('fails when a probe reached another lane', () => {
    const { outcome, violations } = verdictOf('ROUTE-02', ({ upstream }) => {
      pick(upstream, 'u-sonnet-json').observer = 'zai';
    });
    expect(outcome).toBe('fail');
    expect(violations[0]).toMatchObject({ expected: 'anthropic', saw: { upstream: 'zai' } });
  });

  it('fails when a probe reached a second lane that no fallback explains', () => {
    const { outcome } = verdictOf('ROUTE-02', (evidence) => {
      completionIn(evidence, 'haiku-fallback').decision = 'to_anthropic';
    });
    expect(outcome).toBe('fail');
  });

  it('fails when a probe never reached an upstream', () => {
    const { violations } = verdictOf('ROUTE-02', (evidence) => {
      evidence.upstream = evidence.upstream.filter(({ id }) => id !== 'u-sonnet-json-1');
    });
    expect(violations.map(({ saw }) => saw?.['upstream'])).toEqual(['nothing']);
  });
});
