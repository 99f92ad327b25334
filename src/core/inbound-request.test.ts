import { describe, expect, it } from 'vitest';
import { bufferedOp, pathOf } from './inbound-request.ts';

describe('a request is taken in whole', () => {
  it.each<[string, string, 'messages' | 'count_tokens' | null]>([
    ['POST', '/v1/messages', 'messages'],
    ['POST', '/v1/messages/count_tokens', 'count_tokens'],
    ['GET', '/v1/messages', null],
    ['post', '/v1/messages', null],
    ['POST', '/v1/messages/', null],
    ['POST', '/v1/messages/batches', null],
    ['POST', '/V1/messages', null],
    ['POST', '/x/v1/messages', null],
    ['HEAD', '/', null],
  ])('or not, by method and path: %s %s', (method, path, op) => {
    expect(bufferedOp(method, path)).toBe(op);
  });
});

describe('a path', () => {
  it.each([
    ['/v1/messages?beta=true', '/v1/messages'],
    ['/v1/models', '/v1/models'],
    ['http://me:secret@host/x', ''],
  ])('of %s is %j', (target, path) => {
    expect(pathOf(target)).toBe(path);
  });
});
