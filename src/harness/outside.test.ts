import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createOutside } from './outside.ts';

let folder: string;
let caFile: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'outside-'));
  caFile = path.join(folder, 'ca.pem');
});
afterEach(() => rm(folder, { recursive: true }));

it('watches nobody until somebody asks for access, who then shares it with all others', async () => {
  await using outside = createOutside(caFile);
  outside.prepare();
  expect(outside.attempts()).toBeNull();
  const [one, other] = await Promise.all([outside.access(), outside.access()]);
  expect(other).toEqual(one);
  expect(await readFile(caFile, 'utf8')).toContain('BEGIN CERTIFICATE');
  expect(outside.attempts()).toEqual([]);
});

it('closes what it was still opening', async () => {
  const outside = createOutside(caFile);
  const access = outside.access();
  await outside[Symbol.asyncDispose]();
  await expect(fetch((await access).proxyUrl)).rejects.toThrow('fetch failed');
});

it('opens nothing by itself', async () => {
  await createOutside(caFile)[Symbol.asyncDispose]();
  expect(await readdir(folder)).toEqual([]);
});
