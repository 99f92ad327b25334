import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sourcesUnder } from './sources.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ccp-sources-'));
  chmodSync(root, 0o755);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const path = (name: string): string => join(root, name);
function write(name: string): string {
  mkdirSync(dirname(path(name)), { recursive: true });
  writeFileSync(path(name), '{}');
  return path(name);
}

/** Root is refused nothing; so a test that needs a refusal steps down. */
function asOrdinaryUser<T>(act: () => T): T {
  if (process.geteuid?.() !== 0) return act();
  process.seteuid?.(65_534);
  try {
    return act();
  } finally {
    process.seteuid?.(0);
  }
}

it('goes on past a folder that may not be listed and a link that may not be followed or is dead, and names those that could count', () => {
  const log = write('logs/usage.jsonl');
  write('closed/deep/usage.jsonl');
  symlinkSync(path('closed'), path('logs/a-link'));
  symlinkSync(path('closed/deep'), path('logs/b-link'));
  symlinkSync('nowhere', path('logs/dangling'));
  symlinkSync('usage.jsonl/below', path('logs/no-folder'));
  symlinkSync('circle', path('logs/circle'));
  symlinkSync('nowhere', path('logs/dead.sqlite3'));
  symlinkSync('nowhere', path('logs/usage_dead.jsonl'));
  chmodSync(path('closed'), 0);
  try {
    const { logs, unread } = asOrdinaryUser(() => sourcesUnder(path('logs'), false));
    expect(logs).toEqual([log]);
    const of = (problem: string, ...names: string[]) =>
      names.map((name) => ({ path: path(`logs/${name}`), problem }));
    expect(unread).toEqual([
      ...of('permission denied', 'a-link', 'b-link'),
      ...of('no such file or directory', 'dead.sqlite3', 'usage_dead.jsonl'),
    ]);
    rmSync(log);
    expect(() => asOrdinaryUser(() => sourcesUnder(path('logs'), false))).toThrow(
      /^there is no store and no usage log under .*\/logs; .*a-link cannot be read: permission denied; /,
    );
    expect(() => asOrdinaryUser(() => sourcesUnder(path('closed'), false))).toThrow(/closed cannot be read$/);
  } finally {
    chmodSync(path('closed'), 0o755);
  }
});
