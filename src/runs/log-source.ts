import { stat } from 'node:fs/promises';
import type { LogSource } from '../analysis/log-reader.ts';
import { OperatorError } from '../errors.ts';
import { readFileBlocks } from '../platform/file-blocks.ts';
import { rotatedFiles } from '../platform/rotated-files.ts';

/** Opens a usage log for an analyzer; `-` is standard input. Throws USAGE where there is none. */
export async function openLog(log: string): Promise<LogSource> {
  if (log === '-') return { name: '-', chunks: process.stdin };
  const found = await stat(log).catch(() => null);
  if (found === null || found.isDirectory()) {
    throw new OperatorError('USAGE', found === null ? `there is no log ${log}` : `${log} is a folder`, {
      hint: 'Name a usage log: one in logs/, usage.jsonl of a run, or "-" for standard input.',
    });
  }
  return { name: log, chunks: readFileBlocks(log) };
}

/** The same with the rotated copies beside it, oldest first. Standard input has none: USAGE. */
export async function openRotatedLog(log: string): Promise<LogSource[]> {
  if (log === '-') throw new OperatorError('USAGE', 'standard input has no rotated copies beside it');
  const files = await rotatedFiles(log).catch(() => []);
  return Promise.all((files.length > 0 ? files : [log]).map(openLog));
}
