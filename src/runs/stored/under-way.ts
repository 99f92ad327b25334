/**
 * Whether a run still goes on. Its events cannot tell: those of one that was killed end just so. So its process says it in the
 * folder of the run, and takes it away when it ends. Each that would write there says so in a line of its own, and the first
 * that is still there is the one that may: a line is appended whole, so that of two that begin at once both see the same.
 */
import { randomUUID } from 'node:crypto';
import { appendFile, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { OperatorError } from '../../errors.ts';

export const UNDER_WAY = 'under-way.jsonl';

const claimSchema = z.strictObject({
  v: z.literal(1),
  claim: z.string(),
  pid: z.int().positive(),
  began: z
    .string()
    .nullable()
    .describe('of the process, in the words of its system; null where that has none'),
});

const schema = z.union([
  claimSchema,
  z.strictObject({ v: z.literal(1), withdrawn: z.string().describe('a claim') }),
  // In a copy of the folder, whose reader cannot look for a process.
  z.strictObject({ v: z.literal(1), copied: z.literal(true) }),
]);

type Line = z.output<typeof schema>;
type Claim = z.output<typeof claimSchema>;

/** What stands for it in a copy of a run that went on when it was copied. */
export const UNDER_WAY_COPIED = `${JSON.stringify({ v: 1, copied: true } satisfies Line)}\n`;

/** Until it is disposed of, or this process is gone, the run counts as going on. Throws USAGE where it does so already. */
export async function markUnderWay(folder: string): Promise<AsyncDisposable> {
  const file = path.join(folder, UNDER_WAY);
  const say = (line: Line): Promise<void> => appendFile(file, `${JSON.stringify(line)}\n`);
  const { pid } = process;
  const own: Claim = { v: 1, claim: randomUUID(), pid, began: await beginningOf(pid) };
  let holder: Holder | null = null;
  // Whoever ends in this moment takes the file away, and with it what was just said in it.
  while (holder === null) {
    await say(own);
    holder = await holderIn(folder);
  }
  if (isOf(holder, own)) return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
  await say({ v: 1, withdrawn: own.claim });
  throw goesOn(folder, holder);
}

/** Throws USAGE where the run still goes on. */
export async function mustBeOver(folder: string): Promise<void> {
  const holder = await holderIn(folder);
  if (holder !== null) throw goesOn(folder, holder);
}

/** False also where what is said there is of a process that is gone, or that has its number from one that is. */
export const isUnderWay = async (folder: string): Promise<boolean> => (await holderIn(folder)) !== null;

function goesOn(folder: string, holder: Holder): OperatorError {
  const file = path.join(folder, UNDER_WAY);
  if (holder === 'copied') {
    return new OperatorError('USAGE', `${folder} is a copy of a run that went on when it was copied`, {
      hint: `Take the run itself; where that is gone, remove ${file}.`,
    });
  }
  const { pid, began } = holder;
  const what = `${folder} still goes on, as process ${pid} says in ${UNDER_WAY}: two would write into one folder`;
  const unsure = ` Nobody can tell here whether ${pid} is still the process that said so: if it is another by now, remove ${file}.`;
  return new OperatorError('USAGE', what, {
    hint: `Wait for its end, or end it first.${began === null ? unsure : ''}`,
  });
}

type Holder = Claim | 'copied';

const isOf = (holder: Holder, { claim }: Claim): boolean => holder !== 'copied' && holder.claim === claim;

/** Who may write into the folder; null where nobody stands by what is said there, or nothing is. */
async function holderIn(folder: string): Promise<Holder | null> {
  const text = await readFile(path.join(folder, UNDER_WAY), 'utf8').catch(() => '');
  const lines = text.split('\n').flatMap((line) => schema.safeParse(parsed(line)).data ?? []);
  const withdrawn = new Set(lines.flatMap((line) => ('withdrawn' in line ? [line.withdrawn] : [])));
  for (const line of lines) {
    if ('copied' in line) return 'copied';
    if ('pid' in line && !withdrawn.has(line.claim) && (await standsByIt(line))) return line;
  }
  return null;
}

/** Where its system has no word for when a process began, whichever has its number is taken for it. */
const standsByIt = async ({ pid, began }: Claim): Promise<boolean> =>
  isAlive(pid) && (began === null || began === (await beginningOf(pid)));

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
