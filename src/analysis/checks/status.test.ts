import { describe, expect, it } from 'vitest';
import { contentOf, pick, replaceBody, responseOf, verdictOf } from '../testing/green-run.ts';

describe('STATUS-01', () => {
  it('fails on another status', () => {
    const { outcome, violations } = verdictOf('STATUS-01', ({ client }) => {
      responseOf(pick(client, 'c-sonnet-limited')).status = 500;
    });
    expect(outcome).toBe('fail');
    expect(violations[0]).toMatchObject({ expected: '429', saw: { anth: '429', client: '500' } });
  });

  it('fails on a rewritten error body, and shows from where on it is another', () => {
    const { outcome, violations } = verdictOf('STATUS-01', ({ client }) => {
      const { body } = responseOf(pick(client, 'c-sonnet-limited'));
      replaceBody(body, contentOf(body).toString().replace('slow down', 'later'));
    });
    expect(outcome).toBe('fail');
    expect(violations[0]?.saw).toEqual({
      anth: '74 bytes: …"rate_limit_error","message":"slow down"}}',
      client: '70 bytes: …"rate_limit_error","message":"later"}}',
    });
  });

  it.each(['retry-after', 'request-id', 'anthropic-ratelimit-requests-limit'])(
    'fails when %s is lost',
    (name) => {
      const { outcome, violations } = verdictOf('STATUS-01', ({ client }) => {
        const response = responseOf(pick(client, 'c-sonnet-limited'));
        response.headers = response.headers.filter(([key]) => key !== name);
      });
      expect(outcome).toBe('fail');
      expect(violations[0]?.what).toContain(name);
    },
  );

  it('fails when a retry-after is invented', () => {
    const { outcome } = verdictOf('STATUS-01', ({ client }) => {
      responseOf(pick(client, 'c-haiku-stream')).headers.push(['retry-after', '60']);
    });
    expect(outcome).toBe('fail');
  });

  it('judges nothing but whole answers', () => {
    const { outcome } = verdictOf('STATUS-01', ({ upstream }) => {
      for (const transcript of upstream) transcript.ending = 'ended_by_self';
    });
    expect(outcome).toBe('inconclusive');
  });

  it('expects a redirect of a provider that is not anth to be withheld', () => {
    const { outcome } = verdictOf('STATUS-01', ({ client, upstream }) => {
      responseOf(pick(upstream, 'u-haiku-stream')).status = 307;
      responseOf(pick(client, 'c-haiku-stream')).status = 502;
    });
    expect(outcome).toBe('pass');
  });
});
