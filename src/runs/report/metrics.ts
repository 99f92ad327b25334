/** `METRICS.json`: the summary of a run's usage log, as `ccp-uat summarize` would write it. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { summarize } from '../../analysis/summarize.ts';
import { openLog } from '../log-source.ts';
import type { RunFolder } from '../stored/run-folder.ts';

export const METRICS = 'METRICS.json';

/** Writes nothing where the run has no usage log: there is nothing to measure then. */
export async function writeMetrics(folder: RunFolder): Promise<void> {
  const text = await metricsOf(folder.path);
  if (text !== null) await folder.write(METRICS, text);
}

/** What the usage log in the folder of a run gives; null where there is none. The same log, the same bytes. */
export async function metricsOf(folder: string): Promise<string | null> {
  const log = path.join(folder, 'usage.jsonl');
  if ((await stat(log).catch(() => null)) === null) return null;
  return `${JSON.stringify(await summarize([await openLog(log)]), null, 2)}\n`;
}
