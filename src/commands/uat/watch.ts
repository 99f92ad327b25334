import { loadProgress, type Progress } from '../../ccp-uat.ts';
import type { Host } from '../shared/host.ts';
import type { Terminal } from '../shared/terminal.ts';

/** Shows a run under way: a live list where somebody watches, else a line for each thing that ended. */
export async function watch({ err }: Host, { live }: Terminal): Promise<Progress> {
  const { liveProgress, plainProgress } = await loadProgress();
  return live === null ? plainProgress((line) => err.write(`ccp-uat: ${line}`)) : liveProgress(live);
}
