import { describe, expect, it } from 'vitest';
import { bufferedOp, isWholeAnswer } from './inbound-request.ts';

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

describe('an answer is one document', () => {
  it.each(['nonstream', 'count_tokens', 'models'] as const)('of %s', (op) => {
    expect(isWholeAnswer(op)).toBe(true);
  });

  it.each(['stream', 'other'] as const)('not of %s', (op) => {
    expect(isWholeAnswer(op)).toBe(false);
  });
});
