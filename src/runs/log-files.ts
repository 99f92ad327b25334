/** Opens usage logs for the analyzers: a file with its rotated copies, or standard input. */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { type LogSource, rotatedSet } from '../analysis/log-reader.ts';
import { OperatorError } from '../errors.ts';

/**
 * The sources of one log. `-` is standard input; a file is read alone. Throws USAGE where there is none.
 */
export async function logSources(log: string): Promise<LogSource[]> {
  if (log === '-') return [{ name: '-', chunks: process.stdin }];
  await requireFile(log);
  return [{ name: log, chunks: createReadStream(log) }];
}

/** The live log with its rotated copies, oldest first. Throws USAGE where there is none. */
export async function liveLogSources(logsDir: string): Promise<LogSource[]> {
  const log = path.join(logsDir, 'usage.jsonl');
  const names = await readdir(logsDir).catch(() => []);
  const files = rotatedSet('usage.jsonl', names).map((name) => path.join(logsDir, name));
  if (files.length === 0) await requireFile(log);
  return files.map((name) => ({ name, chunks: createReadStream(name) }));
}

async function requireFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => null);
  if (found?.isFile() === true) return;
  throw new OperatorError('USAGE', found === null ? `there is no log ${file}` : `${file} is not a file`, {
    hint: 'Name one: usage.jsonl of a run, of the proxy, or "-" for standard input.',
  });
}
