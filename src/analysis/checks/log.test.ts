import { describe, expect, it } from 'vitest';
import { completionIn, verdictOf } from '../testing/green-run.ts';

describe('LOG-01', () => {
  it('fails on a line that is none', () => {
    const { outcome, violations } = verdictOf('LOG-01', ({ usage }) => {
      usage.bad = [{ line: 3, problem: 'not valid JSON' }];
    });
    expect(outcome).toBe('fail');
    expect(violations[0]?.pointers).toEqual(['usage.jsonl:3']);
  });

  it('fails on an event that is not valid by the contract', () => {
    const { outcome, violations } = verdictOf('LOG-01', (evidence) => {
      completionIn(evidence, 'head').latency_ms = -1;
    });
    expect(outcome).toBe('fail');
    expect(violations[0]?.what).toContain('latency_ms');
  });
});

describe('LOG-02', () => {
  it('fails when the log was not rotated', () => {
    const { outcome } = verdictOf('LOG-02', ({ usage }) => {
      usage.rotatedBefore = false;
    });
    expect(outcome).toBe('fail');
  });

  it('accuses nobody of a log that holds nothing, and does not pass it', () => {
    const { outcome } = verdictOf('LOG-02', ({ usage }) => {
      Object.assign(usage, { events: [], rotatedBefore: false });
    });
    expect(outcome).toBe('inconclusive');
  });

  it('fails when it holds a line from before the run', () => {
    const { outcome } = verdictOf('LOG-02', (evidence) => {
      completionIn(evidence, 'haiku-stream').ts = '2026-01-01T00:00:00.000Z';
    });
    expect(outcome).toBe('fail');
  });
});
