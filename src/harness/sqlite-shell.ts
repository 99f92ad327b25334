/** What the `sqlite3` command line makes of a store: another build of SQLite than the one that wrote the file. */
import path from 'node:path';
import { OperatorError } from '../errors.ts';
import type { ShellCheck } from '../protocol/witness.ts';
import { childEnvironment } from './environment.ts';
import { runGroup } from './process-group.ts';

/** A whole file is read, which may be one of hours of load. */
const TIMEOUT_MS = 60_000;

/** Whoever opens what a kill left makes it whole first, and keeps all others out meanwhile. */
const BUSY_MS = 10_000;
/** Whatever the operator has set up for a shell of his own stays out. */
const QUIETLY = ['-batch', '-init', '/dev/null'] as const;

/** Has it look at every page of a file (absolute). Where there is no such program, why it was not asked. */
export async function askSqliteShell(file: string, program = 'sqlite3'): Promise<ShellCheck> {
  const folder = path.dirname(file);
  try {
    const { exitCode, stdout, stderr, timedOut } = await runGroup({
      file: program,
      args: [...QUIETLY, '-cmd', `.timeout ${BUSY_MS}`, '-readonly', file, 'PRAGMA integrity_check'],
      env: childEnvironment({ home: { home: folder, tmp: folder, work: folder } }),
      cwd: folder,
      timeoutMs: TIMEOUT_MS,
    });
    if (timedOut) return { said: `nothing in ${TIMEOUT_MS} ms` };
    return { said: (exitCode === 0 ? stdout : stderr).trim() };
  } catch (error) {
    if (error instanceof OperatorError && error.code === 'NOT_READY')
      return { missing: 'there is no sqlite3 command line here (Debian: apt-get install sqlite3)' };
    throw error;
  }
}
