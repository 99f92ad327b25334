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
