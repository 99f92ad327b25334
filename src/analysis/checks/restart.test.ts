import { describe, expect, it } from 'vitest';
import type { Evidence, ProxyLife } from '../evidence.ts';
import { lifeIn, type Mutable, verdictOf } from '../testing/green-run.ts';

describe('RESTART-01', () => {
  const LATER_MS = 3_600_000;

  /** A second life in which nothing was asked. */
  const withSecond = (alter: (second: Mutable<ProxyLife>) => unknown) => (evidence: Mutable<Evidence>) => {
    const second = structuredClone(lifeIn(evidence));
    lifeIn(evidence).ending = { exitCode: 0, ms: 80 };
    Object.assign(second, { stage: 'second', pid: 2, startedAt: second.startedAt + LATER_MS });
    second.answers.metrics = 'ccp_inflight 0\n';
    alter(second);
    evidence.lives.push(second);
  };
  const verdict = (alter: (second: Mutable<ProxyLife>) => unknown) =>
    verdictOf('RESTART-01', withSecond(alter));

  it('passes where another process began to count anew', () => {
    expect(verdict(() => {})).toMatchObject({ outcome: 'pass', observed: 1 });
  });

  it('fails where it is the same process, and where the counters went on', () => {
    expect(verdict((second) => (second.pid = 1)).violations[0]?.what).toContain(
      'the process of the stage before',
    );
    const counted = 'ccp_requests_total{lane="zai",op="stream",status="200",decision="to_zai"} 1\n';
    expect(verdict((second) => (second.answers.metrics = counted)).violations).toMatchObject([
      { expected: '0', saw: { metrics: '1' } },
    ]);
  });

  it.each([
    ['with another exit code', 7, 'exit code 7 after 80 ms'],
    ['by a signal, as one that had to be killed', null, 'a signal after 80 ms'],
  ])('fails where the process before ended %s', (_how, exitCode, proxy) => {
    const { outcome, violations } = verdictOf('RESTART-01', (evidence) => {
      withSecond(() => {})(evidence);
      lifeIn(evidence).ending = { exitCode, ms: 80.2 };
    });
    expect(outcome).toBe('fail');
    expect(violations).toMatchObject([{ what: expect.stringContaining('of stage run'), saw: { proxy } }]);
  });

  it('demands no exit code of a proxy that the run killed', () => {
    const { violations } = verdictOf('RESTART-01', (evidence) => {
      withSecond(() => {})(evidence);
      const killed = structuredClone(lifeIn(evidence));
      Object.assign(killed, {
        stage: 'killed',
        pid: 3,
        startedAt: killed.startedAt + 2 * LATER_MS,
        ending: null,
      });
      killed.answers.metrics = null;
      evidence.lives.push(killed);
    });
    expect(violations).toEqual([]);
  });

  it('is inconclusive where no end is on record, as in runs of old', () => {
    const { outcome } = verdictOf('RESTART-01', (evidence) => {
      withSecond(() => {})(evidence);
      lifeIn(evidence).ending = null;
    });
    expect(outcome).toBe('inconclusive');
  });

  it('is skipped in a run with one stage, and inconclusive where a life says nothing', () => {
    expect(verdictOf('RESTART-01').outcome).toBe('skipped');
    expect(verdict((second) => (second.answers.metrics = null)).outcome).toBe('inconclusive');
  });
});
