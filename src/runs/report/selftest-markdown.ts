/** `SUMMARY.md` of a self-test: verdict first, survivors, then the matrix; the summary of its control run follows. */
import type { Outcome } from '../../analysis/check.ts';
import type { SabotageResult, SelftestResult } from '../selftest/selftest-record.ts';
import { selftestLine } from './repeat-line.ts';
import { seconds } from './verdict-text.ts';

export function selftestMarkdown(result: SelftestResult): string {
  const { ok, seed, full, ms, control, saboteurs } = result;
  const survivors = saboteurs.filter(isAlive);
  return [
    `# selftest: ${ok ? 'pass' : 'fail'}`,
    '',
    `${countsOf(result)}, ${full ? 'every suite' : 'where each shows soonest'}, seed \`${seed}\`, in ${seconds(ms)}.`,
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

/** `114 of 114 saboteurs killed, controls green`: of all that were asked for, those that were not tried named apart. */
export function countsOf({
  control,
  full,
  saboteurs,
}: Pick<SelftestResult, 'control' | 'full' | 'saboteurs'>): string {
  const names = new Set(saboteurs.map(({ name }) => name));
  const dead = [...names].filter((name) => saboteurs.filter((one) => one.name === name).every(isDead));
  const skipped = saboteurs.filter((one) => fateOf(one) === 'skipped').map(({ name }) => name);
  const left = saboteurs.filter((one) => fateOf(one) === 'UNTRIED').map(({ name }) => name);
  return [
    `${dead.length} of ${names.size} saboteurs killed`,
    ...(full ? [`${saboteurs.filter(isDead).length} of ${saboteurs.length} trials`] : []),
    ...(skipped.length === 0 ? [] : [`skipped: ${[...new Set(skipped)].join(' ')}`]),
    ...(left.length === 0 ? [] : [`not tried: ${left.join(' ')}`]),
    control.length === 0 ? 'controls green' : 'a control red',
  ].join(', ');
}

const isDead = (one: SabotageResult): boolean => fateOf(one) === 'killed';

export const repeatLine = (
  { name }: SabotageResult,
  { seed, full }: Pick<SelftestResult, 'seed' | 'full'>,
): string => selftestLine({ saboteurs: [name], full, seed });

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
