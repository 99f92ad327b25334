import type { Host } from '../shared/host.ts';
import { printJson } from '../shared/host.ts';
import { open } from './load.ts';
import { showRun } from './show-run.ts';

/** `ccp-uat report [RUN]`: judges a stored run again; its exit code is that of the verdict. */
export async function report(
  host: Host,
  { run, json }: { readonly run: string | undefined; readonly json: boolean },
): Promise<number> {
  const finished = await open(host).uat.report(run);
  if (json) printJson(host, finished.record);
  else showRun(host, finished);
  return finished.record.exitCode;
}
