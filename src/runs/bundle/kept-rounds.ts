/** The red rounds of a night that lie whole in its folder, and how many of them a bundle takes along. */
import { lstat } from 'node:fs/promises';
import path from 'node:path';

/** What went wrong first is what a reviewer looks at; the account of every round is in the events of the night. */
const MOST_ROUNDS = 5;
const MIB = 1024 ** 2;
const MOST_BYTES = 64 * MIB;

/** For whoever asks why one is not there. */
export const KEPT_RULE = `a bundle takes the first ${MOST_ROUNDS} red rounds of a night, as long as they have no more than ${MOST_BYTES / MIB} MiB together`;

/** `rounds/leg-0001`: of a night, one world with a red round; a run like any other. */
const LEG = /^rounds\/leg-\d{4,}$/;

/** The folder of a leg that a file lies in; null where it lies in none. */
export function legOf(file: string): string | null {
  const folder = file.split('/', 2).join('/');
  return LEG.test(folder) ? folder : null;
}

/** Of those that the night says it `kept`, in the order of the night, the ones to take. `files`: relative to `folder`. */
export async function chooseLegs(
  folder: string,
  { kept, files }: { readonly kept: readonly string[]; readonly files: readonly string[] },
): Promise<string[]> {
  const there = kept.filter((leg) => files.some((file) => legOf(file) === leg)).slice(0, MOST_ROUNDS);
  const taken: string[] = [];
  let bytes = 0;
  for (const leg of there) {
    for (const file of files.filter((one) => legOf(one) === leg))
      bytes += (await lstat(path.join(folder, file))).size;
    if (bytes > MOST_BYTES) break;
    taken.push(leg);
  }
  return taken;
}
