import { expect, it } from 'vitest';
import { conductOf, driveOf } from './conductors.ts';
import type { NightPlan } from './run-record.ts';

const SOAK = { kind: 'soak', rounds: 3, roundMs: 2_000 } as const;
const NIGHT: NightPlan = {
  kind: 'overnight',
  maxMs: 1_800_000,
  pauseMs: 2_000,
  roundMs: 75_000,
  perRound: 150,
  width: 4,
  until: 'red',
  chaos: false,
  clients: 'raw',
  toggles: true,
  roundChecks: ['ROUTE-01'],
};

it('conduct a night, which is not driven in one world', () => {
  expect(driveOf({ driver: NIGHT })).toBeUndefined();
  expect(conductOf({ driver: NIGHT })).toBeTypeOf('function');
  expect(conductOf({ driver: SOAK })).toBeUndefined();
});

it('have nothing to drive where a plan has waves', () => {
  expect(driveOf({})).toBeUndefined();
  expect(driveOf({ driver: SOAK })).toBeTypeOf('function');
});
