import { describe, expect, it } from 'vitest';
import { accountOf, type Exchange } from './exchanges.ts';
import { completionIn, greenRun, pick } from './testing/green-run.ts';

const named = (exchanges: readonly Exchange[], rid: string): Exchange | undefined =>
  exchanges.find(({ client }) => client.id === `c-${rid}`);

describe('accountOf', () => {
  it('gives every request its upstream exchanges in order, its records and its probe', () => {
    const { exchanges, readiness, strayUpstream, strayEvents, malformed } = accountOf(greenRun());
    const fallback = named(exchanges, 'haiku-fallback');
    expect(fallback?.upstream.map(({ id }) => id)).toEqual(['u-haiku-fallback-1', 'u-haiku-fallback-2']);
    expect(fallback?.answered?.id).toBe('u-haiku-fallback-2');
    expect(fallback?.probe?.id).toBe('haiku-fallback');
    expect(
      exchanges.every(({ completions, decisions }) => completions.length === 1 && decisions.length === 1),
    ).toBe(true);
    expect(readiness.map(({ id }) => id)).toEqual(['u-ready-anth', 'u-ready-zai']);
    expect([strayUpstream, strayEvents, malformed]).toEqual([[], [], []]);
  });

  it('is made once for the same evidence', () => {
    const evidence = greenRun();
    expect(accountOf(evidence)).toBe(accountOf(evidence));
  });

  it('tells two identical requests at the same time apart when upstreams mint no id', () => {
    const evidence = greenRun((run) => {
      const client = structuredClone(pick(run.client, 'c-haiku-stream'));
      const upstream = structuredClone(pick(run.upstream, 'u-haiku-stream'));
      run.client.push({ ...client, id: 'c-twin', startedAt: client.startedAt + 1 });
      run.upstream.push({ ...upstream, id: 'u-twin', startedAt: upstream.startedAt + 1 });
      for (const event of run.usage.events.filter(({ rid }) => rid === 'haiku-stream')) {
        run.usage.events.push({ ...structuredClone(event), rid: 'twin' });
      }
    });
    const { exchanges, strayUpstream, strayEvents } = accountOf(evidence);
    for (const rid of ['haiku-stream', 'twin']) {
      expect(named(exchanges, rid)?.upstream).toHaveLength(1);
      expect(named(exchanges, rid)?.completions).toHaveLength(1);
    }
    expect([strayUpstream, strayEvents]).toEqual([[], []]);
  });

  it('matches by canary when the body was changed on the way and no id was minted', () => {
    const evidence = greenRun((run) => {
      const { body } = pick(run.upstream, 'u-haiku-stream').request;
      body.sha256 = 'changed';
    });
    expect(named(accountOf(evidence).exchanges, 'haiku-stream')?.upstream).toHaveLength(1);
  });

  it('does not match what happened at another time', () => {
    const evidence = greenRun((run) => {
      pick(run.upstream, 'u-haiku-stream').startedAt += 60_000;
    });
    const { exchanges, strayUpstream } = accountOf(evidence);
    expect(named(exchanges, 'haiku-stream')?.upstream).toEqual([]);
    expect(strayUpstream.map(({ id }) => id)).toEqual(['u-haiku-stream-1']);
  });

  it('does not take a request with a credential for a readiness probe', () => {
    const evidence = greenRun((run) => {
      pick(run.upstream, 'u-ready-zai').request.headers.push(['authorization', 'Bearer x']);
    });
    expect(accountOf(evidence).strayUpstream.map(({ id }) => id)).toEqual(['u-ready-zai']);
  });

  it("leaves requests to the proxy's own endpoints out of the account", () => {
    const evidence = greenRun((run) => {
      const head = structuredClone(pick(run.client, 'c-head'));
      for (const target of ['/readyz', '/metrics?x=1', '/v1/ccp/offload']) {
        run.client.push({ ...head, id: `c-own-${target}`, request: { ...head.request, target } });
      }
    });
    expect(accountOf(evidence).exchanges).toHaveLength(greenRun().client.length);
  });

  it('sets events aside that are none, by their place', () => {
    const evidence = greenRun((run) => {
      completionIn(run, 'head').rid = '';
    });
    expect(accountOf(evidence).malformed).toMatchObject([{ problem: 'rid: not a non-empty string' }]);
  });
});
