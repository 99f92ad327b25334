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

  /** Three that left at one upstream, which ended one of them so many milliseconds later. */
  const oneOfThree = (lateMs: number) =>
    verdictOf('ABORT-01', ({ client, upstream }) => {
      for (const name of ['sonnet-stream', 'sonnet-json', 'sonnet-aborted']) {
        const left = pick(client, `c-${name}`);
        const kept = pick(upstream, `u-${name}`);
        left.ending = 'ended_by_self';
        kept.endedMs =
          left.startedAt + left.endedMs - kept.startedAt + (name === 'sonnet-aborted' ? lateMs : 10);
      }
    });

  it('passes over one stall among several, but none longer than a second', () => {
    expect(oneOfThree(900)).toMatchObject({ outcome: 'pass', observed: 3 });
    const { outcome, violations } = oneOfThree(1_100);
    expect(outcome).toBe('fail');
    expect(violations).toMatchObject([{ expected: 'ended within 1000 ms' }]);
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
