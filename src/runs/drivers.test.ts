import { describe, expect, it } from 'vitest';
import { drivenBy, lanesOf } from './drivers.ts';
import type { NightPlan } from './run-record.ts';
import { PLANNED_NIGHT as NIGHT } from './testing/planned-night.ts';

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

describe('a night', () => {
  const CLIENTS: NightPlan = { ...NIGHT, clients: 'claude', toggles: false, perRound: 4, maxRounds: 5 };
  const real = { upstream: 'real', target: { kind: 'builtin' } } as const;

  it('has rounds in proportion to its length, within bounds', () => {
    const paced = (maxMinutes: number) => drivenBy(NIGHT, { ...ours, driver: { maxMinutes } });
    expect(paced(1)).toMatchObject({ maxMs: 60_000, roundMs: 8_000, perRound: 32 });
    expect(paced(45)).toMatchObject({ roundMs: 112_500, perRound: 200 });
    expect(paced(2_880)).toMatchObject({ roundMs: 300_000, perRound: 200 });
  });

  it('ends and pauses as was asked for', () => {
    const asked = { until: 'green', chaos: true, pauseSecs: 0.5 } as const;
    expect(drivenBy(NIGHT, { ...ours, driver: asked })).toEqual({
      ...NIGHT,
      until: 'green',
      chaos: true,
      pauseMs: 500,
    });
    expect(drivenBy(NIGHT, ours)).toEqual(NIGHT);
    expect(lanesOf(NIGHT)).toEqual(['anthropic', 'zai']);
  });

  it('asks real providers little and slowly, and plays no faults there', () => {
    const planned = drivenBy(NIGHT, { ...real, driver: { maxMinutes: 60, maxRequests: 100 } });
    expect(planned).toMatchObject({ width: 1, perRound: 4, pauseMs: 60_000, maxRequests: 100 });
    expect(drivenBy(NIGHT, real)).toMatchObject({ maxRequests: 500 });
    expect(drivenBy(CLIENTS, { ...real, claude: { found: true } })).toMatchObject({ maxRequests: 50 });
    expect(() => drivenBy(NIGHT, { ...real, driver: { maxRequests: 501 } })).toThrow(
      'more than 500 requests',
    );
    expect(() => drivenBy(NIGHT, { ...real, driver: { chaos: true } })).toThrow('--chaos needs mocks');
  });

  it('restarts nothing that is not ours', () => {
    const target = { kind: 'url', url: 'http://127.0.0.1:1' } as const;
    expect(() => drivenBy(NIGHT, { ...ours, target })).toThrow('not ours to restart');
  });

  it('is sent by Claude Code where the suite wants it and it is there', () => {
    const who = (claude: { found: boolean }, client?: 'claude' | 'curl') => {
      const driven = drivenBy(CLIENTS, { ...ours, claude, ...(client !== undefined && { client }) });
      return driven.kind === 'overnight' && driven.clients;
    };
    expect([who({ found: true }), who({ found: false }), who({ found: true }, 'curl')]).toEqual([
      'claude',
      'raw',
      'raw',
    ]);
  });

  it('has as many clients at once as were asked for, and as many rounds or minutes', () => {
    expect(drivenBy(CLIENTS, { ...ours, driver: { width: 8, rounds: 2 } })).toMatchObject({
      width: 8,
      perRound: 8,
      maxRounds: 2,
    });
    expect(drivenBy(CLIENTS, { ...ours, driver: { minutes: 3 } })).toMatchObject({
      maxMs: 180_000,
      maxRounds: 100_000,
    });
    expect(drivenBy(CLIENTS, { ...ours, driver: { minutes: 3, rounds: 2 } })).toMatchObject({
      maxMs: 180_000,
      maxRounds: 2,
    });
  });
});
