/** Gives a target its licence the way an operator does, by the commands of `ccp`. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { OperatorError } from '../errors.ts';
import type { Artifact } from '../protocol/witness.ts';
import { logIn } from './license-login.ts';
import type { Canaries, CommandResult, Licenses, Stage, Target } from './types.ts';

export interface PlaceOptions {
  /** Its commands run in its own environment; it need not be running. */
  readonly target: Pick<Target, 'ccp' | 'startCcp'>;
  readonly licenses: Licenses;
  readonly canaries: Pick<Canaries, 'inviteCode'>;
  /** Absolute, of the run's own and gone after it: what is written there is secret. */
  readonly folder: string;
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

/** What a command printed; throws CHECK_FAILED, with its last words, where it did not end well. */
export function printedBy(args: readonly string[], { exitCode, stdout, stderr }: CommandResult): Artifact {
  if (exitCode === 0) return { place: `ccp ${args.slice(0, 2).join(' ')}`, text: stdout + stderr };
  const said = stderr.trim().split('\n').slice(-3).join('\n');
  throw new OperatorError(
    'CHECK_FAILED',
    `"ccp ${args.slice(0, 2).join(' ')}" ended with ${exitCode ?? 'a signal'}: ${said}`,
  );
}
