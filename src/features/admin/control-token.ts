/**
 * The bearer of the control channel: whoever can read the owner's files may steer the proxy. Commands read it
 * where the proxy wrote it.
 */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '../../errors.ts';
import { hasCode } from '../../platform/files.ts';

const TOKEN_BYTES = 32;
/** Two are enough alone; others that start at once may cost a few more. */
const ROUNDS = 10;
/** 32 bytes in base64url, and nothing else. */
const SANE = /^[A-Za-z0-9_-]{43}$/;

/**
 * Gives the control token kept in `control.token` of the profile's state folder, making folder (0700) and file
 * (0600) where they are missing. Processes that start at once agree on one token. A file that others can read
 * or that holds no token is replaced. Throws `CONFIG` where the file system keeps no permissions, and what it throws itself.
 */
export function ensureControlToken(stateDir: string): string {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  if ((lstatSync(stateDir).mode & 0o077) !== 0) chmodSync(stateDir, 0o700);
  const path = join(stateDir, 'control.token');
  for (let round = 0; round < ROUNDS; round += 1) {
    const token = readToken(path);
    if (token !== null) return token;
    setAside(path);
    publish(path, randomBytes(TOKEN_BYTES).toString('base64url'));
  }
  throw new OperatorError('CONFIG', `${path} cannot be kept from other users`, {
    hint: 'Set XDG_STATE_HOME to a folder on a file system that keeps permissions.',
  });
}

/** The token in a file, null where there is no such file or it is not fit to be trusted. */
export function readToken(path: string): string | null {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile() || (stats.mode & 0o077) !== 0) return null;
  const token = readFileSync(path, 'utf8');
  return SANE.test(token) ? token : null;
}

/** A link, unlike a rename, never replaces: of several that publish at once, one wins and all read its token. */
function publish(path: string, token: string): void {
  const draft = uniqueBeside(path);
  writeFileSync(draft, token, { flag: 'wx', mode: 0o600 });
  try {
    linkSync(draft, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    rmSync(draft);
  }
}

/** Removes an unfit file; puts it back where it was replaced by another process's fit one a moment ago. */
function setAside(path: string): void {
  const aside = uniqueBeside(path);
  try {
    renameSync(path, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  const token = readToken(aside);
  if (token !== null) publish(path, token);
  rmSync(aside, { recursive: true });
}

function uniqueBeside(path: string): string {
  return `${path}.${randomBytes(8).toString('hex')}`;
}
