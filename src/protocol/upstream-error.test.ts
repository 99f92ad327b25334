import { describe, expect, it } from 'vitest';
import type { ErrorFacts } from './error-body.ts';
import { readUpstreamError, type UpstreamError } from './upstream-error.ts';

const NOW = Date.parse('2026-07-03T02:00:00Z');

interface Case {
  readonly status: number;
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly error?: ErrorFacts;
}

function readCase({ status, body, headers = {}, error }: Case): UpstreamError | null {
  return readUpstreamError({
    status,
    headers: (name) => headers[name],
    body: body === undefined ? null : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    now: NOW,
    error,
  });
}

/** Z.AI's bodies: the code stood in `type` in 2025; since 2026 in `code` and in the message. */
const in2025 = (code: string, message: string): object => ({
  type: 'error',
  error: { type: code, message },
  request_id: '20251110101010fixture',
});
const in2026 = (code: string, message: string, type = 'rate_limit_error'): object => ({
  type: 'error',
  error: { type, code, message: `[${code}][${message}][20260703100000fixture]` },
  request_id: '20260703100000fixture',
});

const auth = { kind: 'auth', errType: 'auth', cause: 'auth' };
const throttle = { kind: 'throttle', errType: 'limit', cause: 'limit' };
const window = { kind: 'window', errType: 'limit', cause: 'limit' };
const balance = { kind: 'balance', errType: 'limit', cause: 'limit' };
const plan = { kind: 'plan', errType: 'limit', cause: 'limit' };
const overload = { kind: 'overload', errType: 'overloaded', cause: 'overload' };
const request = { kind: 'request', errType: 'http_4xx', cause: null };
const server = { kind: 'server', errType: 'http_5xx', cause: 'net' };
const unknown = { kind: 'unknown', errType: 'protocol', cause: null };

describe('a refusal of Z.AI', () => {
  const fiveHours = 'Usage limit reached for 5 hour. Your limit will reset at 2026-07-03 11:11:54';
  const week = 'Weekly/Monthly Limit Exhausted. Your limit will reset at 2026-07-09 00:00:00';

  it.each<[code: string, status: number, message: string, meaning: object]>([
    ['401', 401, 'token expired or incorrect', auth],
    ['1001', 401, 'Header中未收到Authorization参数', auth],
    ['1113', 429, 'Insufficient balance or no resource package. Please recharge.', balance],
    ['1210', 400, 'Invalid API parameter', request],
    ['1211', 400, 'Unknown Model', request],
    ['1214', 400, 'The messages parameter is illegal.', request],
    ['1261', 400, 'Prompt exceeds max length', request],
    ['1301', 400, 'potentially unsafe or sensitive content', request],
    ['1302', 429, 'Rate limit reached for requests', throttle],
    ['1305', 529, 'The service may be temporarily overloaded', overload],
    ['1305', 429, 'The service may be temporarily overloaded', overload],
    ['1308', 429, fiveHours, { ...window, resetsAt: Date.parse('2026-07-03T03:11:54Z') }],
    ['1310', 429, week, { ...window, resetsAt: Date.parse('2026-07-08T16:00:00Z') }],
    ['1311', 429, 'Your plan does not include this model', plan],
    ['1313', 429, 'Fair use policy', plan],
    ['1316', 429, fiveHours, { ...window, resetsAt: Date.parse('2026-07-03T03:11:54Z') }],
    ['1317', 429, week, { ...window, resetsAt: Date.parse('2026-07-08T16:00:00Z') }],
    ['500', 500, 'error text of some service', server],
  ])(
    'with code %s and status %i is told apart in every place a code may stand',
    (code, status, message, meaning) => {
      const bracketed = { type: 'error', error: { type: 'api_error', message: `[${code}][${message}][id]` } };
      const native = { code: Number(code), msg: message, success: false };
      for (const body of [in2025(code, message), in2026(code, message), bracketed, native]) {
        expect(readCase({ status, body })).toEqual(meaning);
        // The same inside a success, and as an event or a body that was read before.
        expect(readCase({ status: 200, body })).toEqual(meaning);
      }
      expect(readCase({ status: 200, error: { type: 'error', code, message } })).toEqual(meaning);
    },
  );

  it('has no reset where none is stated, or where the stamp is none', () => {
    expect(readCase({ status: 429, body: in2026('1308', 'Usage limit reached for 5 hour.') })).toEqual(
      window,
    );
    const impossible = 'Your limit will reset at 2026-13-40 25:00:00';
    expect(readCase({ status: 429, body: in2026('1310', impossible) })).toEqual(window);
  });

  it('has no reset where the wait is short, whatever its message says', () => {
    expect(readCase({ status: 429, body: in2026('1302', fiveHours) })).toEqual(throttle);
  });

  it('may state its wait in the body; the header comes first', () => {
    const body = { ...in2025('1302', 'Rate limit reached for requests'), 'retry-after': '40' };
    expect(readCase({ status: 429, body })).toEqual({ ...throttle, retryAfterMs: 40_000 });
    expect(readCase({ status: 429, body, headers: { 'retry-after': '2' } })).toMatchObject({
      retryAfterMs: 2000,
    });
  });

  it('of a message that only speaks of a code is not taken for one', () => {
    const body = { error: { type: 'invalid_request_error', message: 'see [1308] and "code":"1113"' } };
    expect(readCase({ status: 400, body })).toEqual(request);
  });

  it('by validation, without an error object, is judged by its status', () => {
    const body = { detail: [{ type: 'literal_error', loc: ['body', 'messages', 1, 'role'] }] };
    expect(readCase({ status: 422, body })).toEqual(request);
  });
});

