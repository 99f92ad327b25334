/** Gives a target its licence the way an operator does, by the commands of `ccp`. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Artifact } from '../protocol/witness.ts';
import { type LoginOptions, logIn } from './license-login.ts';
import { printedBy } from './printed.ts';
import type { Target } from './types/target.ts';
import type { Stage } from './types/world.ts';

export interface PlaceOptions extends LoginOptions {
  /** Its commands run in its own environment; it need not be running. */
  readonly target: Pick<Target, 'ccp' | 'startCcp'>;
}

/**
 * What the programs that had a part in it printed and wrote, to be searched like everything else. Rejects with
 * CHECK_FAILED where a command refuses.
 */
export async function placeLicense(stage: Stage, options: PlaceOptions): Promise<readonly Artifact[]> {
  const { target, licenses, folder } = options;
  if (stage.by === 'environment') return [];
  if (stage.by === 'login') return logIn(options);
  if (stage.license === 'none') return [await succeed(target, ['license', 'logout'])];
  if (stage.license === 'env') throw new TypeError("the caller's own licence is not ours to store");
  const file = path.join(folder, 'license.json');
  await writeFile(file, licenses.pack(stage.license), { mode: 0o600 });
  return [await succeed(target, ['license', 'set', file])];
}

async function succeed({ ccp }: PlaceOptions['target'], args: readonly string[]): Promise<Artifact> {
  const result = await ccp(args);
  if (result === null) throw new TypeError('another target has no commands of ccp');
  return printedBy(args, result);
}
