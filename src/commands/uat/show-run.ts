import { relative } from 'node:path';
import { type FinishedRun, loadVerdictText } from '../../ccp-uat.ts';
import type { Host } from '../shared/host.ts';
import { printDeaf, tellGithub } from './github.ts';

/**
 * Shows the verdict of a run: to a person, unless one document is all that may be printed, and to the job that it is part of.
 * @param before ends what else is on the screen, once the text is there
 */
export async function showRun(
  host: Host,
  finished: FinishedRun,
  { json, before }: { readonly json: boolean; readonly before?: () => Promise<void> },
): Promise<void> {
  const { out, err, cwd } = host;
  const below = relative(cwd, finished.folder);
  const where = below.startsWith('..') ? finished.folder : below;
  const { verdictText } = await loadVerdictText();
  const text = json
    ? ''
    : verdictText(finished.record, { paint: (style, words) => out.paint(style, words), where });
  await before?.();
  // Nothing of another run comes between the two.
  if (!json) printDeaf(host, () => out.write(text));
  await tellGithub(host, finished, { where, screen: json ? err : out });
}

/** The last line of several runs: what they come to together. `planned`: how many there were to be. */
export function showTotal(host: Host, finished: readonly FinishedRun[], planned: number): void {
  const records = finished.map(({ record }) => record);
  const isPassed = ({ outcome, ending }: FinishedRun['record']): boolean =>
    outcome === 'pass' && ending === 'complete';
  const passed = records.filter(isPassed).length;
  const isFailed = ({ outcome, ending }: FinishedRun['record']): boolean =>
    outcome === 'fail' || ending !== 'complete';
  const failed = records.filter(isFailed);
  const unsure = records.filter((one) => !isFailed(one) && !isPassed(one));
  const named = (what: string, some: readonly FinishedRun['record'][]): string =>
    some.length === 0 ? '' : `; ${what}: ${some.map(({ run }) => run).join(', ')}`;
  const unbegun = planned - records.length;
  const [word, style] =
    passed === planned
      ? (['PASS', 'green'] as const)
      : failed.length === 0 && unbegun === 0
        ? (['INCONCLUSIVE', 'yellow'] as const)
        : (['FAIL', 'red'] as const);
  host.out.write(
    `\n${host.out.paint(style, word)}  ${passed} of ${planned} runs passed${named('failed', failed)}${named('inconclusive', unsure)}${unbegun === 0 ? '' : `; not begun: ${unbegun}`}\n`,
  );
}
