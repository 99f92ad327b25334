/** Removes what the harness left among the logs. What the proxy writes there is the proxy's. */
import { lstat, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { rotatedSet } from '../platform/rotated-files.ts';

export interface CleanOptions {
  readonly logsDir: string;
  /** Takes `usage.jsonl` and its rotated copies, too: every exchange that was recorded here. */
  readonly live: boolean;
  readonly dryRun: boolean;
}

export interface Cleaned {
  readonly removed: readonly { readonly file: string; readonly bytes: number }[];
  readonly bytes: number;
}

const LIVE = 'usage.jsonl';
/** Logs of runs, and what a run that died while it wrote one has left. */
const OURS = /^(usage_[\w.-]+\.(jsonl|part)|\.trial-[0-9a-f-]{36})$/;

export async function cleanLogs({ logsDir, live, dryRun }: CleanOptions): Promise<Cleaned> {
  const entries = await readdir(logsDir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  const chosen = [...names.filter((name) => OURS.test(name)), ...(live ? rotatedSet(LIVE, names) : [])];
  const removed: { file: string; bytes: number }[] = [];
  for (const file of chosen.toSorted()) {
    const { size: bytes } = await lstat(path.join(logsDir, file));
    removed.push({ file, bytes });
    if (!dryRun) await rm(path.join(logsDir, file));
  }
  return { removed, bytes: removed.reduce((sum, { bytes }) => sum + bytes, 0) };
}
