/** `SUMMARY.md` of a self-test: verdict first, survivors, then the matrix; the summary of its control run follows. */
import type { Outcome } from '../../analysis/check.ts';
import { plural } from '../../analysis/plural.ts';
import type { SabotageResult, SelftestResult } from '../selftest/selftest-record.ts';
import { countSaboteurs, type SaboteurCounts, untriedIn } from '../selftest/selftest-verdicts.ts';
import { selftestLine } from './repeat-line.ts';
import { seconds } from './verdict-text.ts';

export function selftestMarkdown(result: SelftestResult): string {
  const { seed, full, ms, control, saboteurs } = result;
  const survivors = saboteurs.filter(isAlive);
  return [
    `# selftest: ${verdictOf(result)}`,
    '',
    `${countsOf(result)}, ${full ? 'every suite' : 'where each shows soonest'}, seed \`${seed}\`, in ${seconds(ms)}.`,
    ...notTried(result),
    ...control.map(
      ({ suite, id, what }) => `\nThe control run of ${suite} was red: ${id}: ${what.join('; ')}.`,
    ),
    ...survivors.flatMap((one) => [
      '',
      `## ${HEADINGS[fateOf(one)]}: ${one.name}, in ${one.suite}`,
      '',
      `${one.breaks}: ${cell(whyOf(one))}.`,
      '',
      `Repeat: \`${repeatLine(one, result)}\``,
    ]),
    '',
    '| saboteur | breaks | suite | fate | killed by |',
    '| --- | --- | --- | --- | --- |',
    ...saboteurs.map(
      (one) => `| ${[one.name, one.breaks, one.suite, fateOf(one), whyOf(one)].map(cell).join(' | ')} |`,
    ),
    '',
  ].join('\n');
}

export function verdictOf({ ok, interrupted }: Pick<SelftestResult, 'ok' | 'interrupted'>): string {
  if (interrupted !== undefined) return 'interrupted';
  return ok ? 'pass' : 'fail';
}

/** By name: of what was not tried nothing is known. */
function notTried(result: SelftestResult): string[] {
  const names = untriedIn(result);
  return names.length === 0 ? [] : ['', `Not tried: ${names.join(', ')}.`];
}

const HEADINGS = {
  killed: 'Killed',
  SURVIVED: 'Survived',
  BROKE: 'Broke',
  UNTRIED: 'Not tried',
  skipped: 'Skipped',
} as const;

export function fateOf({ killed, skipped, broke, untried }: SabotageResult): keyof typeof HEADINGS {
  if (skipped !== undefined) return 'skipped';
  if (untried !== undefined) return 'UNTRIED';
  if (broke !== undefined) return 'BROKE';
  return killed ? 'killed' : 'SURVIVED';
}

export interface FateCounts extends SaboteurCounts {
  readonly survived: number;
  /** Its run did, for another reason. */
  readonly broke: number;
}

/** How many there are and came out how, each counted once: by the worst of its trials. */
export function countFates(result: Pick<SelftestResult, 'known' | 'saboteurs'>): FateCounts {
  const { known, tried, killed } = countSaboteurs(result);
  const alive = result.saboteurs.filter((one) => fateOf(one) === 'SURVIVED');
  const survived = new Set(alive.map(({ name }) => name)).size;
  return { known, tried, killed, survived, broke: tried - killed - survived };
}

/** What fails the self-test. */
export const isAlive = (one: SabotageResult): boolean =>
  ['SURVIVED', 'BROKE', 'UNTRIED'].includes(fateOf(one));

/** Who killed it, or why it is not dead. */
export function whyOf({ skipped, untried, broke, ...one }: SabotageResult): string {
  return skipped ?? untried ?? broke ?? (one.killed ? one.killedBy.join(' ') : missedBy(one));
}

/** `STREAM-02 was to fail, and is pass`. */
export const missedBy = ({
  expected,
  killedBy,
  outcomes,
}: Pick<SabotageResult, 'expected' | 'killedBy' | 'outcomes'>): string =>
  Object.entries(expected)
    .filter(([id]) => !killedBy.includes(id))
    .map(([id, outcome]) => `${id} was to ${WORDS[outcome]}, and ${seen(outcomes[id])}`)
    .join('; ');

const WORDS = { fail: 'fail', inconclusive: 'be inconclusive' } as const;
const seen = (outcome: Outcome | undefined): string =>
  outcome === undefined ? 'was not judged' : `came out as ${outcome}`;

/** `tried 10 of 115 saboteurs, 10 killed, controls green`: of all there are; those that could not be tried are named. */
export function countsOf(result: Counted): string {
  const { control, full, saboteurs, interrupted } = result;
  const skipped = saboteurs.filter((one) => fateOf(one) === 'skipped').map(({ name }) => name);
  const left = saboteurs.filter((one) => fateOf(one) === 'UNTRIED').map(({ name }) => name);
  return [
    saboteurWords(countSaboteurs(result)),
    ...(full ? [`${saboteurs.filter(isDead).length} of ${saboteurs.length} trials`] : []),
    ...(skipped.length === 0 ? [] : [`skipped: ${[...new Set(skipped)].join(' ')}`]),
    ...(left.length === 0 ? [] : [`not tried: ${left.join(' ')}`]),
    ...(interrupted === undefined
      ? [control.length === 0 ? 'controls green' : 'a control red']
      : [interrupted]),
  ].join(', ');
}

type Counted = Pick<SelftestResult, 'control' | 'full' | 'known' | 'saboteurs' | 'interrupted'>;

export const saboteurWords = ({ known, tried, killed }: SaboteurCounts): string =>
  `tried ${tried} of ${plural(known, 'saboteur')}, ${killed} killed`;

const isDead = (one: SabotageResult): boolean => fateOf(one) === 'killed';

export const repeatLine = (
  { name }: SabotageResult,
  { seed, full }: Pick<SelftestResult, 'seed' | 'full'>,
): string => selftestLine({ saboteurs: [name], full, seed });

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
