import { expect, it } from 'vitest';
import { conductOf, driveOf } from './conductors.ts';
import { PLANNED_NIGHT as NIGHT } from './testing/planned-night.ts';

const SOAK = { kind: 'soak', rounds: 3, roundMs: 2_000 } as const;

it('conduct a night, which is not driven in one world', () => {
  expect(driveOf({ driver: NIGHT })).toBeUndefined();
  expect(conductOf({ driver: NIGHT })).toBeTypeOf('function');
  expect(conductOf({ driver: SOAK })).toBeUndefined();
});

it('have nothing to drive where a plan has waves', () => {
  expect(driveOf({})).toBeUndefined();
  expect(driveOf({ driver: SOAK })).toBeTypeOf('function');
});
