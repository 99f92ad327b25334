import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { forOperator, type MergedStore, mergeStores } from '../../../config/store-files.ts';
import { EXIT, OperatorError } from '../../../errors.ts';
import { makeFolder, SHARED } from '../../shared/folders.ts';
import { type Host, printJson, printWarnings } from '../../shared/host.ts';
import { type LogFile, openLogFiles } from '../../shared/log-files.ts';
import { load } from '../load.ts';
import { badLineWarnings, isLogName, readExchanges, strangerSentences, tooOldWarnings } from './lines.ts';

export interface MergeOptions {
  readonly dir: string;
  /** By default `rollups` in the folder of results. */
  readonly out: string | undefined;
  readonly json: boolean;
}

const STORE = /\.sqlite3$/;

/** `ccp db merge`: exit 1 where a source could not be counted in full. */
export async function dbMerge(host: Host, { dir, out, json }: MergeOptions): Promise<number> {
  const { settings } = load(host);
  const folder = resolve(host.cwd, dir);
  const files = sourcesUnder(folder);
  const scratch = mkdtempSync(join(tmpdir(), 'ccp-merge-'));
  const joined = join(scratch, 'merged.sqlite3');
  try {
    const paths = files.filter((file) => STORE.test(file));
    const { merge, stores } = forOperator(joined, () => mergeStores(joined, paths));
    using _ = merge;
    const logs = (await Promise.all(files.filter(isLogName).map(openLog))).flat();
    let [fromLogs, tooOld] = [0, 0];
    const lines = await readExchanges(logs, (rows) => {
      const came = forOperator(joined, () => merge.add(rows));
      fromLogs += came.added;
      tooOld += came.tooOld;
    });
    const target = resolve(host.cwd, out ?? join(settings.resultsDir, 'rollups'));
    makeFolder(target, SHARED);
    const written = (['hour', 'day'] as const).map((granularity) => {
      const rollups = forOperator(joined, () => merge.rollups(granularity));
      const path = join(target, `rollup_${granularity}.json`);
      const shown = rollups.map((rollup) => ({ ...rollup, start: new Date(rollup.start).toISOString() }));
      writeWhole(path, `${JSON.stringify({ granularity, rollups: shown })}\n`);
      return { path, rollups: rollups.length, exchanges: rollups.reduce((sum, { count }) => sum + count, 0) };
    });
    const report = {
      stores,
      logs: { files: logs.length, added: fromLogs, too_old: tooOld, bad: lines.bad },
      written,
    };
    const strangers = strangerSentences(lines.strangers);
    printWarnings(host, 'ccp', [
      ...storeWarnings(stores),
      ...strangers,
      ...tooOldWarnings(tooOld),
      ...badLineWarnings(lines.bad),
    ]);
    if (json) printJson(host, report);
    else {
      const [hours] = written;
      host.out.write(
        `${hours?.exchanges ?? 0} exchanges of ${stores.length} stores and ${logs.length} logs, each once:\n`,
      );
      for (const { path, rollups } of written) host.out.write(`  ${path}  ${rollups} rollups\n`);
    }
    const whole =
      lines.bad.count === 0 &&
      strangers.length + tooOld === 0 &&
      stores.every(({ problem }) => problem === null);
    return whole ? EXIT.ok : EXIT.failed;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function sourcesUnder(folder: string): string[] {
  let files: string[];
  try {
    files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && (STORE.test(entry.name) || isLogName(entry.name)))
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted();
  } catch (error) {
    throw new OperatorError('NOT_READY', `${folder} cannot be read`, {
      hint: 'Name the folder with the stores and logs.',
      cause: error,
    });
  }
  if (files.length > 0) return files;
  throw new OperatorError('NOT_READY', `there is no store and no usage log under ${folder}`, {
    hint: 'Stores end in .sqlite3, logs are named usage*.jsonl.',
  });
}

const openLog = (path: string): Promise<LogFile[]> => openLogFiles(path, { rotated: false });

const storeWarnings = (stores: readonly MergedStore[]): string[] =>
  stores.flatMap(({ path, problem }) => (problem === null ? [] : [`${path}: ${problem}`]));

/** Readers find the old file or the new one, never half of it. */
function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.part`, text);
  renameSync(`${path}.part`, path);
}
