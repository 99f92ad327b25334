/** `SUMMARY.md` of a self-test: verdict first, survivors, then the matrix; the summary of its control run follows. */
import type { SabotageResult, SelftestResult } from '../selftest-record.ts';
import { seconds } from './verdict-text.ts';

export function selftestMarkdown(result: SelftestResult): string {
  const { ok, seed, full, ms, control, saboteurs } = result;
  const survivors = saboteurs.filter((one) => fateOf(one) === 'SURVIVED');
  return [
    `# selftest: ${ok ? 'pass' : 'fail'}`,
    '',
    `${countsOf(result)}, ${full ? 'every suite' : 'where each shows soonest'}, seed \`${seed}\`, in ${seconds(ms)}.`,
    ...control.map(
      ({ suite, id, what }) => `\nThe control run of ${suite} was red: ${id}: ${what.join('; ')}.`,
    ),
    ...survivors.flatMap((one) => [
      '',
      `## Survived: ${one.name}, in ${one.suite}`,
      '',
      `${one.breaks}: not noticed by ${missedBy(one).join(', ')}.`,
      '',
      `Repeat: \`${repeatLine(one, result)}\``,
    ]),
    '',
    '| saboteur | breaks | suite | fate | killed by |',
    '| --- | --- | --- | --- | --- |',
    ...saboteurs.map(
      (one) =>
        `| ${[one.name, one.breaks, one.suite, fateOf(one), one.skipped ?? one.killedBy.join(' ')].map(cell).join(' | ')} |`,
    ),
    '',
  ].join('\n');
}

export function fateOf({ killed, skipped }: SabotageResult): 'killed' | 'SURVIVED' | 'skipped' {
  if (skipped !== undefined) return 'skipped';
  return killed ? 'killed' : 'SURVIVED';
}

export const missedBy = ({ expected, killedBy }: SabotageResult): string[] =>
  expected.filter((id) => !killedBy.includes(id));

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