describe('a refusal of Anthropic', () => {
  const of = (type: string): object => ({
    type: 'error',
    error: { type, message: 'm' },
    request_id: 'req_1',
  });

  it.each<[status: number, type: string, meaning: object]>([
    [400, 'invalid_request_error', request],
    [401, 'authentication_error', auth],
    [402, 'billing_error', balance],
    [403, 'permission_error', { kind: 'permission', errType: 'auth', cause: 'auth' }],
    [404, 'not_found_error', request],
    [413, 'request_too_large', request],
    [429, 'rate_limit_error', throttle],
    [500, 'api_error', server],
    [504, 'timeout_error', server],
    [529, 'overloaded_error', overload],
  ])('with status %i and %s means the same by status, by type and in a stream', (status, type, meaning) => {
    expect(readCase({ status, body: of(type) })).toEqual(meaning);
    expect(readCase({ status })).toEqual(meaning);
    expect(readCase({ status: 200, body: of(type) })).toEqual(meaning);
    expect(readCase({ status: 200, error: { type, message: 'm' } })).toEqual(meaning);
  });

  it.each<[status: number, body: object | string | undefined, meaning: object]>([
    [429, of('billing_error'), balance],
    [429, of('overloaded_error'), overload],
    [500, of('overloaded_error'), overload],
    [401, of('invalid_request_error'), auth],
    [529, of('api_error'), overload],
    [408, undefined, request],
    [409, undefined, request],
    [502, '<html>Bad Gateway</html>', server],
    [503, '', server],
    [429, 'not JSON', throttle],
    [200, of('surprise'), unknown],
  ])('with status %i and %j goes by the one that says more', (status, body, meaning) => {
    expect(readCase({ status, ...(body !== undefined && { body }) })).toEqual(meaning);
  });

  const unified = {
    'anthropic-ratelimit-unified-status': 'rejected',
    'anthropic-ratelimit-unified-representative-claim': 'five_hour',
    'anthropic-ratelimit-unified-5h-reset': '1774472400',
    'anthropic-ratelimit-unified-7d-reset': '1774900000',
    'retry-after': '2094',
  };

  it.each<[title: string, headers: Record<string, string>, meaning: object]>([
    [
      'by the reset of all',
      { ...unified, 'anthropic-ratelimit-unified-reset': '1774472401' },
      { resetsAt: 1_774_472_401_000 },
    ],
    ['by the window named as the cause', unified, { resetsAt: 1_774_472_400_000 }],
    [
      'by the other window',
      { ...unified, 'anthropic-ratelimit-unified-representative-claim': 'seven_day' },
      { resetsAt: 1_774_900_000_000 },
    ],
    [
      'not at all for a cause that is not known',
      { ...unified, 'anthropic-ratelimit-unified-representative-claim': 'x' },
      {},
    ],
    [
      'not at all for a reset that is no number',
      { ...unified, 'anthropic-ratelimit-unified-5h-reset': 'soon' },
      {},
    ],
  ])('of a subscription states when its window opens: %s', (_title, headers, stated) => {
    const meaning = { ...window, retryAfterMs: 2_094_000, ...stated };
    expect(readCase({ status: 429, body: of('rate_limit_error'), headers })).toEqual(meaning);
  });

  it('is no exhausted window while the subscription is only warned', () => {
    const headers = { ...unified, 'anthropic-ratelimit-unified-status': 'allowed_warning' };
    expect(readCase({ status: 429, headers })).toEqual({ ...throttle, retryAfterMs: 2_094_000 });
    expect(readCase({ status: 529, headers: unified })).toEqual({ ...overload, retryAfterMs: 2_094_000 });
  });
});

describe('retry-after', () => {
  it.each<[string, number | undefined]>([
    ['0', 0],
    ['40', 40_000],
    [' 40 ', 40_000],
    ['Fri, 03 Jul 2026 02:00:30 GMT', 30_000],
    ['Fri, 03 Jul 2026 01:00:00 GMT', 0],
    ['1.5', undefined],
    ['-1', undefined],
    ['soon', undefined],
    ['soon GMT', undefined],
    ['', undefined],
    ['99999999999999999999', undefined],
  ])('of %j is read as stated, or not at all', (value, retryAfterMs) => {
    const result = readCase({ status: 503, headers: { 'retry-after': value } });
    expect(result).toEqual(retryAfterMs === undefined ? server : { ...server, retryAfterMs });
  });
});

describe('a success', () => {
  it.each<[number, object | string | undefined]>([
    [200, undefined],
    [200, ''],
    [200, { type: 'message', content: [], usage: {} }],
    [200, { type: 'message_start', message: {} }],
    [200, { input_tokens: 0 }],
    [204, undefined],
    [301, '<html>'],
  ])('is no error: status %i and %j', (status, body) => {
    expect(readCase({ status, ...(body !== undefined && { body }) })).toBeNull();
  });
});
