import { describe, expect, it } from 'vitest';
import { headerValue, requestHeaders, responseHeaders } from './header-policy.ts';
import { ANTH, keyed } from './testing/providers.ts';

/** `Name: value` lines as the flat list that Node and undici keep. */
const flat = (...lines: string[]): string[] =>
  lines.flatMap((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);

const CREDENTIALS = flat(
  'Authorization: Bearer x',
  'X-API-Key: x',
  'api-key: x',
  'X-Auth-Token: x',
  'Cookie: x',
  'cookie2: x',
  'Anthropic-Organization-Id: x',
  'x-organisation: x',
  'X-Account-Id: x',
  'anthropic-workspace: x',
  'x-anything: prefix sk-ant-api03-x',
);

describe('the headers of a request', () => {
  it('keep order, case and duplicates', () => {
    const headers = flat('X-B: 1', 'x-a: 2', 'X-b: 3', 'x-a: 2');
    expect(requestHeaders(headers, ANTH)).toEqual(headers);
  });

  it.each([
    'Connection',
    'KEEP-ALIVE',
    'Proxy-Authenticate',
    'proxy-authorization',
    'Proxy-Connection',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'upgrade',
    'Host',
    'Content-Length',
    'Expect',
    'X-Ccp-Token',
  ])('lose %s, which is of this hop or made anew', (name) => {
    expect(requestHeaders([name, 'x', 'x-kept', '1'], ANTH)).toEqual(['x-kept', '1']);
  });

  it('lose what any Connection header names, in any case and with any spaces', () => {
    const headers = flat(
      'X-Foo: 1',
      'Connection: close, x-FOO ,',
      'x-bar: 2',
      'connection: X-Bar',
      'x-kept: 3',
    );
    expect(requestHeaders(headers, ANTH)).toEqual(['x-kept', '3']);
  });

  it('do not lose a header whose name is merely a word of Connection', () => {
    const headers = flat('Connection: close, keep-alive', 'close: 1');
    expect(requestHeaders(headers, ANTH)).toEqual(['close', '1']);
  });

  it('carry the client\u2019s credentials to Anthropic and nothing else', () => {
    expect(requestHeaders(CREDENTIALS, ANTH)).toEqual(CREDENTIALS);
  });

  it.each([
    ['x-api-key', 'made-up'],
    ['authorization', 'Bearer made-up'],
  ] as const)(
    'carry the provider\u2019s own credential as %s, and none of the client\u2019s',
    (mode, value) => {
      expect(requestHeaders([...CREDENTIALS, 'x-kept', '1'], keyed(mode))).toEqual([
        'x-kept',
        '1',
        mode,
        value,
      ]);
    },
  );

  it('carry no credential at all where the provider\u2019s key is not set', () => {
    const keyless = keyed('x-api-key', {
      auth: { kind: 'key', headerMode: 'x-api-key', env: 'ZAI_API_KEY', key: null },
    });
    expect(requestHeaders(CREDENTIALS, keyless)).toEqual([]);
  });

  it('lose what the provider must not see', () => {
    const provider = keyed('x-api-key', { dropHeaders: ['anthropic-beta'] });
    expect(requestHeaders(flat('Anthropic-Beta: a', 'anthropic-version: b'), provider)).toEqual(
      flat('anthropic-version: b', 'x-api-key: made-up'),
    );
  });

  it('state the length of the body where it is known', () => {
    expect(requestHeaders(flat('content-length: 5', 'x: 1'), ANTH, 7)).toEqual(
      flat('x: 1', 'content-length: 7'),
    );
  });

  it('are a fresh copy each time', () => {
    const received = flat('authorization: Bearer x');
    requestHeaders(received, keyed());
    expect(requestHeaders(received, ANTH)).toEqual(flat('authorization: Bearer x'));
  });
});

describe('the headers of an answer', () => {
  it('keep everything but those of the hop', () => {
    const passing = flat(
      'Date: x',
      'Set-Cookie: a',
      'set-cookie: b',
      'Content-Length: 5',
      'content-encoding: br',
    );
    const hop = flat(
      'Connection: x-foo',
      'X-Foo: 1',
      'Transfer-Encoding: chunked',
      'Keep-Alive: timeout=5',
      'trailer: x',
    );
    expect(responseHeaders([...hop, ...passing])).toEqual(passing);
  });
});

describe('the value of a header', () => {
  it('is that of the first by that name, in any case', () => {
    expect(headerValue(flat('X-Ab: 1', 'x-ab: 2'), 'x-ab')).toBe('1');
  });

  it('is not mistaken for a name', () => {
    expect(headerValue(['x', 'date', 'date', '1'], 'date')).toBe('1');
    expect(headerValue(['x', 'date'], 'date')).toBeUndefined();
  });
});
