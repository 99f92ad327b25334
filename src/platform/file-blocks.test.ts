import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { readFileBlocks } from './file-blocks.ts';

const folder = mkdtempSync(join(tmpdir(), 'ccp-blocks-'));
const path = join(folder, 'file');
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('gives the bytes of a file in order, whatever its size', async () => {
  const content = Buffer.from(Array.from({ length: 2_500_000 }, (_, index) => index % 251));
  writeFileSync(path, content);
  const blocks: Buffer[] = [];
  for await (const block of readFileBlocks(path)) blocks.push(Buffer.from(block));
  expect(blocks.length).toBeGreaterThan(2);
  expect(Buffer.concat(blocks).equals(content)).toBe(true);
});

it('rejects where there is no file', async () => {
  await expect(readFileBlocks(path).next()).rejects.toThrow('ENOENT');
});

it('may be left before the end', async () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, Buffer.alloc(5_000_000, 'x'));
  for await (const block of readFileBlocks(path)) {
    expect(block.length).toBeGreaterThan(0);
    break;
  }
});
