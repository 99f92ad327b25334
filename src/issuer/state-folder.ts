import { statSync } from 'node:fs';
import { OperatorError } from '../errors.ts';
import { makeFolder } from '../platform/files.ts';

/**
 * Makes the state folder where it is missing. Throws `CONFIG` for one that others may write: they could give uses of
 * invites back, or read the log through a link laid for us.
 */
export function takeStateFolder(path: string): void {
  makeFolder(path);
  if ((statSync(path).mode & 0o022) === 0) return;
  throw new OperatorError('CONFIG', `the state folder ${path} can be written by others`, {
    hint: `Run: chmod go-w ${path} (and look at what is in it), or name another with --state.`,
  });
}
