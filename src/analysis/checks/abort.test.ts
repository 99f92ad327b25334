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
  const oneOfThree = (lateMs: number, stallMs?: number) =>
    verdictOf('ABORT-01', (evidence) => {
      const { client, upstream } = evidence;
      for (const name of ['sonnet-stream', 'sonnet-json', 'sonnet-aborted']) {
        const left = pick(client, `c-${name}`);
        const kept = pick(upstream, `u-${name}`);
        left.ending = 'ended_by_self';
        kept.endedMs =
          left.startedAt + left.endedMs - kept.startedAt + (name === 'sonnet-aborted' ? lateMs : 10);
        if (name === 'sonnet-aborted' && stallMs !== undefined)
          evidence.stalls = [{ at: left.startedAt + left.endedMs + stallMs, ms: stallMs }];
      }
    });

  it('passes over one stall among several, but none longer than a second', () => {
    expect(oneOfThree(900)).toMatchObject({ outcome: 'pass', observed: 3 });
    const { outcome, violations } = oneOfThree(1_100);
    expect(outcome).toBe('fail');
    expect(violations).toMatchObject([{ expected: 'ended within 1000 ms' }]);
  });

  const ranOnAmid = (stalls: readonly { readonly after: number; readonly ms: number }[]) =>
    verdictOf('ABORT-01', (evidence) => {
      const left = pick(evidence.client, 'c-sonnet-aborted');
      pick(evidence.upstream, 'u-sonnet-aborted').endedMs += 200;
      const end = left.startedAt + left.endedMs;
      evidence.stalls = stalls.map(({ after, ms }) => ({ at: end + after, ms }));
    });

  it('is unsure, and says why, where the machine itself was as late as that; never satisfied', () => {
    const { outcome, note } = ranOnAmid([{ after: 150, ms: 180 }]);
    expect(outcome).toBe('inconclusive');
    expect(note).toContain('no more than the machine itself was, up to 150 ms');
  });

  it('is satisfied by those that were in time beside it, and tells of the one that is left out', () => {
    const { outcome, observed, note } = oneOfThree(1_100, 500);
    expect({ outcome, observed }).toEqual({ outcome: 'pass', observed: 2 });
    expect(note).toContain('1 exchange was late');
  });

  /** Three that left at one upstream, a second apart, which ended each 300 ms later, or in time; amid a stall or in none. */
  const each = (...three: readonly ('in time' | 'slow' | 'slow amid a stall')[]) =>
    verdictOf('ABORT-01', (evidence) => {
      evidence.stalls = three.flatMap((how, index) => {
        const name = ['sonnet-stream', 'sonnet-json', 'sonnet-aborted'][index] ?? '';
        const [left, kept] = [pick(evidence.client, `c-${name}`), pick(evidence.upstream, `u-${name}`)];
        left.ending = 'ended_by_self';
        const end = left.startedAt + left.endedMs + (how === 'in time' ? 10 : 300);
        kept.endedMs = end - kept.startedAt;
        return how === 'slow amid a stall' ? [{ at: end, ms: 250 }] : [];
      });
    });

  it('counts no exchange that the machine was late for among those that were slow, nor among those that were not', () => {
    expect(each('slow amid a stall', 'slow', 'in time')).toMatchObject({
      outcome: 'pass',
      observed: 2,
      note: expect.stringContaining('1 exchange was late'),
    });
    expect(each('slow amid a stall', 'slow', 'slow amid a stall')).toMatchObject({
      outcome: 'fail',
      violations: [{ expected: 'ended within 100 ms' }],
    });
    expect(each('in time', 'slow', 'in time')).toMatchObject({ outcome: 'pass', observed: 3 });
    expect(each('in time', 'slow', 'slow').outcome).toBe('fail');
  });

  it('fails where the machine was late by less than that, or at another time', () => {
    expect(ranOnAmid([{ after: 150, ms: 40 }]).outcome).toBe('fail');
    expect(ranOnAmid([{ after: 20, ms: 5_000 }]).outcome).toBe('fail');
    expect(ranOnAmid([{ after: -500, ms: 900 }]).outcome).toBe('fail');
    expect(ranOnAmid([{ after: 2_000, ms: 900 }]).outcome).toBe('fail');
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
