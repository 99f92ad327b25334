import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { rotatedFiles } from './rotated-files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rotated-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('gives the copies of a log oldest first, then itself, and no stranger', async () => {
  const strangers = [
    'usage.jsonl.part',
    'usage.jsonl.01',
    'usage.jsonl.0',
    'old-usage.jsonl',
    'usage_x.jsonl',
  ];
  for (const name of ['usage.jsonl', 'usage.jsonl.2', 'usage.jsonl.10', 'usage.jsonl.1', ...strangers])
    writeFileSync(join(folder, name), '');
  expect(await rotatedFiles(join(folder, 'usage.jsonl'))).toEqual(
    ['usage.jsonl.10', 'usage.jsonl.2', 'usage.jsonl.1', 'usage.jsonl'].map((name) => join(folder, name)),
  );
});

it('leaves out a log that was just rotated away', async () => {
  writeFileSync(join(folder, 'usage.jsonl.1'), '');
  expect(await rotatedFiles(join(folder, 'usage.jsonl'))).toEqual([join(folder, 'usage.jsonl.1')]);
});
