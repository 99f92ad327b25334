/** `BUNDLE-REFUSED.md`, in the folder of a run that was not packed: which secret stands where, and never the secret. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { plural } from '../../analysis/plural.ts';
import { writeWhole } from '../stored/run-folder.ts';
import type { RunPlace } from '../stored/stored-runs.ts';
import type { Find } from './scan.ts';

export const REFUSED = 'BUNDLE-REFUSED.md';

/** What an earlier attempt said of a run holds no more once there is another. */
export async function forgetRefusals(runs: readonly RunPlace[]): Promise<void> {
  for (const { folder } of runs) await rm(path.join(folder, REFUSED), { force: true });
}

/**
 * Leaves an account with each run that something was found in; with the newest, what stands in the documents alone. Gives the
 * files, absolute; none where the folder takes nothing more, as what was found is to be told in any case.
 */
export async function tellRefusal(runs: readonly RunPlace[], finds: readonly Find[]): Promise<string[]> {
  const ofRun = ({ name }: RunPlace) => finds.filter(({ file }) => file.startsWith(`evidence/${name}/`));
  const concerned = runs.filter((run) => ofRun(run).length > 0);
  const documents = finds.filter(({ file }) => !file.startsWith('evidence/'));
  const told = concerned.length > 0 ? concerned : runs.slice(-1);
  const written = told.map((run) =>
    writeWhole(run.folder, REFUSED, accountOf(run, [...ofRun(run), ...documents])).then(
      () => [path.join(run.folder, REFUSED)],
      () => [],
    ),
  );
  return (await Promise.all(written)).flat();
}

function accountOf({ name }: RunPlace, finds: readonly Find[]): string {
  const rows = finds.map(({ rule, file, line, count, hidden }) =>
    [rule, what(rule), inFolder(file, name), String(line), hidden ?? 'as it is', String(count)]
      .map((cell) => cell.replaceAll('|', String.raw`\|`))
      .join(' | '),
  );
  return [
    `# No bundle was made of ${name}`,
    '',
    `A secret was found in ${plural(finds.length, 'place')} of what would have been packed. It is not shown here.`,
    '',
    '| rule | what it is | file | line | written | times |',
    '| --- | --- | --- | ---: | --- | ---: |',
    ...rows.map((row) => `| ${row} |`),
    '',
    'Files are named as they lie in this folder; those of the bundle itself are marked. Lines are counted in what would have',
    'been packed. Take a real secret out of circulation first. Then find out who wrote it there, run the suite again, and pack',
    'again: that removes this file.',
    '',
  ].join('\n');
}

const what = (rule: string): string =>
  rule.startsWith('canary:')
    ? `the secret “${rule.slice('canary:'.length)}”, of the run or of whoever packs`
    : `something in the shape of “${rule}”`;

function inFolder(file: string, run: string): string {
  const own = `evidence/${run}/`;
  return file.startsWith(own) ? file.slice(own.length) : `${file} (of the bundle)`;
}
