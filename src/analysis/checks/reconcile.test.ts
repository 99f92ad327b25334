import { describe, expect, it } from 'vitest';
import { completionIn, pick, responseOf, verdictOf } from '../testing/green-run.ts';

describe('RECONCILE-01', () => {
  it('fails when an upstream saw a request once more than the record says', () => {
    const { outcome, violations } = verdictOf('RECONCILE-01', ({ upstream }) => {
      const again = structuredClone(pick(upstream, 'u-haiku-stream'));
      upstream.push({ ...again, id: 'u-again' });
    });
    expect(outcome).toBe('fail');
    expect(violations[0]?.saw).toEqual({ log: '1 attempts', zai: '2 requests' });
  });

  it('fails when a recorded attempt with a status never arrived', () => {
    const { outcome } = verdictOf('RECONCILE-01', (evidence) => {
      evidence.upstream = evidence.upstream.filter(({ id }) => id !== 'u-haiku-fallback-1');
    });
    expect(outcome).toBe('fail');
  });

  it('accepts that an attempt without a status never left', () => {
    const { outcome } = verdictOf('RECONCILE-01', (evidence) => {
      evidence.upstream = evidence.upstream.filter(({ id }) => id !== 'u-haiku-fallback-1');
      const [attempt] = completionIn(evidence, 'haiku-fallback').attempts;
      delete attempt?.status;
    });
    expect(outcome).toBe('pass');
  });

  it('fails when an upstream saw what no client sent', () => {
    const { outcome } = verdictOf('RECONCILE-01', ({ client }) => {
      client.splice(0, 1);
    });
    expect(outcome).toBe('fail');
  });

  it('names the header of a request that no client sent in which it carried a credential', () => {
    const { violations } = verdictOf('RECONCILE-01', ({ upstream }) => {
      pick(upstream, 'u-ready-zai').request.headers.push(['authorization', 'Bearer made-up']);
    });
    expect(violations).toEqual([
      {
        what: 'zai saw a GET with a credential that no client sent',
        saw: { zai: 'authorization' },
        pointers: ['zai:u-ready-zai'],
      },
    ]);
  });

  it('lists readiness probes apart', () => {
    expect(verdictOf('RECONCILE-01').note).toBe('2 readiness probes of the proxy, listed apart');
  });
});

describe('RECONCILE-02', () => {
  it('fails when a completion is missing', () => {
    const { outcome } = verdictOf('RECONCILE-02', ({ usage }) => {
      usage.events = usage.events.filter(({ rid, event }) => rid !== 'sonnet-json' || event !== 'completion');
    });
    expect(outcome).toBe('fail');
  });

  it('fails when a completion is doubled, under the same rid or another', () => {
    for (const rid of ['sonnet-json', 'other']) {
      const { outcome } = verdictOf('RECONCILE-02', (evidence) => {
        evidence.usage.events.push({ ...structuredClone(completionIn(evidence, 'sonnet-json')), rid });
      });
      expect(outcome).toBe('fail');
    }
  });

  it.each(['decision', 'stream_start'])('fails when a %s line is missing', (event) => {
    const { outcome } = verdictOf('RECONCILE-02', ({ usage }) => {
      usage.events = usage.events.filter((line) => line.rid !== 'haiku-stream' || line.event !== event);
    });
    expect(outcome).toBe('fail');
  });

  it('expects no decision of a request that was refused at the door', () => {
    const { outcome } = verdictOf('RECONCILE-02', (evidence) => {
      completionIn(evidence, 'head').attempts = [];
      evidence.usage.events = evidence.usage.events.filter(
        ({ rid, event }) => rid !== 'head' || event === 'completion',
      );
    });
    expect(outcome).toBe('pass');
  });
});

describe('RECONCILE-03', () => {
  it.each([
    ['lane', { lane: 'zai' }],
    ['provider', { provider: 'zai' }],
    ['model', { model: 'claude-opus-4' }],
    ['status', { status: 201 }],
    ['h2', { h2: false }],
    ['header_mode', { header_mode: 'authorization' as const }],
    ['path', { path: '/v1/other' }],
    ['bytes_in', { bytes_in: 1 }],
    ['bytes_out', { bytes_out: 1 }],
    ['served_model', { served_model: 'x' }],
    [
      'sse.events',
      { sse: { events: 7, chunks: 8, bytes: 1, duration_ms: 1, max_gap_ms: 1, finished: true } },
    ],
    [
      'sse.finished',
      { sse: { events: 8, chunks: 8, bytes: 1, duration_ms: 1, max_gap_ms: 1, finished: false } },
    ],
  ])('fails when the log has another %s', (fact, change) => {
    const { outcome, violations } = verdictOf('RECONCILE-03', (evidence) =>
      Object.assign(completionIn(evidence, 'sonnet-stream'), change),
    );
    expect(outcome).toBe('fail');
    expect(violations[0]?.what).toContain(fact);
  });

  it('fails when the log claims HTTP/2 and HTTP/1.1 was spoken', () => {
    const { outcome } = verdictOf('RECONCILE-03', ({ upstream }) => {
      pick(upstream, 'u-sonnet-json').http = '1.1';
    });
    expect(outcome).toBe('fail');
  });

  it('fails when an attempt before the last is told otherwise than it was', () => {
    const { outcome } = verdictOf('RECONCILE-03', ({ upstream }) => {
      responseOf(pick(upstream, 'u-haiku-fallback-1')).status = 500;
    });
    expect(outcome).toBe('fail');
  });

  it('does not ask for what a request refused at the door was not read for, but for its status', () => {
    const refused = (status: number) =>
      verdictOf('RECONCILE-03', (evidence) => {
        evidence.upstream = evidence.upstream.filter(({ id }) => id !== 'u-sonnet-json-1');
        responseOf(pick(evidence.client, 'c-sonnet-json')).status = 413;
        const nothingRead = { model: null, bytes_in: 0, attempts: [], status };
        Object.assign(completionIn(evidence, 'sonnet-json'), nothingRead);
      }).outcome;
    expect([refused(413), refused(400)]).toEqual(['pass', 'fail']);
  });
});
