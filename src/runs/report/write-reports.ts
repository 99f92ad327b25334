/** Where the reports of a run go: its own folder, and the places where operators already look. */
import { randomUUID } from 'node:crypto';
import { appendFile, copyFile, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathTrouble } from '../../errors.ts';
import { makeFolder, SHARED } from '../../platform/files.ts';
import type { RunRecord } from '../run-record.ts';
import { type RunFolder, writeWhole } from '../stored/run-folder.ts';
import type { Suite } from '../suite.ts';
import { ctrfJson } from './ctrf.ts';
import { junitXml } from './junit.ts';
import { type ReportedRun, reportHtml } from './page/report-page.ts';
import { summaryMarkdown } from './summary-markdown.ts';
import { countsOf, seconds } from './verdict-text.ts';

/** Absolute. */
export interface Places {
  readonly resultsDir: string;
  readonly logsDir: string;
}

/**
 * Makes the places and tries to write there, so that no verdict is lost at the end of a run. Rejects with NOT_READY where
 * one cannot be used.
 */
export async function tryPlaces({ resultsDir, logsDir }: Places): Promise<void> {
  await tryPlace(resultsDir, 'CCP_RESULTS_DIR');
  await tryPlace(logsDir, 'CCP_LOGS_DIR');
}

async function tryPlace(dir: string, variable: string): Promise<void> {
  try {
    makeFolder(dir, SHARED);
    const trial = path.join(dir, `.trial-${randomUUID()}`);
    await writeFile(trial, '');
    await rm(trial);
  } catch (error) {
    const hint = `Make it writable, or set ${variable} to a folder that is.`;
    throw pathTrouble(error, { place: dir, hint }) ?? error;
  }
}

/** Writes what is derived from the stored run and the verdicts on it. */
export async function writeReports(folder: RunFolder, run: ReportedRun): Promise<void> {
  await Promise.all(reportsOf(run).map(([name, text]) => folder.write(name, text)));
}

/**
 * Writes the reports of a run that was judged again: `report.html` anew, the others where the run came to none, as one that
 * died. What it said of itself when it ended stays as it is. Rejects with what the file system says.
 */
export async function rewriteReports(folder: string, run: ReportedRun): Promise<void> {
  await Promise.all(
    reportsOf(run).map(async ([name, text]) => {
      if (name === PAGE || !(await exists(path.join(folder, name)))) await writeWhole(folder, name, text);
    }),
  );
}

export const PAGE = 'report.html';

/** What is derived from a run and the verdicts on it, each file whole. Pure: the same run, the same bytes. */
export const reportsOf = (run: ReportedRun): (readonly [name: string, text: string])[] => [
  ['run.json', `${JSON.stringify(run.record, null, 2)}\n`],
  ['junit.xml', junitXml(run.record)],
  ['ctrf-report.json', ctrfJson(run.record)],
  ['SUMMARY.md', summaryMarkdown(run.record)],
  [PAGE, reportHtml(run)],
];

/** Copies under the names of old, and adds the run's line to `TESTS.md`; one that goes on in its folder has a line for each time. */
export async function publish({
  folder,
  record,
  resumed = false,
  suite: { artifacts },
  places,
  takesPlace = true,
}: {
  readonly folder: RunFolder;
  readonly record: RunRecord;
  readonly resumed?: boolean;
  readonly suite: Suite;
  readonly places: Places;
  /** Whether it takes the place of the run before it under the names of old; by default it does. */
  readonly takesPlace?: boolean;
}): Promise<void> {
  const { resultsDir, logsDir } = places;
  const copies: [from: string, to: string][] = [
    ['METRICS.json', path.join(resultsDir, `METRICS_${artifacts.name}.json`)],
    ['usage.jsonl', path.join(logsDir, `usage_${artifacts.name}.jsonl`)],
  ];
  if (artifacts.summary !== undefined) copies.push(['SUMMARY.md', path.join(resultsDir, artifacts.summary)]);
  if (artifacts.report !== undefined)
    copies.push([artifacts.report, path.join(resultsDir, artifacts.report)]);
  if (artifacts.perRun !== undefined) {
    const { file, folder: name } = artifacts.perRun;
    makeFolder(path.join(resultsDir, name), SHARED);
    copies.push([file, path.join(resultsDir, name, figuresOf(record.run))]);
  }
  if (takesPlace) await Promise.all(copies.map(([from, to]) => replaceBy(path.join(folder.path, from), to)));
  const ended = record.ending === 'complete' ? record.outcome : `${record.outcome}, ${record.ending}`;
  await addToHistory(resultsDir, {
    startedAt: record.startedAt,
    name: artifacts.name,
    verdict: resumed ? `${ended}, resumed` : ended,
    counts: countsOf(record),
    ms: record.ms,
    folder: folder.path,
  });
}

/** What is copied of a run to beside those of others of its suite. */
const figuresOf = (run: string): string => `METRICS_${run}.json`;

/** Of which run a file there has the figures, or what is left of a copy of them that was broken off; null of any other file. */
export const runOfFigures = (name: string): string | null =>
  /^METRICS_(.+)\.json(?:\.[0-9a-f-]{36}\.part)?$/.exec(name)?.[1] ?? null;

/** A run that broke early has not everything; then the copy of an older run is left as it is. */
async function replaceBy(from: string, to: string): Promise<void> {
  if (!(await exists(from))) return;
  // Of a name of its own: two runs of a suite may end in one moment.
  const part = `${to}.${randomUUID()}.part`;
  await copyFile(from, part);
  await rename(part, to);
}

const HEADING = [
  '# Runs of ccp-uat',
  '',
  '| started | name | verdict | checks | time | folder |',
  '| --- | --- | --- | --- | --- | --- |',
  '',
].join('\n');

/** Two runs may end in one moment: only one of them begins the file, and neither writes over the other. */
async function addLine(file: string, line: string): Promise<void> {
  await appendFile(file, HEADING, { flag: 'ax' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await appendFile(file, line);
}

interface HistoryLine {
  readonly startedAt: string;
  readonly name: string;
  readonly verdict: string;
  readonly counts: string;
  readonly ms: number;
  /** Absolute. */
  readonly folder: string;
}

/** Adds a line to `TESTS.md`. */
export async function addToHistory(
  resultsDir: string,
  { startedAt, name, verdict, counts, ms, folder }: HistoryLine,
): Promise<void> {
  const cells = [startedAt, name, verdict, counts, seconds(ms), path.relative(resultsDir, folder)];
  await addLine(path.join(resultsDir, HISTORY), `| ${cells.join(' | ')} |\n`);
}

const HISTORY = 'TESTS.md';

/** Where `TESTS.md` says that runs were stored, each once; absolute. Some may be gone. */
export async function toldFolders(resultsDir: string): Promise<string[]> {
  const text = await readFile(path.join(resultsDir, HISTORY), 'utf8').catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    },
  );
  const lines = text.matchAll(/^\| \d[^|]*(?:\|[^|]*){4}\| (.+) \|$/gm);
  return [...new Set([...lines].map(([, folder = '']) => path.resolve(resultsDir, folder)))];
}

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );
