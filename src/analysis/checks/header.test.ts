import { describe, expect, it } from 'vitest';
import { completionIn, greenRun, pick, verdictOf } from '../testing/green-run.ts';

const keyOf = (name: string): string =>
  greenRun().canaries.find((canary) => canary.name === name)?.value ?? '';

describe('HEADER-01', () => {
  it('fails on a header mode in a completion of the Anthropic lane', () => {
    const { outcome } = verdictOf('HEADER-01', (evidence) => {
      completionIn(evidence, 'sonnet-stream').header_mode = 'x-api-key';
    });
    expect(outcome).toBe('fail');
  });

  it('fails on a header mode in an attempt on anth', () => {
    const { outcome } = verdictOf('HEADER-01', (evidence) => {
      for (const attempt of completionIn(evidence, 'haiku-fallback').attempts)
        attempt.header_mode = 'authorization';
    });
    expect(outcome).toBe('fail');
  });

  it('is inconclusive without a record of the Anthropic lane', () => {
    const { outcome } = verdictOf('HEADER-01', ({ usage }) => {
      usage.events = usage.events.filter(({ lane }) => lane === 'zai');
    });
    expect(outcome).toBe('inconclusive');
  });
});

describe('HEADER-02', () => {
  it.each([
    ["the client's key beside its own", 'x-other', keyOf('anthropic-key')],
    [
      "the client's key in base64",
      'x-other',
      Buffer.from(`user:${keyOf('anthropic-key')}`).toString('base64'),
    ],
    ['a second credential', 'authorization', 'Bearer something-else'],
    ['a cookie', 'Cookie', 'a=b'],
  ])('fails when zai sees %s', (_what, name, value) => {
    const { outcome, violations } = verdictOf('HEADER-02', ({ upstream }) => {
      pick(upstream, 'u-haiku-stream').request.headers.push([name, value]);
    });
    expect(outcome).toBe('fail');
    expect(JSON.stringify(violations)).not.toContain(keyOf('anthropic-key'));
  });

  it('says where a key was that does not belong there, and in which disguise', () => {
    const key = keyOf('anthropic-key');
    const { violations } = verdictOf('HEADER-02', ({ upstream }) => {
      const { headers } = pick(upstream, 'u-haiku-stream').request;
      headers.push(['x-odd', Buffer.from(key).toString('base64')], [`x-${key}`, 'true']);
    });
    expect(violations.find(({ what }) => what === 'zai was sent the anthropic-key')?.saw).toEqual({
      zai: 'in x-odd, base64; in the name of a header, plain',
    });
  });

  it('fails when zai is given no key at all', () => {
    const { outcome } = verdictOf('HEADER-02', ({ upstream }) => {
      const { request } = pick(upstream, 'u-haiku-stream');
      request.headers = request.headers.filter(([name]) => name !== 'x-api-key');
    });
    expect(outcome).toBe('fail');
  });

  it("fails when Anthropic sees the Z.AI key, also in the proxy's own probe only", () => {
    const { outcome } = verdictOf('HEADER-02', ({ upstream }) => {
      pick(upstream, 'u-ready-anth').request.headers.push(['x-api-key', keyOf('zai-key')]);
    });
    expect(outcome).toBe('fail');
  });

  it("fails when Anthropic is not given the client's own credential", () => {
    const { outcome } = verdictOf('HEADER-02', ({ upstream }) => {
      const { request } = pick(upstream, 'u-sonnet-json');
      request.headers = request.headers.filter(([name]) => name !== 'x-api-key');
    });
    expect(outcome).toBe('fail');
  });

  it('accepts the other header mode', () => {
    const { outcome } = verdictOf('HEADER-02', ({ upstream }) => {
      const { request } = pick(upstream, 'u-haiku-stream');
      request.headers = request.headers.map(([name, value]) =>
        name === 'x-api-key' ? ['authorization', `Bearer ${value}`] : [name, value],
      );
    });
    expect(outcome).toBe('pass');
  });
});

const overHttp1 = (change: (headers: [string, string][]) => [string, string][]) =>
  verdictOf('HEADER-03', ({ client, upstream }) => {
    const seen = pick(upstream, 'u-sonnet-stream');
    seen.http = '1.1';
    const sent = pick(client, 'c-sonnet-stream').request.headers.map(([name, value]): [string, string] => [
      name,
      value,
    ]);
    seen.request.headers = change(sent.filter(([name]) => name !== 'X-Hop'));
  });

describe('HEADER-03', () => {
  it.each<[string, (header: [string, string]) => [string, string][]]>([
    ['dropped', () => []],
    ['rewritten', () => [['anthropic-beta', 'something-else']]],
    ['doubled', (header) => [header, header]],
  ])('fails when anthropic-beta was %s', (_what, change) => {
    const { outcome, violations } = verdictOf('HEADER-03', ({ upstream }) => {
      const { request } = pick(upstream, 'u-sonnet-stream');
      request.headers = request.headers.flatMap(([name, value]): [string, string][] =>
        name === 'anthropic-beta' ? change([name, value]) : [[name, value]],
      );
    });
    expect(outcome).toBe('fail');
    expect(violations[0]?.what).toContain('anthropic-beta');
  });

  it('accepts over HTTP/1.1 what arrived in the same order and case', () => {
    expect(overHttp1((headers) => headers).outcome).toBe('pass');
  });

  it('fails over HTTP/1.1 when order, case or duplicates change', () => {
    expect(overHttp1((headers) => headers.toReversed()).outcome).toBe('fail');
    expect(overHttp1((headers) => headers.map(([name, value]) => [name.toLowerCase(), value])).outcome).toBe(
      'fail',
    );
    expect(overHttp1((headers) => headers.filter(([, value]) => value !== 'b')).outcome).toBe('fail');
  });

  it('fails on another content-length', () => {
    const { violations } = verdictOf('HEADER-03', ({ upstream }) => {
      pick(upstream, 'u-sonnet-json').request.headers.push(['content-length', '1']);
    });
    expect(violations[0]?.what).toContain('content-length');
  });

  it('is inconclusive when Anthropic saw no client request', () => {
    const { outcome } = verdictOf('HEADER-03', (evidence) => {
      evidence.upstream = evidence.upstream.filter(({ observer }) => observer === 'zai');
    });
    expect(outcome).toBe('inconclusive');
  });
});
