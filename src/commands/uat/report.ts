import { loadSelftestText } from '../../ccp-uat.ts';
import { EXIT } from '../../errors.ts';
import { type Host, printJson, printWarnings } from '../shared/host.ts';
import { open } from './load.ts';
import { showRun } from './show-run.ts';

/**
 * `ccp-uat report [RUN]`: judges a stored run again and writes its `report.html` anew; exit 1 where it is not a whole run with
 * a pass, or of a self-test that a saboteur survived.
 */
export async function report(
  host: Host,
  { run, json }: { readonly run: string | undefined; readonly json: boolean },
): Promise<number> {
  const finished = await open(host).uat.report(run);
  if (json) printJson(host, finished.record);
  await showRun(host, finished, { json });
  const { selftest } = finished;
  if (selftest !== undefined && !json)
    host.out.write(`  The self-test ${(await loadSelftestText()).countsOf(selftest)}.\n`);
  if (finished.problem !== undefined)
    printWarnings(host, 'ccp-uat', [`the reports could not be written: ${sentence(finished.problem)}`]);
  return finished.record.exitCode === EXIT.ok ? EXIT.ok : EXIT.failed;
}

const sentence = (problem: unknown): string => (problem instanceof Error ? problem.message : String(problem));
