/** Files of `NAME=value` lines that may set settings: the user's own, and `.env` in the working directory. */
import { parseEnv } from 'node:util';
import { readSmallFile } from './read-small-file.ts';

export interface EnvFile {
  readonly path: string;
  /** `absent`; `own`: the user's; the rest is what the trust store says of a file that merely lies there. */
  readonly state: 'absent' | 'own' | 'trusted' | 'changed' | 'untrusted';
  readonly values: Readonly<Record<string, string | undefined>>;
  /** What is set more than once: only the last of its lines counts. */
  readonly repeated: readonly Repeated[];
}

export interface Repeated {
  readonly name: string;
  /** Counted from 1. */
  readonly lines: readonly number[];
}

/** Reads such a file; `judge` says how far its bytes are trusted. Throws `CONFIG` where it can't be read. */
export function readEnvFile(path: string, judge: (path: string, bytes: Buffer) => EnvFile['state']): EnvFile {
  const bytes = readSmallFile(path);
  if (bytes === null) return { path, state: 'absent', values: {}, repeated: [] };
  const text = bytes.toString('utf8');
  return { path, state: judge(path, bytes), values: parseEnv(text), repeated: repeatedIn(text) };
}

/** A name, and where its value is in quotes all of that: it may have lines that look like settings. */
const ASSIGNMENT = /^[^\S\n]*(?:export[^\S\n]+)?([^\s=#]+)[^\S\n]*=[^\S\n]*(?:"[^"]*"|'[^']*'|`[^`]*`)?/gm;

function repeatedIn(text: string): Repeated[] {
  const lines = new Map<string, number[]>();
  for (const { 1: name = '', index } of text.matchAll(ASSIGNMENT)) {
    const line = text.slice(0, index).split('\n').length;
    lines.set(name, [...(lines.get(name) ?? []), line]);
  }
  return [...lines].flatMap(([name, at]) => (at.length > 1 ? { name, lines: at } : []));
}
