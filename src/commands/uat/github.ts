/** What GitHub Actions is told of a run, where one is under way there (`GITHUB_ACTIONS`, `GITHUB_STEP_SUMMARY`). */
import { randomUUID } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { type FinishedRun, loadGithub } from '../../ccp-uat.ts';
import { type Host, printWarnings, type Screen } from '../shared/host.ts';

const isJob = ({ env }: Host): boolean => env['GITHUB_ACTIONS'] === 'true';

/**
 * Prints with the runner deaf to commands: what is shown comes from the wire, and a line of it could be one. Elsewhere it
 * just prints.
 */
export function printDeaf(host: Host, print: () => void): void {
  if (!isJob(host)) return print();
  const token = randomUUID();
  host.out.write(`::stop-commands::${token}\n`);
  print();
  host.out.write(`::${token}::\n`);
}

/** Annotates what did not pass, and adds the run to the summary of the job. A summary that cannot be written is a warning. */
export async function tellGithub(
  host: Host,
  { record }: FinishedRun,
  { where, screen }: { readonly where: string; readonly screen: Screen },
): Promise<void> {
  const summary = host.env['GITHUB_STEP_SUMMARY'];
  if (!isJob(host) && summary === undefined) return;
  const { annotations, jobSummary } = await loadGithub();
  if (isJob(host))
    screen.write(
      annotations(record, where)
        .map((line) => `${line}\n`)
        .join(''),
    );
  if (summary === undefined || summary === '') return;
  await appendFile(summary, jobSummary(record, where)).catch((error: Error) =>
    printWarnings(host, 'ccp-uat', [`the summary of the job could not be written: ${error.message}`]),
  );
}
