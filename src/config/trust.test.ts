import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openTrustKeeper, type TrustKeeper } from './trust.ts';

let root: string;
let store: TrustKeeper;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ccp-trust-'));
  store = openTrustKeeper({ config: join(root, 'config'), state: join(root, 'state') }, (path) =>
    mkdirSync(path, { recursive: true }),
  );
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function file(name: string, text: string): string {
  writeFileSync(join(root, name), text);
  return join(root, name);
}

it('trusts a file as it is, by its content, until it changes', () => {
  const path = file('.env', 'A=1');
  expect(store.stateOf(path, Buffer.from('A=1'))).toBe('untrusted');
  store.trust(path);
  expect(store.stateOf(path, Buffer.from('A=1'))).toBe('trusted');
  expect(store.stateOf(path, Buffer.from('A=2'))).toBe('changed');
});

it('trusts the file and not others with the same content', () => {
  store.trust(file('a', 'same'));
  expect(store.stateOf(file('b', 'same'), Buffer.from('same'))).toBe('untrusted');
});

it('knows a file by whatever link leads to it', () => {
  const path = file('a', 'text');
  symlinkSync(path, join(root, 'link'));
  store.trust(join(root, 'link'));
  expect(store.stateOf(path, Buffer.from('text'))).toBe('trusted');
});

it('takes trust back', () => {
  const path = file('a', 'text');
  store.trust(path);
  expect([store.forget(path), store.forget(path)]).toEqual([true, false]);
  expect(store.stateOf(path, Buffer.from('text'))).toBe('untrusted');
});

it('keeps its record for the owner alone', () => {
  store.trust(file('a', 'text'));
  expect(statSync(store.path).mode & 0o777).toBe(0o600);
});

it('says what to do with a damaged record instead of trusting nothing or everything', () => {
  store.trust(file('a', 'text'));
  writeFileSync(store.path, '{"v":1,"files":{"/x":"short"}}');
  expect(() => store.stateOf(join(root, 'a'), Buffer.from('text'))).toThrow('is not a trust store');
});

it('refuses to trust what is not there', () => {
  expect(() => store.trust(join(root, 'absent'))).toThrow('there is no file');
});
