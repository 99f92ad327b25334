import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolder, replaceFile, SHARED } from './files.ts';

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
  expect(() => makeFolder(join(folder, 'file'))).toThrow(/EEXIST/);
});

it('takes a link to a folder for one, and a link to nothing for something in the way', () => {
  mkdirSync(join(folder, 'real'));
  symlinkSync('real', join(folder, 'link'));
  symlinkSync('nothing', join(folder, 'dangling'));
  expect(makeFolder(join(folder, 'link'))).toBe(false);
  expect(makeFolder(join(folder, 'link', 'deep', 'er'), SHARED)).toBe(true);
  expect(() => makeFolder(join(folder, 'dangling'))).toThrow(/EEXIST/);
});

it.runIf(process.platform === 'linux')('comes back from a folder that says ENOENT to everything', () => {
  expect(() => makeFolder('/proc/x/y')).toThrow(/ENOENT/);
});

describe('replaceFile', () => {
  it.each([true, false])(
    'puts a new file of that mode in place of what was there (durable: %s)',
    (durable) => {
      const path = join(folder, 'file');
      writeFileSync(path, 'a longer text', { mode: 0o644 });
      const before = statSync(path).ino;
      replaceFile(path, 'new', { mode: 0o600, durable });
      expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['new', 0o600]);
      expect([statSync(path).ino === before, readdirSync(folder)]).toEqual([false, ['file']]);
    },
  );

  it('replaces a symbolic link and does not write through it', () => {
    writeFileSync(join(folder, 'elsewhere'), 'untouched');
    symlinkSync('elsewhere', join(folder, 'file'));
    replaceFile(join(folder, 'file'), 'new', { mode: 0o600, durable: false });
    expect(lstatSync(join(folder, 'file')).isFile()).toBe(true);
    expect(readFileSync(join(folder, 'elsewhere'), 'utf8')).toBe('untouched');
  });

  it('leaves what was there, and nothing else, where it fails', () => {
    mkdirSync(join(folder, 'file', 'in the way'), { recursive: true });
    expect(() => replaceFile(join(folder, 'file'), 'new', { mode: 0o600, durable: true })).toThrow();
    expect(readdirSync(folder)).toEqual(['file']);
  });
});
