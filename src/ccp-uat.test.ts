import { describe, expect, it } from 'vitest';
import { SUITES } from '../suites/index.ts';
import { SABOTEURS } from './harness/saboteurs/saboteurs.ts';
import type { Saboteur } from './harness/types.ts';
import { brief, sabotaged, touches } from './runs/sabotage.ts';
import type { Suite } from './runs/suite.ts';

const suite = (name: string): Suite => {
  const found = SUITES.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no suite ${name}`);
  return brief(found);
};
const saboteur = (name: string): Saboteur => {
  const found = SABOTEURS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no saboteur ${name}`);
  return found;
};
const touching = (name: string): string[] =>
  SUITES.filter((one) => touches(saboteur(name), brief(one))).map((one) => one.name);

describe('a saboteur touches', () => {
  it.each(SABOTEURS)('$name: some suite, so that none is left out where all is asked for', (one) => {
    expect(SUITES.some((where) => touches(one, brief(where)))).toBe(true);
  });

  it('suites that send to the lane that it sits on', () => {
    expect(touching('beta-dropped')).toContain('verify-sse');
    expect(touching('beta-dropped')).not.toContain('haiku-zai');
    expect(touching('haiku-stays')).toContain('haiku-zai');
    expect(touching('haiku-stays')).not.toContain('sonnet-anth');
  });

  it('no suite to which the probe that it needs cannot be added', () => {
    expect(touching('status-changed')).toEqual(expect.arrayContaining(['crowd', 'haiku-zai']));
    for (const name of ['quota', 'smoke-license', 'soak-persist', 'probe-limits'])
      expect(touching('status-changed')).not.toContain(name);
  });

  it('only the suite that it names', () => {
    expect(touching('cooldown-forgotten')).toEqual(['quota']);
  });

  it('no suite of Claude Code alone where it is raw probes that it loses', () => {
    expect(touching('probe-lost')).not.toContain('haiku-zai');
  });
});

describe('what a saboteur is tried in', () => {
  it('is short: no crowd, no stream of ten seconds, one stage that opens both lanes', () => {
    expect(suite('crowd').probes.every(({ times = 1 }) => times <= 4)).toBe(true);
    expect(JSON.stringify(suite('verify-sse'))).not.toContain('long-paced');
    expect(sabotaged(saboteur('haiku-stays'), suite('smoke-license')).stages).toEqual([
      { name: 'trial', license: 'trial' },
    ]);
  });

  it('has the probe that shows the fault, falling back where that is the point', () => {
    expect(
      sabotaged(saboteur('zai-key-in-fallback-to-anthropic'), suite('verify-sse')).probes.at(-1),
    ).toMatchObject({
      id: 'for-zai-key-in-fallback-to-anthropic',
      lane: 'anthropic',
      scenario: { provider: 'zai', name: 'zai-1308-2026' },
    });
  });
});
