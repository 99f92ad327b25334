import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeFolder } from './files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ccp-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('makes a private folder and those above it, once', () => {
  const deep = join(folder, 'a', 'b', 'c');
  expect(makeFolder(deep)).toBe(true);
  expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o700);
  expect(makeFolder(deep)).toBe(false);
});

it('says what the system says where there can be none', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => makeFolder(join(folder, 'file', 'x'))).toThrow(/ENOTDIR/);
});

it.runIf(process.platform === 'linux')('comes back from a folder that says ENOENT to everything', () => {
  expect(() => makeFolder('/proc/x/y')).toThrow(/ENOENT/);
});
