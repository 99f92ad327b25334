/** `METRICS.json`: the summary of a run's usage log, as `ccp-uat summarize` would write it. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { summarize } from '../../analysis/summarize.ts';
import { openLog } from '../log-source.ts';
import type { RunFolder } from '../run-folder.ts';

/** Writes nothing where the run has no usage log: there is nothing to measure then. */
export async function writeMetrics(folder: RunFolder): Promise<void> {
  const log = path.join(folder.path, 'usage.jsonl');
  if ((await stat(log).catch(() => null)) === null) return;
  const summary = await summarize([await openLog(log)]);
  await folder.write('METRICS.json', `${JSON.stringify(summary, null, 2)}\n`);
}
