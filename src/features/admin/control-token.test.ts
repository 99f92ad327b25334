import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ensureControlToken } from './control-token.ts';

let root: string;
let stateDir: string;
let path: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ccp-token-'));
  stateDir = join(root, 'ccp', 'dev');
  path = join(stateDir, 'control.token');
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

const modeOf = (name: string): number => statSync(name).mode & 0o777;

it('makes a token of 32 bytes in a file and folder that only the owner may read', () => {
  const token = ensureControlToken(stateDir);
  expect(Buffer.from(token, 'base64url')).toHaveLength(32);
  expect(readFileSync(path, 'utf8')).toBe(token);
  expect(modeOf(path)).toBe(0o600);
  expect(modeOf(stateDir)).toBe(0o700);
  expect(readdirSync(stateDir)).toEqual(['control.token']);
});

it('keeps the token of a former process', () => {
  expect(ensureControlToken(stateDir)).toBe(ensureControlToken(stateDir));
});

it('makes another one for another folder', () => {
  expect(ensureControlToken(stateDir)).not.toBe(ensureControlToken(join(root, 'other')));
});

it('closes a folder that others could enter', () => {
  mkdirSync(stateDir, { recursive: true });
  chmodSync(stateDir, 0o777);
  ensureControlToken(stateDir);
  expect(modeOf(stateDir)).toBe(0o700);
});

it('replaces a token that others could have read', () => {
  const exposed = ensureControlToken(stateDir);
  chmodSync(path, 0o644);
  const token = ensureControlToken(stateDir);
  expect(token).not.toBe(exposed);
  expect(modeOf(path)).toBe(0o600);
});

it.each(['', 'short', `${'a'.repeat(43)}\n`, 'a'.repeat(44), `${'a'.repeat(42)}+`])(
  'replaces a file that holds no token: %j',
  (content) => {
    mkdirSync(stateDir, { recursive: true });
    writeFileSync(path, content, { mode: 0o600 });
    const token = ensureControlToken(stateDir);
    expect(readFileSync(path, 'utf8')).toBe(token);
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(readdirSync(stateDir)).toEqual(['control.token']);
  },
);

it('replaces a folder that stands in its place', () => {
  mkdirSync(join(path, 'deep'), { recursive: true });
  expect(ensureControlToken(stateDir)).toBe(readFileSync(path, 'utf8'));
});

it('is one and the same for processes that start at once, also over a damaged file', async () => {
  for (const damaged of [false, true]) {
    const dir = join(stateDir, String(damaged));
    mkdirSync(dir, { recursive: true });
    if (damaged) writeFileSync(join(dir, 'control.token'), 'torn', { mode: 0o600 });
    const tokens = await Promise.all(Array.from({ length: 4 }, () => tokenOfProcess(dir)));
    expect(new Set(tokens)).toEqual(new Set([readFileSync(join(dir, 'control.token'), 'utf8')]));
  }
});

/** Starts with the others at the same moment of the wall clock, as near as processes can. */
async function tokenOfProcess(dir: string): Promise<string> {
  const script = `
    const { ensureControlToken } = await import(process.argv[1]);
    const start = Math.ceil(Date.now() / 200) * 200;
    while (Date.now() < start);
    process.stdout.write(ensureControlToken(process.argv[2]));
  `;
  const module = new URL('./control-token.ts', import.meta.url).href;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, module, dir], { env: {} });
  let token = '';
  child.stdout.on('data', (text) => {
    token += String(text);
  });
  await once(child, 'close');
  return token;
}
