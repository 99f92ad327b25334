import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { contentOf, lifeIn, pick, replaceBody, responseOf, verdictOf } from '../testing/green-run.ts';

const HAIKU = 'claude-haiku-4-5-20251001';

describe('BYTES-01', () => {
  it('fails when a body was serialised anew, matched by request id or by canary', () => {
    for (const id of ['u-sonnet-json', 'u-haiku-stream']) {
      const { outcome } = verdictOf('BYTES-01', ({ upstream }) => {
        const { body } = pick(upstream, id).request;
        replaceBody(body, JSON.stringify(JSON.parse(contentOf(body).toString()), null, 1));
      });
      expect(outcome).toBe('fail');
    }
  });

  it.each([
    [
      'accepts another body on a lane whose catalog entry says that it rewrites',
      { [HAIKU]: 'glm-5' },
      'pass',
    ],
    ['accepts none on a lane whose entry rewrites nothing', {}, 'fail'],
  ])('%s', (_title, rewrite_model, expected) => {
    const { outcome } = verdictOf('BYTES-01', (evidence) => {
      const { body } = pick(evidence.upstream, 'u-haiku-stream').request;
      replaceBody(body, contentOf(body).toString().replace(HAIKU, 'glm-5'));
      lifeIn(evidence).answers.providers = { providers: [{ id: 'zai', lane: 'zai', rewrite_model }] };
    });
    expect(outcome).toBe(expected);
  });
});

describe('BYTES-02', () => {
  it('fails when a compressed answer was decoded on the way', () => {
    const { outcome } = verdictOf('BYTES-02', ({ client }) => {
      const { body } = responseOf(pick(client, 'c-sonnet-stream'));
      replaceBody(body, gunzipSync(contentOf(body)));
    });
    expect(outcome).toBe('fail');
  });

  it('fails when the end is missing and the client had not left', () => {
    const { outcome } = verdictOf('BYTES-02', ({ client }) => {
      const { body } = responseOf(pick(client, 'c-sonnet-json'));
      replaceBody(body, contentOf(body).subarray(0, -1));
    });
    expect(outcome).toBe('fail');
  });

  it('fails when a client that left had got other bytes', () => {
    const { outcome } = verdictOf('BYTES-02', ({ client }) => {
      const { body } = responseOf(pick(client, 'c-sonnet-aborted'));
      replaceBody(body, contentOf(body).fill('x'));
    });
    expect(outcome).toBe('fail');
  });
});

describe('BYTES-03', () => {
  it.each([
    ['the query string is lost', '/v1/messages'],
    ['the query string is encoded anew', '/v1/messages?beta=%74rue'],
    ['a path segment is added', '/other/v1/messages?beta=true'],
  ])('fails when %s', (_what, target) => {
    const { outcome } = verdictOf('BYTES-03', ({ upstream }) => {
      pick(upstream, 'u-sonnet-json').request.target = target;
    });
    expect(outcome).toBe('fail');
  });
});

it.each(['BYTES-01', 'BYTES-02', 'BYTES-03'])('%s is inconclusive when upstreams saw no client', (id) => {
  const { outcome } = verdictOf(id, (evidence) => {
    evidence.upstream = evidence.upstream.filter(({ id: name }) => name.startsWith('u-ready'));
  });
  expect(outcome).toBe('inconclusive');
});
