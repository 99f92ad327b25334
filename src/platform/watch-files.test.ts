import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchFiles } from './watch-files.ts';

let folder: string;
let path: string;
let changes: number;
let stop: () => void;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ccp-watch-'));
  path = join(folder, 'file');
  changes = 0;
  stop = () => {};
});
afterEach(() => {
  stop();
  rmSync(folder, { recursive: true, force: true });
});

function watch(...paths: readonly string[]): void {
  stop = watchFiles(paths, () => void (changes += 1), 5);
}
const changed = (times: number): Promise<void> => vi.waitFor(() => expect(changes).toBe(times));

it('tells of a file that appears, is edited, is replaced and goes', async () => {
  watch(path);
  writeFileSync(path, 'one');
  await changed(1);
  writeFileSync(path, 'other');
  await changed(2);
  writeFileSync(`${path}.new`, 'other');
  renameSync(`${path}.new`, path);
  await changed(3);
  rmSync(path);
  await changed(4);
});

it.each<[string, () => string]>([
  ['a link that leads round in circles', () => circleAt(join(folder, 'circle'))],
  ['a name that is too long', () => join(folder, 'x'.repeat(300))],
  ['a name that no file can have', () => `${path}\0`],
])('takes %s for a file that is not there, and goes on looking at the others', async (_, make) => {
  watch(make(), path);
  writeFileSync(path, '');
  await changed(1);
});

it('sees a file take the place of a link that led nowhere', async () => {
  watch(circleAt(path));
  rmSync(path);
  writeFileSync(path, '');
  await changed(1);
});

it('is silent once it was stopped', async () => {
  watch(path);
  stop();
  writeFileSync(path, '');
  let others = 0;
  stop = watchFiles([join(folder, 'other')], () => void (others += 1), 5);
  writeFileSync(join(folder, 'other'), '');
  await vi.waitFor(() => expect(others).toBe(1));
  expect(changes).toBe(0);
});

function circleAt(name: string): string {
  symlinkSync(name, name);
  return name;
}
