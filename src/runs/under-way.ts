/**
 * Whether a run still goes on. Its events cannot tell: those of one that was killed end just so. So its process says it in the
 * folder of the run, and takes it away when it ends.
 */
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { writeWhole } from './run-folder.ts';

export const UNDER_WAY = 'under-way.json';

const schema = z.union([
  z.strictObject({
    v: z.literal(1),
    pid: z.int().positive(),
    began: z
      .string()
      .nullable()
      .describe('of the process, in the words of its system; null where that has none'),
  }),
  // In a copy of the folder, whose reader cannot look for a process.
  z.strictObject({ v: z.literal(1), copied: z.literal(true) }),
]);

/** What stands for it in a copy of a run that went on when it was copied. */
export const UNDER_WAY_COPIED = `${JSON.stringify({ v: 1, copied: true })}\n`;

/** Until it is disposed of, or this process is gone, the run counts as going on. */
export async function markUnderWay(folder: string): Promise<AsyncDisposable> {
  const { pid } = process;
  await writeWhole(folder, UNDER_WAY, `${JSON.stringify({ v: 1, pid, began: await beginningOf(pid) })}\n`);
  return { [Symbol.asyncDispose]: () => rm(path.join(folder, UNDER_WAY), { force: true }) };
}

/** False also where what is said there is of a process that is gone, or that has its number from one that is. */
export async function isUnderWay(folder: string): Promise<boolean> {
  const text = await readFile(path.join(folder, UNDER_WAY), 'utf8').catch(() => null);
  const { success, data } = schema.safeParse(text === null ? null : parsed(text));
  if (!success) return false;
  if ('copied' in data) return true;
  return isAlive(data.pid) && data.began === (await beginningOf(data.pid));
}

/** Ticks since the machine started, out of `/proc` (proc_pid_stat(5), field 22); null where there is none. */
async function beginningOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => null);
  // The name of the program may hold blanks and brackets; the third field is the first behind it.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is one, too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
