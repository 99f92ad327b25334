import {
  chmodSync,
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
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readPack } from './read-pack.ts';
import { removePack, storePack } from './store.ts';
import { createTestIssuer } from './testing/test-issuer.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ccp-store-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const { mint } = createTestIssuer();
const modeOf = (path: string): number => statSync(path).mode & 0o777;

it('makes the folder and a file for its owner alone, which reads as what was stored', () => {
  const path = join(root, 'config/ccp/license.pack');
  const pack = mint();
  storePack(path, pack);
  expect([modeOf(path), modeOf(join(root, 'config/ccp'))]).toEqual([0o600, 0o700]);
  expect(readPack(readFileSync(path))).toEqual({ ok: true, pack });
});

it('replaces the old one whole, with its mode, and leaves nothing else', () => {
  const path = join(root, 'license.pack');
  writeFileSync(path, 'old');
  chmodSync(path, 0o644);
  const before = statSync(path).ino;
  storePack(path, mint());
  expect([modeOf(path), statSync(path).ino === before]).toEqual([0o600, false]);
  expect(readdirSync(root)).toEqual(['license.pack']);
});

it('replaces a symbolic link and does not write through it', () => {
  const path = join(root, 'license.pack');
  writeFileSync(join(root, 'elsewhere'), 'untouched');
  symlinkSync('elsewhere', path);
  storePack(path, mint());
  expect(lstatSync(path).isFile()).toBe(true);
  expect(readFileSync(join(root, 'elsewhere'), 'utf8')).toBe('untouched');
});

it('leaves nothing behind where it fails', () => {
  const path = join(root, 'license.pack');
  mkdirSync(join(path, 'in the way'), { recursive: true });
  expect(() => storePack(path, mint())).toThrow();
  expect(readdirSync(root)).toEqual(['license.pack']);
});

it('removes what is stored, of a link the link only, and says whether there was one', () => {
  const path = join(root, 'license.pack');
  expect(removePack(path)).toBe(false);
  writeFileSync(join(root, 'elsewhere'), '');
  symlinkSync('elsewhere', path);
  expect([removePack(path), removePack(path)]).toEqual([true, false]);
  expect(readdirSync(root)).toEqual(['elsewhere']);
});
