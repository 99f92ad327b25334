import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadScenarios } from '../../harness/upstream/scenarios.ts';
import { faultsOf, isPlain, protocolSetting, roundOf } from './night-plan.ts';

const CHAOS = { perRound: 24, width: 4, chaos: true, clients: 'raw', toggles: true } as const;
const rounds = (seed: string, last: number, night = CHAOS as Parameters<typeof roundOf>[1]) =>
  Array.from({ length: last }, (_, index) => roundOf({ seed, upstream: 'mock' }, night, index + 1));

describe('the rounds of a night', () => {
  it('are the same for the same seed, with the same faults and kills in the same order', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 500 }), (seed, round) => {
        const draw = () => roundOf({ seed, upstream: 'mock' }, CHAOS, round);
        expect(draw()).toEqual(draw());
        // Whatever was drawn in between: a night that is resumed begins in the middle.
        rounds(seed, 3);
        expect(faultsOf(draw())).toEqual(faultsOf(draw()));
      }),
      { numRuns: 50 },
    );
  });

  it('are others for another seed', () => {
    const faults = (seed: string) => rounds(seed, 5).map(faultsOf);
    expect(faults('one')).not.toEqual(faults('two'));
  });

  it('have faults of every kind on both lanes, and kills, before a short night is over', async () => {
    const all = rounds('5eed', 24);
    const played = all.flatMap(faultsOf);
    const { names } = await loadScenarios();
    expect(names).toEqual(expect.arrayContaining(played.map(({ scenario }) => scenario.split(' at ')[0])));
    expect(new Set(played.map(({ scenario }) => scenario)).size).toBeGreaterThan(15);
    expect(all.filter(({ killAfter }) => killAfter !== null).length).toBeGreaterThan(2);
    for (const lane of ['anthropic', 'zai'] as const) {
      const faulty = new Set(played.map(({ probe }) => probe));
      const own = all.flatMap(({ probes }) => probes).filter((probe) => probe.lane === lane);
      expect(own.some(({ id }) => faulty.has(id))).toBe(true);
      expect(own.some(({ id }) => !faulty.has(id))).toBe(true);
    }
  });

  it('have as many plain answers in chaos as without, so that a short night can be judged by them, and one fault in four', () => {
    const short = { ...CHAOS, perRound: 32 };
    const all = Array.from({ length: 100 }, (_, seed) => rounds(`seed-${seed}`, 3, short)).flat();
    for (const { probes } of all) expect(probes.filter(isPlain)).toHaveLength(8);
    const faults = all.reduce((sum, { probes }) => sum + faultsOf({ probes, alone: [] }).length, 0);
    expect(faults / (all.length * 32)).toBeCloseTo(1 / 4, 1);
  });

  it('have probes with names of their own', () => {
    const ids = rounds('5eed', 9).flatMap(({ probes, alone }) => [...probes, ...alone].map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('play nothing and kill nobody without chaos', () => {
    for (const round of rounds('5eed', 9, { ...CHAOS, chaos: false })) {
      expect(faultsOf(round)).toEqual([]);
      expect(round).toMatchObject({ alone: [], killAfter: null });
    }
  });

  it('change the setting after every third one, if they change it at all', () => {
    const settings = (toggles: boolean) =>
      rounds('5eed', 9, { ...CHAOS, toggles }).map(({ protocol }) => protocol);
    expect(settings(true)).toEqual(['2', '2', '2', '1.1', '1.1', '1.1', '2', '2', '2']);
    expect(new Set(settings(false))).toEqual(new Set(['2']));
    expect(protocolSetting('1.1')).not.toEqual(protocolSetting('2'));
  });

  it('alternate the models of Claude Code, from one round to the next as well', () => {
    const models = rounds('5eed', 2, { ...CHAOS, perRound: 1, chaos: false, clients: 'claude' }).map(
      ({ probes }) => probes.map(({ model }) => model),
    );
    expect(models).toEqual([['haiku'], ['sonnet']]);
  });

  it('of several Claude Codes have answers that last, so that they meet, and of one do not', () => {
    const played = (width: number, upstream: 'mock' | 'real') =>
      roundOf(
        { seed: 'x', upstream },
        { ...CHAOS, chaos: false, clients: 'claude', width, perRound: 4 },
        1,
      ).probes.map(({ scenario }) => scenario);
    expect(new Set(played(4, 'mock'))).toEqual(new Set(['long-paced']));
    expect(new Set([...played(1, 'mock'), ...played(4, 'real')])).toEqual(new Set([undefined]));
  });

  it('begin with a stream that lasts on either lane, so that two clients meet', () => {
    const { probes } = roundOf({ seed: 'x', upstream: 'mock' }, { ...CHAOS, chaos: false, perRound: 2 }, 1);
    expect(probes.map(({ lane, op, scenario }) => [lane, op, scenario])).toEqual([
      ['anthropic', 'stream', 'paced'],
      ['zai', 'stream', 'paced'],
    ]);
  });

  it('ask real providers for a few tokens of plain answers', () => {
    const { probes } = roundOf({ seed: 'x', upstream: 'real' }, { ...CHAOS, chaos: false, perRound: 4 }, 1);
    for (const probe of probes) expect(probe).toMatchObject({ maxTokens: 8 });
    expect(probes.some(({ scenario }) => scenario !== undefined)).toBe(false);
  });
});
