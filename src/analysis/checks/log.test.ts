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

  it('shows both ends of such a line, without what looks like a credential', () => {
    const { violations } = verdictOf('LOG-01', (evidence) => {
      evidence.usage.bad = [{ line: 2, problem: 'not valid JSON' }];
      const log = evidence.artifacts.find(({ place }) => place === 'usage.jsonl');
      if (log === undefined) throw new Error('there is a log');
      log.text = `{}\n{"v":1,"key":"sk-ant-api03-${'k'.repeat(95)}",${'x'.repeat(300)}"rid":"to\n{}`;
    });
    expect(violations[0]?.what).toBe('not a usage event: not valid JSON, it breaks off');
    const { log = '' } = violations[0]?.saw ?? {};
    expect(log).toMatch(/^\{"v":1,.* … \(\d+ characters\) … x+"rid":"to$/);
    expect(log).not.toContain('kkk');
    expect(log.length).toBeLessThan(220);
  });

  it('shows the line of the file in which it stands, and one that fits as it is', () => {
    const torn = `{"v":1,"rid":"${'r'.repeat(80)}`;
    const { violations } = verdictOf('LOG-01', (evidence) => {
      evidence.usage.bad = [{ file: 'usage.jsonl.1', line: 2, problem: 'not valid JSON' }];
      evidence.artifacts.push({ place: 'usage.jsonl.1', text: `{}\n${torn}` });
    });
    expect(violations).toMatchObject([{ saw: { log: torn }, pointers: ['usage.jsonl.1:2'] }]);
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
