/** Removes the logs that the harness keeps of its runs, and what it summed up of them. What the proxy writes is the proxy's. */
import { lstat, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { rotatedSet } from '../../platform/rotated-files.ts';

export interface CleanOptions {
  readonly logsDir: string;
  readonly resultsDir: string;
  /** Takes `usage.jsonl` and its rotated copies, too: every exchange that was recorded here; and what `summarize` made of it. */
  readonly live: boolean;
  readonly dryRun: boolean;
}

export interface Cleaned {
  readonly removed: readonly { readonly file: string; readonly bytes: number }[];
  readonly bytes: number;
}

const LIVE = 'usage.jsonl';
const LIVE_SUMMARY = 'METRICS.json';
/** Logs of runs, and what a run that died while it wrote one has left. */
const LOGS = /^(usage_[\w.-]+\.(jsonl|part)|\.trial-[0-9a-f-]{36})$/;
/** `METRICS_NAME.json` says what `usage_NAME.jsonl` comes to: alone it would be taken for that of another log. */
const SUMMARIES = /^METRICS_[\w.-]+\.(json|part)$/;

export async function cleanLogs({ logsDir, resultsDir, live, dryRun }: CleanOptions): Promise<Cleaned> {
  const [logs, summaries] = await Promise.all([filesIn(logsDir), filesIn(resultsDir)]);
  const chosen = [
    ...[...logs.filter((name) => LOGS.test(name)), ...(live ? rotatedSet(LIVE, logs) : [])].map((file) => ({
      dir: logsDir,
      file,
    })),
    ...summaries
      .filter((name) => SUMMARIES.test(name) || (live && name === LIVE_SUMMARY))
      .map((file) => ({ dir: resultsDir, file })),
  ];
  const removed: { file: string; bytes: number }[] = [];
  for (const { dir, file } of chosen.toSorted((a, b) => (a.file < b.file ? -1 : 1))) {
    const { size: bytes } = await lstat(path.join(dir, file));
    removed.push({ file, bytes });
    if (!dryRun) await rm(path.join(dir, file));
  }
  return { removed, bytes: removed.reduce((sum, { bytes }) => sum + bytes, 0) };
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}
