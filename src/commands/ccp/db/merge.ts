import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { plural } from '../../../analysis/plural.ts';
import { forOperator, type MergedStore, mergeStores } from '../../../config/store-files.ts';
import { EXIT, OperatorError } from '../../../errors.ts';
import { makeFolder, SHARED } from '../../shared/folders.ts';
import { type Host, plain, printJson, printWarnings } from '../../shared/host.ts';
import { type LogFile, openLogFiles } from '../../shared/log-files.ts';
import { load } from '../load.ts';
import { badLineWarnings, isLogName, readExchanges, strangerSentences, tooOldWarnings } from './lines.ts';

export interface MergeOptions {
  readonly dir: string;
  /** Whether the logs kept of runs of ccp-uat count, too: their traffic is made up. */
  readonly runs: boolean;
  /** By default `rollups` in the folder of results. */
  readonly out: string | undefined;
  readonly json: boolean;
}

const STORE = /\.sqlite3$/;
/** `usage_NAME.jsonl`: what ccp-uat keeps of the last run of a suite beside the proxy's own log. */
const RUN_LOG = /^usage_/;

/** `ccp db merge`: exit 1 where a source could not be counted in full. */
export async function dbMerge(host: Host, { dir, runs, out, json }: MergeOptions): Promise<number> {
  const { settings } = load(host);
  const folder = resolve(host.cwd, dir);
  const { files, leftOut } = sourcesUnder(folder, runs);
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
      logs: {
        files: logs.map(({ name }) => name),
        left_out: leftOut,
        added: fromLogs,
        too_old: tooOld,
        bad: lines.bad,
      },
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
    else host.out.write(pageOf(report));
    const whole =
      lines.bad.count === 0 &&
      strangers.length + tooOld === 0 &&
      stores.every(({ problem }) => problem === null);
    return whole ? EXIT.ok : EXIT.failed;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

interface Report {
  readonly stores: readonly MergedStore[];
  readonly logs: { readonly files: readonly string[]; readonly left_out: readonly string[] };
  readonly written: readonly {
    readonly path: string;
    readonly rollups: number;
    readonly exchanges: number;
  }[];
}

/** What was counted, file by file: a log too many would show in no figure. */
function pageOf({ stores, logs, written }: Report): string {
  const exchanges = plural(written[0]?.exchanges ?? 0, 'exchange');
  const from = `${plural(stores.length, 'store')} and ${plural(logs.files.length, 'log')}`;
  const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${plain(line)}`);
  const leftOut = 'Left out, the logs kept of runs of ccp-uat; --runs counts them, too:';
  return [
    `${exchanges} of ${from}, each once:`,
    ...indented([...stores.map(({ path }) => path), ...logs.files]),
    ...(logs.left_out.length === 0 ? [] : [leftOut, ...indented(logs.left_out)]),
    'Written:',
    ...indented(written.map(({ path, rollups }) => `${path}  ${plural(rollups, 'rollup')}`)),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

interface Sources {
  readonly files: readonly string[];
  readonly leftOut: readonly string[];
}

function sourcesUnder(folder: string, runs: boolean): Sources {
  let found: string[];
  try {
    found = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && (STORE.test(entry.name) || isLogName(entry.name)))
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted();
  } catch (error) {
    throw new OperatorError('NOT_READY', `${folder} cannot be read`, {
      hint: 'Name the folder with the stores and logs.',
      cause: error,
    });
  }
  const leftOut = runs ? [] : found.filter((file) => RUN_LOG.test(basename(file)));
  const files = found.filter((file) => !leftOut.includes(file));
  if (files.length > 0) return { files, leftOut };
  const only = leftOut.length === 0 ? '' : ' but those kept of runs of ccp-uat';
  throw new OperatorError('NOT_READY', `there is no store and no usage log under ${folder}${only}`, {
    hint:
      leftOut.length === 0
        ? 'Stores end in .sqlite3, logs are named usage*.jsonl.'
        : 'Name another folder, or count those with --runs.',
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
