/** `SUMMARY.md` of a self-test: verdict first, survivors, then the matrix; the summary of its control run follows. */
import type { SabotageResult, SelftestResult } from '../selftest-record.ts';
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
      `## ${fateOf(one) === 'BROKE' ? 'Broke' : 'Survived'}: ${one.name}, in ${one.suite}`,
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

export function fateOf({
  killed,
  skipped,
  broke,
}: SabotageResult): 'killed' | 'SURVIVED' | 'BROKE' | 'skipped' {
  if (skipped !== undefined) return 'skipped';
  if (broke !== undefined) return 'BROKE';
  return killed ? 'killed' : 'SURVIVED';
}

/** What fails the self-test. */
export const isAlive = (one: SabotageResult): boolean => ['SURVIVED', 'BROKE'].includes(fateOf(one));

/** Who killed it, or why it is not dead. */
export function whyOf({ skipped, broke, killed, killedBy, expected }: SabotageResult): string {
  const missed = expected.filter((id) => !killedBy.includes(id));
  return skipped ?? broke ?? (killed ? killedBy.join(' ') : `not noticed by ${missed.join(' ')}`);
}

/** `58 of 58 saboteurs killed, controls green`; in the full form each trial counts. */
export function countsOf({ control, full, saboteurs }: SelftestResult): string {
  const tried = saboteurs.filter((one) => fateOf(one) !== 'skipped');
  const killed = tried.filter((one) => one.killed).length;
  const names = new Set(tried.map(({ name }) => name)).size;
  const what = full ? `trials of ${names} saboteurs` : 'saboteurs';
  return `${killed} of ${tried.length} ${what} killed, ${control.length === 0 ? 'controls green' : 'a control red'}`;
}

export const repeatLine = ({ name }: SabotageResult, { seed, full }: SelftestResult): string =>
  `ccp-uat selftest ${name} --seed ${seed}${full ? ' --full' : ''}`;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
