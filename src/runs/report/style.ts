/** Colours of a report, where the stream shows them. */
import { styleText } from 'node:util';
import type { Outcome } from '../../analysis/check.ts';

export interface Style {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly doubt: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly bold: (text: string) => string;
}

export function createStyle(colour: boolean): Style {
  const paint = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    // Whether to colour is the caller's decision; the stream is not asked a second time.
    colour ? styleText(format, text, { validateStream: false }) : text;
  return {
    good: paint('green'),
    bad: paint(['bold', 'red']),
    doubt: paint('yellow'),
    dim: paint('dim'),
    bold: paint('bold'),
  };
}

/** How each outcome is written and painted; failures stand out without colour too. */
export const OUTCOME_WORDS: Readonly<
  Record<Outcome, { readonly word: string; readonly paint: keyof Style }>
> = {
  pass: { word: 'pass', paint: 'good' },
  fail: { word: 'FAIL', paint: 'bad' },
  inconclusive: { word: 'unsure', paint: 'doubt' },
  invalid: { word: 'INVALID', paint: 'bad' },
  skipped: { word: 'skipped', paint: 'dim' },
};
