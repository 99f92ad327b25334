/**
 * The bearer of the control channel: whoever can read the owner's files may steer the proxy. Commands read it
 * where the proxy wrote it.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '../../errors.ts';
import { makeFolder, takeLock } from '../../platform/files.ts';

const TOKEN_BYTES = 32;
/** 32 bytes in base64url, and nothing else. */
const SANE = /^[A-Za-z0-9_-]{43}$/;

const PAUSE_MS = 10;
/** Making a token takes well under a millisecond: whoever holds the lock for this many pauses was killed. */
const PATIENCE = 50;

/**
 * Gives the control token kept in `control.token` of the profile's state folder, making folder (0700) and file
 * (0600) where they are missing. Processes that start at once agree on one token. A file that others can read
 * or that holds no token is replaced. Throws `CONFIG` where the file system keeps no permissions, and what it
 * throws itself. Blocks, for half a second at most where another process was killed while it made a token.
 */
export function ensureControlToken(stateDir: string): string {
  makeFolder(stateDir);
  if ((lstatSync(stateDir).mode & 0o077) !== 0) chmodSync(stateDir, 0o700);
  const path = join(stateDir, 'control.token');
  const lock = `${path}.lock`;
  for (let round = 0; round < 2 * PATIENCE; round += 1) {
    const token = readToken(path);
    if (token !== null) return token;
    if (round === PATIENCE) rmSync(lock, { force: true });
    else if (takeLock(lock)) makeToken(path, lock);
    else pause();
  }
  throw new OperatorError('CONFIG', `${path} cannot be kept from other users`, {
    hint: 'Set XDG_STATE_HOME to a folder on a file system that keeps permissions.',
  });
}

/** The token in a file, null where there is no such file or it is not fit to be trusted. */
function readToken(path: string): string | null {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile() || (stats.mode & 0o077) !== 0) return null;
  const token = readFileSync(path, 'utf8');
  return SANE.test(token) ? token : null;
}

/** Looks again under the lock: a fit token, made a moment ago, may be in use already. */
function makeToken(path: string, lock: string): void {
  try {
    if (readToken(path) !== null) return;
    const draft = `${path}.${randomBytes(8).toString('hex')}`;
    writeFileSync(draft, randomBytes(TOKEN_BYTES).toString('base64url'), { flag: 'wx', mode: 0o600 });
    // Replaces in one step: a reader sees the unfit file or the token, never a gap.
    renameSync(draft, path);
  } finally {
    rmSync(lock, { force: true });
  }
}

/** The proxy has nothing else to do before it has its token. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
