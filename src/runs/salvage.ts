/**
 * What a proxy had written when its run died: nobody was left to gather it, so it still lies in the world's
 * folder, credentials and all.
 */
import path from 'node:path';
import { createCanaries } from '../harness/canaries.ts';
import { artifactsOf, readAnomalies, readLogsFolder, readUsage } from '../harness/records.ts';
import type { Collected } from '../harness/types.ts';
import { createRedactor } from './redact.ts';
import type { Plan } from './run-record.ts';

/** The proxy's view of a run that died, with its credentials named; null where the world is gone. */
export async function salvageProxy(
  folder: string,
  { seed }: Pick<Plan, 'seed'>,
): Promise<Pick<Collected, 'usage' | 'anomalies' | 'lives' | 'artifacts'> | null> {
  const raw = await readLogsFolder(path.join(folder, 'world', 'logs')).catch(() => null);
  if (raw === null) return null;
  // The canaries come from the seed, so they are known again.
  const redactor = createRedactor(createCanaries(seed).all());
  const files = new Map([...raw].map(([name, content]) => [name, redactor.text(content)]));
  return {
    usage: readUsage(files),
    anomalies: readAnomalies(files),
    // Nobody asked it anything, and what it printed is gone.
    lives: [],
    artifacts: artifactsOf({ files, lives: [] }),
  };
}
