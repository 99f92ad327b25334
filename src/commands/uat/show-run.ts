import { relative } from 'node:path';
import { type FinishedRun, loadVerdictText } from '../../ccp-uat.ts';
import type { Host } from '../shared/host.ts';
import { printDeaf, tellGithub } from './github.ts';

/** Shows the verdict of a run: to a person, unless one document is all that may be printed, and to the job that it is part of. */
export async function showRun(
  host: Host,
  finished: FinishedRun,
  { json }: { readonly json: boolean },
): Promise<void> {
  const { out, err, cwd } = host;
  const below = relative(cwd, finished.folder);
  const where = below.startsWith('..') ? finished.folder : below;
  if (!json) {
    const { verdictText } = await loadVerdictText();
    const text = verdictText(finished.record, { paint: (style, words) => out.paint(style, words), where });
    printDeaf(host, () => out.write(text));
  }
  await tellGithub(host, finished, { where, screen: json ? err : out });
}
