import { describe, expect, it } from 'vitest';
import { completionIn, lifeIn, pick, responseOf, verdictOf } from '../testing/green-run.ts';

describe('READY-01', () => {
  it('fails on another status than 200', () => {
    const { outcome } = verdictOf('READY-01', (evidence) => {
      const { answers } = lifeIn(evidence);
      if (answers.readyz) answers.readyz.status = 503;
    });
    expect(outcome).toBe('fail');
  });

  it('fails when a provider is not ok or not there', () => {
    const { violations } = verdictOf('READY-01', (evidence) => {
      const { answers } = lifeIn(evidence);
      if (answers.readyz) answers.readyz.body = { providers: { anth: { ok: false, reason: 'net' } } };
    });
    expect(violations.map(({ saw }) => saw?.['proxy'])).toEqual(['net', 'no entry']);
  });

  it('fails when an upstream was never asked, or gave another answer', () => {
    const never = verdictOf('READY-01', (evidence) => {
      evidence.upstream = evidence.upstream.filter(({ id }) => id !== 'u-ready-zai');
    });
    const other = verdictOf('READY-01', ({ upstream }) => {
      responseOf(pick(upstream, 'u-ready-zai')).status = 503;
    });
    expect([never.outcome, other.outcome]).toEqual(['fail', 'fail']);
  });

  it('does not say that an upstream was never asked where it was asked with a credential', () => {
    const { outcome } = verdictOf('READY-01', ({ upstream }) => {
      pick(upstream, 'u-ready-zai').request.headers.push(['x-api-key', 'made-up']);
    });
    expect(outcome).toBe('pass');
  });
});

describe('LANES-01', () => {
  it('fails when a lane is not listed', () => {
    const { outcome, violations } = verdictOf('LANES-01', (evidence) => {
      const { answers } = lifeIn(evidence);
      answers.providers = [{ id: 'anth', lane: 'anthropic' }];
    });
    expect(outcome).toBe('fail');
    expect(violations[0]?.what).toContain('zai');
  });
});

describe('OWN-01', () => {
  const path = '/v1/usage/mistyped';
  const refused = (status: number, error: object) => ({
    status,
    body: JSON.stringify({ type: 'error', error }),
  });
  const own = { type: 'not_found_error', message: `ccp: no GET ${path} here` };

  it.each([
    ['of an upstream', refused(404, { type: 'not_found_error', message: 'Not found' })],
    ['of another type', refused(404, { ...own, type: 'invalid_request_error' })],
    ['with another status', refused(200, own)],
    ['in another shape', { status: 404, body: 'ccp: not found' }],
    ['that never came', null],
  ])('fails on an answer %s', (_, answer) => {
    const { outcome, violations } = verdictOf('OWN-01', (evidence) => {
      lifeIn(evidence).answers.beneath = [{ path, answer }];
    });
    expect(outcome).toBe('fail');
    expect(violations).toMatchObject([{ what: `${path} was not refused by ccp` }]);
  });

  it('fails when an upstream was asked, whatever the client got, and tells of the credential', () => {
    const { outcome, violations } = verdictOf('OWN-01', ({ upstream }) => {
      const { request } = pick(upstream, 'u-ready-zai');
      request.target = `/api/anthropic/${path}?a=1`;
      request.headers.push(['x-api-key', 'made-up']);
    });
    expect(outcome).toBe('fail');
    expect(violations).toMatchObject([
      {
        what: `zai was asked with a credential for ${path}, which was for ccp to answer`,
        saw: { zai: 'x-api-key' },
      },
    ]);
  });

  it('can say nothing where one life was not asked', () => {
    const { outcome } = verdictOf('OWN-01', (evidence) => {
      lifeIn(evidence).answers.beneath = null;
    });
    expect(outcome).toBe('inconclusive');
  });
});

describe('METRICS-01', () => {
  it('fails when a counter disagrees with the log, in either direction', () => {
    const more = verdictOf('METRICS-01', (evidence) => {
      const { answers } = lifeIn(evidence);
      answers.metrics = (answers.metrics ?? '').replace(/(ccp_requests_total.*) 1$/m, '$1 2');
    });
    const fewer = verdictOf('METRICS-01', (evidence) => {
      lifeIn(evidence).answers.metrics = 'ccp_inflight 0\n';
    });
    const strange = verdictOf('METRICS-01', (evidence) => {
      const { answers } = lifeIn(evidence);
      answers.metrics += 'ccp_requests_total{lane="x",op="stream",status="200",decision="to_x"} 1\n';
    });
    expect([more.outcome, fewer.outcome, strange.outcome]).toEqual(['fail', 'fail', 'fail']);
  });

  it('fails when the tokens disagree', () => {
    const { outcome, violations } = verdictOf('METRICS-01', (evidence) => {
      const { tokens } = completionIn(evidence, 'haiku-stream');
      if (tokens) tokens.output += 1;
    });
    expect(outcome).toBe('fail');
    expect(violations[0]?.what).toContain('zai output');
  });

  it('can say nothing of an exposition that is none', () => {
    const { outcome } = verdictOf('METRICS-01', (evidence) => {
      const { answers } = lifeIn(evidence);
      answers.metrics = '<html>';
    });
    expect(outcome).toBe('invalid');
  });
});
