import type { Outcome } from '../../analysis/check.ts';

/** Paints text where the screen shows colours. */
export type Paint = (style: 'bold' | 'dim' | 'red' | 'green' | 'yellow', text: string) => string;

type Style = Parameters<Paint>[0];

/** How each outcome is written and painted; a failure stands out without colour too. */
export const OUTCOME_WORDS: Readonly<Record<Outcome, readonly [word: string, style: Style]>> = {
  pass: ['pass', 'green'],
  fail: ['FAIL', 'red'],
  inconclusive: ['unsure', 'yellow'],
  invalid: ['INVALID', 'red'],
  skipped: ['skipped', 'dim'],
};
