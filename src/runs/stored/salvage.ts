/**
 * What a proxy had written when its run died: nobody was left to gather it, so it still lies in the world's
 * folder, credentials and all.
 */
import path from 'node:path';
import { createCanaries } from '../../harness/canaries.ts';
import { artifactsOf, readAnomalies, readLogsFolder, readUsage } from '../../harness/records.ts';
import type { Collected, ProxyLife } from '../../protocol/witness.ts';
import { createRedactor } from '../redact.ts';
import type { Plan } from '../run-record.ts';

/** The proxy's view of a run that died, with its credentials named; null where the world is gone. */
export async function salvageProxy(
  folder: string,
  { seed }: Pick<Plan, 'seed'>,
): Promise<Pick<Collected, 'usage' | 'anomalies' | 'artifacts'> | null> {
  const raw = await readLogsFolder(path.join(folder, 'world', 'logs')).catch(() => null);
  if (raw === null) return null;
  // The canaries come from the seed, so they are known again.
  const redactor = createRedactor(createCanaries(seed).all());
  const files = new Map([...raw].map(([name, content]) => [name, redactor.text(content)]));
  return {
    usage: readUsage(files),
    anomalies: readAnomalies(files),
    // What it printed is gone.
    artifacts: artifactsOf({ files, lives: [] }),
  };
}

/**
 * The lives of a run that died: those that had ended, and the one under way, which was asked nothing. It must be known
 * of, or the others would pass for the whole.
 */
export function livesUpTo(
  last: { readonly name: string; readonly at: number } | undefined,
  ended: readonly ProxyLife[],
  { stages, quota }: Pick<Plan, 'stages' | 'quota'>,
): readonly ProxyLife[] {
  const stage = stages.find(({ name }) => name === last?.name);
  const budget = stage?.quota ?? quota;
  // Of the first stage alone nothing was told: that is no account of anything.
  if (ended.length === 0 || last === undefined || stage === undefined) return ended;
  if (ended.some((life) => life.stage === last.name)) return ended;
  return [
    ...ended,
    {
      stage: last.name,
      startedAt: last.at,
      pid: null,
      license: { kind: stage.license, expected: null },
      quota: budget === undefined ? null : { ...budget, mode: stage.mode ?? 'block' },
      answers: { readyz: null, providers: null, metrics: null, license: null, meter: null, beneath: null },
      licenseLines: [],
      ending: null,
    },
  ];
}
