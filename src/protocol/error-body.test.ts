import { describe, expect, it } from 'vitest';
import { errorBody, readErrorBody } from './error-body.ts';

describe('errorBody', () => {
  it("has Anthropic's shape", () => {
    expect(errorBody('request_too_large', 'at most "64 MiB"', 'req_1')).toBe(
      '{"type":"error","error":{"type":"request_too_large","message":"at most \\"64 MiB\\""},"request_id":"req_1"}',
    );
  });

  it('leaves out a request id that there is not', () => {
    expect(errorBody('api_error', 'x')).toBe('{"type":"error","error":{"type":"api_error","message":"x"}}');
  });
});

describe('readErrorBody', () => {
  it('reads what errorBody writes', () => {
    const body: unknown = JSON.parse(errorBody('overloaded_error', 'Overloaded', 'req_1'));
    expect(readErrorBody(body)).toEqual({ type: 'overloaded_error', message: 'Overloaded' });
  });

  it.each([
    [
      { type: 'error', error: { type: '1308', message: 'm' } },
      { type: '1308', message: 'm' },
    ],
    [{ error: { code: 1302, message: 'm' } }, { type: 'error', code: '1302', message: 'm' }],
    [
      { code: 401, msg: 'token expired', success: false },
      { type: 'error', code: '401', message: 'token expired' },
    ],
    [
      { type: 'error', message: 'm' },
      { type: 'error', message: 'm' },
    ],
    [{ error: 'not_found' }, { type: 'error', message: 'not_found' }],
    [{ error: { type: {}, message: null } }, { type: 'error', message: '' }],
    [
      { type: 'error', error: { code: '1302', message: 'm' }, 'retry-after': '40' },
      { type: 'error', code: '1302', message: 'm', retryAfter: '40' },
    ],
  ])('reads %j', (body, error) => {
    expect(readErrorBody(body)).toEqual(error);
  });

  it.each([
    null,
    'error',
    [{ error: {} }],
    {},
    { error: null },
    { type: 'message', content: [], model: 'm' },
    { code: 200, msg: 'ok', success: true },
    { detail: [{ type: 'literal_error' }] },
  ])('finds no error in %j', (body) => {
    expect(readErrorBody(body)).toBeNull();
  });
});
