import { describe, expect, it } from 'vitest';
import { completionIn, pick, verdictOf } from '../testing/green-run.ts';

const countingOutput = (output: number) =>
  verdictOf('TOKENS-01', (evidence) => {
    const { tokens } = completionIn(evidence, 'sonnet-aborted');
    if (tokens) tokens.output = output;
  }).outcome;

describe('TOKENS-01', () => {
  it.each(['input', 'output', 'cache_read', 'cache_write_5m', 'cache_write_1h'] as const)(
    'fails when the log counts one %s too many',
    (kind) => {
      const { outcome, violations } = verdictOf('TOKENS-01', (evidence) => {
        const { tokens } = completionIn(evidence, 'sonnet-stream');
        if (tokens) tokens[kind] += 1;
      });
      expect(outcome).toBe('fail');
      expect(violations[0]?.expected).toContain(`${kind}=`);
    },
  );

  it('fails when the log has no counts and the upstream stated some', () => {
    const { outcome } = verdictOf('TOKENS-01', (evidence) => {
      delete completionIn(evidence, 'haiku-stream').tokens;
    });
    expect(outcome).toBe('fail');
  });

  it('allows fewer after the client left, never more', () => {
    expect([countingOutput(0), countingOutput(1), countingOutput(20), countingOutput(21)]).toEqual([
      'pass',
      'pass',
      'pass',
      'fail',
    ]);
  });

  it('is inconclusive when no answer stated a count', () => {
    const { outcome } = verdictOf('TOKENS-01', (evidence) => {
      evidence.client = evidence.client.filter(({ id }) => id === 'c-sonnet-limited' || id === 'c-head');
    });
    expect(outcome).toBe('inconclusive');
  });
});

describe('TOKENS-02', () => {
  it('fails when the client counts something else', () => {
    const { outcome } = verdictOf('TOKENS-02', ({ probes }) => {
      const { tokens } = pick(probes, 'haiku-stream');
      if (tokens) tokens.input = 0;
    });
    expect(outcome).toBe('fail');
  });

  it('is skipped when no client reports counts', () => {
    const { outcome } = verdictOf('TOKENS-02', ({ probes }) => {
      for (const probe of probes) delete probe.tokens;
    });
    expect(outcome).toBe('skipped');
  });

  it('is inconclusive when the only client that reports counts failed', () => {
    const { outcome } = verdictOf('TOKENS-02', ({ probes }) => {
      pick(probes, 'haiku-stream').ok = false;
    });
    expect(outcome).toBe('inconclusive');
  });
});
