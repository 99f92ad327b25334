import { relative } from 'node:path';
import { type FinishedRun, loadVerdictText } from '../../ccp-uat.ts';
import type { Host } from '../shared/host.ts';

/** Prints the verdict of a run for a person. */
export async function showRun({ out, cwd }: Host, { record, folder }: FinishedRun): Promise<void> {
  const { verdictText } = await loadVerdictText();
  const below = relative(cwd, folder);
  const where = below.startsWith('..') ? folder : below;
  out.write(verdictText(record, { paint: (style, text) => out.paint(style, text), where }));
}
