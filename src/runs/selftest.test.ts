import { expect, it } from 'vitest';
import { CHECKS } from '../analysis/checks/index.ts';
import type { Saboteur } from '../harness/types.ts';
import { createWorld } from '../harness/world.ts';
import { systemClock } from '../platform/clock.ts';
import { type SabotageResult, selftest } from './selftest.ts';
import type { Suite } from './suite.ts';
import { PROVENANCE } from './testing/stored-green-run.ts';

const SUITE: Suite = {
  name: 'sample',
  title: 'A sample',
  proves: [],
  probes: [{ client: 'curl', id: 'haiku', model: 'claude-haiku-4-5', lane: 'zai', op: 'nonstream' }],
  timeoutMs: 10_000,
  settings: {},
  checks: ['ROUTE-01', 'ROUTE-02', 'LOG-01'],
  artifacts: { name: 'sample' },
};

const WORSE: Saboteur = {
  name: 'paused',
  breaks: 'everything goes to Anthropic',
  faults: [{ layer: 'settings', settings: () => ({ OFFLOAD_PAUSED: '1' }) }],
  caughtBy: ['ROUTE-02'],
};
const HARMLESS: Saboteur = {
  name: 'harmless',
  breaks: 'nothing at all',
  faults: [{ layer: 'records', alter: (records) => records }],
  caughtBy: ['LOG-01'],
};

async function run({
  saboteurs,
  suite = SUITE,
}: {
  readonly saboteurs: readonly Saboteur[];
  readonly suite?: Suite;
}) {
  const told: SabotageResult[] = [];
  const signal = new AbortController().signal;
  const result = await selftest({
    suite,
    saboteurs,
    checks: CHECKS,
    seed: '5eed',
    provenance: PROVENANCE,
    clock: systemClock,
    openWorld: ({ seed, target, settings }, runDir, saboteur) =>
      createWorld({ runDir, seed, target, settings, ...(saboteur !== undefined && { saboteur }) }),
    onResult: (one) => told.push(one),
    signal,
  });
  return { ...result, told };
}

it('kills what a named check notices, and fails where one survives', { timeout: 60_000 }, async () => {
  const { ok, control, saboteurs, told } = await run({ saboteurs: [WORSE, HARMLESS] });
  expect(control).toEqual([]);
  expect(saboteurs.map(({ name, killedBy }) => [name, killedBy])).toEqual([
    ['paused', ['ROUTE-02']],
    ['harmless', []],
  ]);
  expect(ok).toBe(false);
  expect(told).toHaveLength(2);
});

it('fails where the run that nobody broke is not green', { timeout: 60_000 }, async () => {
  // A haiku that the suite wrongly expects on the other lane.
  const wrong = { ...SUITE, probes: SUITE.probes.map((probe) => ({ ...probe, lane: 'anthropic' as const })) };
  const { ok, control } = await run({ saboteurs: [], suite: wrong });
  expect(control.map(({ id }) => id)).toContain('ROUTE-02');
  expect(ok).toBe(false);
});
