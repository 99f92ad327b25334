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

/** How many saboteurs there are, how many of them a self-test tried, and how many it killed in all their trials. */
export interface SaboteurCounts {
  readonly known: number;
  readonly tried: number;
  readonly killed: number;
}

export function countSaboteurs({
  known,
  saboteurs,
}: Pick<SelftestResult, 'known' | 'saboteurs'>): SaboteurCounts {
  const tried = Map.groupBy(saboteurs.filter(wasTried), ({ name }) => name);
  const killed = [...tried.values()].filter((rows) => rows.every((one) => one.killed));
  return { known: new Set([...known, ...tried.keys()]).size, tried: tried.size, killed: killed.length };
}

/** Those that there are and no trial was made of. */
export function untriedIn({ known, saboteurs }: Pick<SelftestResult, 'known' | 'saboteurs'>): string[] {
  const tried = new Set(saboteurs.filter(wasTried).map(({ name }) => name));
  return known.filter((name) => !tried.has(name));
}

const wasTried = ({ skipped, untried }: SabotageResult): boolean =>
  skipped === undefined && untried === undefined;

/**
 * What a matrix says and its own rows do not; null where it adds up. `asked`: the names that the run's plan has of those to be
 * tried, none meaning all there are.
 */
export function contradictionIn(result: SelftestResult, asked: readonly string[]): string | null {
  const called = asked.length > 0 ? asked : result.known;
  const without = called.filter((name) => !result.saboteurs.some((one) => one.name === name));
  if (without.length > 0 && result.interrupted === undefined)
    return `it has no row of ${without.join(', ')}, and the run was to try ${asked.length > 0 ? asked.join(', ') : 'all'}`;
  for (const one of result.saboteurs) {
    const { name, suite, expected, killed, killedBy } = one;
    const noticed = noticedBy(one);
    if (killedBy.join() !== noticed.join() || killed !== (noticed.length === Object.keys(expected).length))
      return `${name} in ${suite} is said to be ${killed ? 'killed' : 'alive'}, by ${killedBy.join(', ') || 'no check'}; its row gives ${noticed.join(', ') || 'none'} of ${Object.keys(expected).join(', ')}`;
  }
  const isProven = result.interrupted === undefined && isProof(result);
  if (result.ok === isProven) return null;
  return `it says that ${result.ok ? 'every saboteur was noticed' : 'not every saboteur was noticed'}; its rows say otherwise`;
}
