import { describe, expect, it } from 'vitest';
import { drivenBy, driveOf, lanesOf } from './drivers.ts';

const ours = { upstream: 'mock', target: { kind: 'builtin' } } as const;
const SOAK = { kind: 'soak', rounds: 3, roundMs: 2_000 } as const;
const LIMITS = { kind: 'limits', lane: 'zai', maxRequests: 100, mockWindow: 25 } as const;

describe('a soak', () => {
  it('has the figures of its suite, or those that were asked for', () => {
    expect(drivenBy(SOAK, ours)).toEqual(SOAK);
    expect(drivenBy(SOAK, { ...ours, driver: { rounds: 50 } })).toEqual({ ...SOAK, rounds: 50 });
    // Minutes are those of all rounds together.
    expect(drivenBy(SOAK, { ...ours, driver: { rounds: 10, minutes: 5 } })).toEqual({
      kind: 'soak',
      rounds: 10,
      roundMs: 30_000,
    });
  });

  it('kills nothing that is not ours, and sends no load to anybody who asks money for it', () => {
    expect(() => drivenBy(SOAK, { ...ours, upstream: 'real' })).toThrow('only mocks can bear');
    expect(() => drivenBy(SOAK, { ...ours, target: { kind: 'url', url: 'http://127.0.0.1:1' } })).toThrow(
      'only mocks can bear',
    );
  });
});

describe('a probe of limits', () => {
  it('goes to the lane and as far as was asked for', () => {
    const asked = { lane: 'anthropic', maxRequests: 7 } as const;
    expect(drivenBy(LIMITS, { ...ours, driver: asked })).toEqual({ ...LIMITS, ...asked });
    expect(lanesOf(drivenBy(LIMITS, { ...ours, driver: asked }))).toEqual(['anthropic']);
  });

  it('sends no real provider more than its cap, whatever is typed', () => {
    const real = { upstream: 'real', target: { kind: 'builtin' } } as const;
    expect(drivenBy(LIMITS, { ...real, driver: { maxRequests: 500 } })).toMatchObject({ maxRequests: 500 });
    expect(() => drivenBy(LIMITS, { ...real, driver: { maxRequests: 501 } })).toThrow(
      '--max-requests 501 is more than may go to a real provider',
    );
  });

  it('starts its proxy itself', () => {
    expect(() => drivenBy(LIMITS, { ...ours, target: { kind: 'url', url: 'http://127.0.0.1:1' } })).toThrow(
      'starts it itself',
    );
  });
});

it('has nothing to drive where a plan has waves', () => {
  expect(driveOf({})).toBeUndefined();
  expect(driveOf({ driver: SOAK })).toBeTypeOf('function');
});
