import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { plural } from '../../../analysis/plural.ts';
import { forOperator, forOperatorAsync, type MergedStore, mergeStores } from '../../../config/store-files.ts';
import { EXIT } from '../../../errors.ts';
import { makeFolder, SHARED } from '../../shared/folders.ts';
import { type Host, plain, printJson, printWarnings } from '../../shared/host.ts';
import { readAsFarAsItGoes } from '../../shared/log-files.ts';
import { processTerminal } from '../../shared/terminal.ts';
import { load } from '../load.ts';
import { badLineWarnings, readExchanges, strangerSentences, tooOldWarnings } from './lines.ts';
import { byteProgress } from './progress.ts';
import { type Sources, sourcesUnder, unreadOf } from './sources.ts';

export interface MergeOptions {
  readonly dir: string;
  /** Whether the logs kept of runs of ccp-uat count, too: their traffic is made up. */
  readonly runs: boolean;
  /** By default `rollups` in the folder of results. */
  readonly out: string | undefined;
  readonly json: boolean;
}

/** `ccp db merge`: exit 1 where a source could not be counted in full. */
export async function dbMerge(host: Host, { dir, runs, out, json }: MergeOptions): Promise<number> {
  const { settings } = load(host);
  const folder = resolve(host.cwd, dir);
  const sources = sourcesUnder(folder, runs);
  const terminal = processTerminal();
  using interruption = terminal.interruption();
  const all = [...sources.stores, ...sources.logs].reduce((sum, path) => sum + bytesOf(path), 0);
  await using progress = await byteProgress(terminal.live, 'Joining', all);
  /** A signal is heard only between two pieces of work. */
  const pause = async (path: string, part: number): Promise<void> => {
    progress.add(part * bytesOf(path));
    await breathe();
    interruption.signal.throwIfAborted();
  };
  const scratch = mkdtempSync(join(tmpdir(), 'ccp-merge-'));
  const joined = join(scratch, 'merged.sqlite3');
  try {
    const { merge, stores } = await forOperatorAsync(joined, () =>
      mergeStores(joined, sources.stores, pause),
    );
    using _ = merge;
    const unread = [...sources.unread];
    const logs = sources.logs.map((name) =>
      readAsFarAsItGoes(name, (error) => unread.push(unreadOf(name, error))),
    );
    let [fromLogs, tooOld] = [0, 0];
    const lines = await readExchanges(progress.watch(logs), (rows) => {
      interruption.signal.throwIfAborted();
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
    await progress.end();
    const noLogs = new Set([
      ...unread.map(({ path }) => path),
      ...lines.strangers.map(({ source }) => source),
    ]);
    const report = {
      stores,
      stores_left_out: sources.leftOut.stores,
      logs: {
        files: sources.logs.filter((log) => !noLogs.has(log)),
        left_out: sources.leftOut.logs,
        added: fromLogs,
        too_old: tooOld,
        bad: lines.bad,
      },
      unread,
      written,
    };
    const strangers = strangerSentences(lines.strangers);
    printWarnings(host, 'ccp', [
      ...stores.flatMap(({ path, problem }) => (problem === null ? [] : [`${path}: ${problem}`])),
      ...unread.map(({ path, problem }) => `${path} cannot be read: ${problem}`),
      ...strangers,
      ...tooOldWarnings(tooOld),
      ...badLineWarnings(lines.bad),
    ]);
    if (json) printJson(host, report);
    else host.out.write(pageOf(report, sources.leftOut));
    const whole =
      lines.bad.count === 0 &&
      strangers.length + tooOld + unread.length === 0 &&
      stores.every(({ problem }) => problem === null);
    return whole ? EXIT.ok : EXIT.failed;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

interface Report {
  readonly stores: readonly MergedStore[];
  readonly logs: { readonly files: readonly string[] };
  readonly written: readonly {
    readonly path: string;
    readonly rollups: number;
    readonly exchanges: number;
  }[];
}

/** What was counted, file by file: a log too many would show in no figure. */
function pageOf({ stores, logs, written }: Report, leftOut: Sources['leftOut']): string {
  const exchanges = plural(written[0]?.exchanges ?? 0, 'exchange');
  const counted = stores.filter(
    ({ problem, samples, forgotten }) => problem === null || samples + forgotten > 0,
  );
  const from = `${plural(counted.length, 'store')} and ${plural(logs.files.length, 'log')}`;
  const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${plain(line)}`);
  const listed = (heading: string, paths: readonly string[]): string[] =>
    paths.length === 0 ? [] : [heading, ...indented(paths)];
  return [
    `${exchanges} of ${from}, each once:`,
    ...indented([...counted.map(({ path }) => path), ...logs.files]),
    ...listed('Left out, the logs kept of runs of ccp-uat; --runs counts them, too:', leftOut.logs),
    ...listed('Left out, stores that were set aside as damaged:', leftOut.stores),
    'Written:',
    ...indented(written.map(({ path, rollups }) => `${path}  ${plural(rollups, 'rollup')}`)),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

const bytesOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** Readers find the old file or the new one, never half of it. */
function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.part`, text);
  renameSync(`${path}.part`, path);
}
