/** Files of `NAME=value` lines that may set settings: the user's own, and `.env` in the working directory. */
import { parseEnv } from 'node:util';
import { readSmallFile } from './read-small-file.ts';

export interface EnvFile {
  readonly path: string;
  /** `absent`; `own`: the user's; the rest is what the trust store says of a file that merely lies there. */
  readonly state: 'absent' | 'own' | 'trusted' | 'changed' | 'untrusted';
  readonly values: Readonly<Record<string, string | undefined>>;
}

/** Reads such a file; `judge` says how far its bytes are trusted. Throws `CONFIG` where it can't be read. */
export function readEnvFile(path: string, judge: (path: string, bytes: Buffer) => EnvFile['state']): EnvFile {
  const bytes = readSmallFile(path);
  if (bytes === null) return { path, state: 'absent', values: {} };
  return { path, state: judge(path, bytes), values: parseEnv(bytes.toString('utf8')) };
}
