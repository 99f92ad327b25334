import { dirname } from 'node:path';
import { OperatorError, pathTrouble } from '../errors.ts';
import { barredFolder } from '../platform/files.ts';
import { isSqlite } from './database.ts';
import type { Failure } from './failure.ts';

/** What the codes of SQLite mean to an operator; the hint says what to do. */
const MEANINGS: readonly (readonly [code: RegExp, what: string, hint: string])[] = [
  [/^SQLITE_FULL/, 'the disk of %s is full', 'Free some space on it.'],
  [/^SQLITE_(BUSY|LOCKED)/, '%s is locked by another process', 'Look which one: fuser names it.'],
  [/^SQLITE_READONLY/, '%s may not be written', 'Give this user the right to write it and its folder.'],
  [
    /^SQLITE_(CANTOPEN|PERM|AUTH)/,
    '%s cannot be opened',
    'Give this user the right to write it and its folder.',
  ],
  [/^SQLITE_IOERR/, 'the disk of %s reports an error', 'Look at the messages of the kernel.'],
];

/** For a command that only reads where there is no file. */
export function absentStore(path: string): OperatorError {
  const barred = barredFolder(dirname(path));
  const how =
    barred === null
      ? '"ccp serve" makes it, or "ccp db import --jsonl FILE"'
      : `None can be made: ${barred} is no folder that can be written to`;
  return new OperatorError('NOT_READY', `there is no store at ${path}`, {
    hint: `${how}; CCP_DB_PATH, CCP_LOGS_DIR and CCP_PROFILE say where.`,
  });
}

/** For a path that the system refuses. */
const ANOTHER_PLACE = 'Name a file in a folder that this user may write with CCP_DB_PATH.';

/** Any error of the store at `path`, put for an operator where it is one that an operator can mend. */
export function failureOf(error: unknown, path: string): Failure {
  if (error instanceof OperatorError) return { code: error.code, message: error.message, hint: error.hint };
  const trouble = pathTrouble(error);
  if (trouble !== null) {
    const { code, message, hint = ANOTHER_PLACE } = trouble;
    return { code, message, hint };
  }
  const text = error instanceof Error ? error.message : String(error);
  const code = isSqlite(error) ? error.code : '';
  const meaning = MEANINGS.find(([pattern]) => pattern.test(code));
  if (meaning === undefined) return { code: null, message: text, hint: undefined };
  const [, what, hint] = meaning;
  return { code: 'NOT_READY', message: `${what.replace('%s', path)} (${text})`, hint };
}
