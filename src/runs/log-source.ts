import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { LogSource } from '../analysis/log-reader.ts';
import { OperatorError } from '../errors.ts';

/** The block that was measured as the fastest to read a log by. */
const BLOCK_BYTES = 1024 * 1024;

/** Opens a usage log for an analyzer; `-` is standard input. Throws USAGE where there is none. */
export async function openLog(log: string): Promise<LogSource> {
  if (log === '-') return { name: '-', chunks: process.stdin };
  const found = await stat(log).catch(() => null);
  if (found === null || found.isDirectory()) {
    throw new OperatorError('USAGE', found === null ? `there is no log ${log}` : `${log} is a folder`, {
      hint: 'Name a usage log: one in logs/, usage.jsonl of a run, or "-" for standard input.',
    });
  }
  return { name: log, chunks: createReadStream(log, { highWaterMark: BLOCK_BYTES }) };
}
