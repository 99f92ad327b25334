import { describe, expect, it } from 'vitest';
import { pick, verdictOf } from '../testing/green-run.ts';

describe('ABORT-01', () => {
  it('fails when the upstream was kept running', () => {
    const { outcome, violations } = verdictOf('ABORT-01', ({ upstream }) => {
      pick(upstream, 'u-sonnet-aborted').endedMs += 200;
    });
    expect(outcome).toBe('fail');
    expect(violations[0]?.saw?.['anth']).toMatch(/^ended after 2\d\d ms/);
  });

  it('is skipped when nobody left', () => {
    const { outcome } = verdictOf('ABORT-01', ({ client }) => {
      pick(client, 'c-sonnet-aborted').ending = 'complete';
    });
    expect(outcome).toBe('skipped');
  });

  it('is inconclusive when the answer had ended before the client left', () => {
    const { outcome } = verdictOf('ABORT-01', ({ upstream }) => {
      pick(upstream, 'u-sonnet-aborted').endedMs = 100;
    });
    expect(outcome).toBe('inconclusive');
  });
});
