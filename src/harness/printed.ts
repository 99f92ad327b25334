import { OperatorError } from '../errors.ts';
import type { Artifact } from '../protocol/witness.ts';
import type { CommandResult } from './types/target.ts';

/** What a `ccp` command printed; throws CHECK_FAILED, with its last words, where it did not end well. */
export function printedBy(
  [group = '', command = '']: readonly string[],
  { exitCode, stdout, stderr }: CommandResult,
): Artifact {
  const name = `ccp ${group} ${command}`;
  if (exitCode === 0) return { place: name, text: stdout + stderr };
  const said = stderr.trim().split('\n').slice(-3).join('\n');
  throw new OperatorError('CHECK_FAILED', `"${name}" ended with ${exitCode ?? 'a signal'}: ${said}`);
}
