import { resolve } from 'node:path';
import type { AnalysisName } from '../../ccp-uat.ts';
import { EXIT } from '../../errors.ts';
import { type Host, printJson } from '../shared/host.ts';
import { open } from './load.ts';

interface AnalyzeOptions {
  /** As typed; the live log where it is not given. */
  readonly log: string | undefined;
  readonly rotated: boolean;
  readonly json: boolean;
}

/** The commands that read a usage log; exit 1 where they find what must not be there. */
export async function analyze(
  host: Host,
  name: AnalysisName,
  { log, rotated, json }: AnalyzeOptions,
): Promise<number> {
  const path = log === undefined || log === '-' ? log : resolve(host.cwd, log);
  const { data, text, ok, remark } = await open(host).uat.analyze(name, { log: path, rotated });
  if (json) printJson(host, data);
  else host.out.write(text);
  if (remark !== undefined) host.err.write(`ccp-uat: ${remark}\n`);
  return ok ? EXIT.ok : EXIT.failed;
}
