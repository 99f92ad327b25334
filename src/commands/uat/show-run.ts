import { relative } from 'node:path';
import { type FinishedRun, loadVerdictText } from '../../ccp-uat.ts';
import type { Host } from '../shared/host.ts';

/** Prints the verdict of a run for a person. */
export async function showRun(host: Host, finished: FinishedRun): Promise<void> {
  host.out.write(await runText(host, finished));
}

export async function runText({ out, cwd }: Host, { record, folder }: FinishedRun): Promise<string> {
  const { verdictText } = await loadVerdictText();
  const below = relative(cwd, folder);
  const where = below.startsWith('..') ? folder : below;
  return verdictText(record, { paint: (style, text) => out.paint(style, text), where });
}
