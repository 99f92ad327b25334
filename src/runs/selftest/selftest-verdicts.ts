/** What the rows of a self-test come to. Pure, so that whoever reads a matrix can add it up again. */
import type { Outcome } from '../../analysis/check.ts';
import type { SabotageResult, SelftestResult } from './selftest-record.ts';

export const isRed = ({ outcome }: { readonly outcome: Outcome }): boolean =>
  outcome !== 'pass' && outcome !== 'skipped';

/** Of the checks that must notice a saboteur, those that came out just as they must: one that merely lost its evidence has noticed nothing. */
export const noticedBy = ({ expected, outcomes }: Pick<SabotageResult, 'expected' | 'outcomes'>): string[] =>
  Object.keys(expected).filter((id) => outcomes[id] === expected[id]);

/** Whether the controls were green, and every saboteur that was tried was noticed; there must be one. */
export function isProof({ control, saboteurs }: Pick<SelftestResult, 'control' | 'saboteurs'>): boolean {
  const tried = saboteurs.filter(({ skipped }) => skipped === undefined);
  return control.length === 0 && tried.length > 0 && tried.every(({ killed }) => killed);
}

/** What a matrix says and its own rows do not; null where it adds up. */
export function contradictionIn(result: SelftestResult): string | null {
  for (const one of result.saboteurs) {
    const { name, suite, expected, killed, killedBy } = one;
    const noticed = noticedBy(one);
    if (killedBy.join() !== noticed.join() || killed !== (noticed.length === Object.keys(expected).length))
      return `${name} in ${suite} is said to be ${killed ? 'killed' : 'alive'}, by ${killedBy.join(', ') || 'no check'}; its row gives ${noticed.join(', ') || 'none'} of ${Object.keys(expected).join(', ')}`;
  }
  if (result.ok === isProof(result)) return null;
  return `it says that ${result.ok ? 'every saboteur was noticed' : 'not every saboteur was noticed'}; its rows say otherwise`;
}
