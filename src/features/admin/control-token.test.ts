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
import { Worker } from 'node:worker_threads';
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

it('is made although a process was killed while it made one', () => {
  mkdirSync(stateDir, { recursive: true });
  writeFileSync(`${path}.lock`, '');
  expect(ensureControlToken(stateDir)).toBe(readFileSync(path, 'utf8'));
  expect(readdirSync(stateDir)).toEqual(['control.token']);
});

it('is waited for while another process makes it', async () => {
  mkdirSync(stateDir, { recursive: true });
  writeFileSync(`${path}.lock`, '');
  const [waiting] = startThreads(1, [stateDir]);
  const token = 'a'.repeat(43);
  writeFileSync(path, token, { mode: 0o600 });
  expect(await waiting).toEqual([token]);
});

it('is one and the same for all that start at once, also over a damaged file', async () => {
  const dirs = Array.from({ length: 50 }, (_, n) => join(stateDir, String(n)));
  for (const [n, dir] of dirs.entries()) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    if (n % 2 === 0) writeFileSync(join(dir, 'control.token'), 'torn', { mode: 0o600 });
  }
  const kept = await Promise.all(startThreads(2, dirs)).then(([first, ...others]) => {
    for (const other of others) expect(other).toEqual(first);
    return first;
  });
  expect(kept).toEqual(dirs.map((dir) => readFileSync(join(dir, 'control.token'), 'utf8')));
});

/** To the file system, threads are as good as processes; and they can be made to go at the same moment. */
const RUNNER = `
  const { workerData: { module, dirs, threads, arrived }, parentPort } = require('node:worker_threads');
  import(module).then(({ ensureControlToken }) => {
    const tokens = dirs.map((dir, n) => {
      Atomics.add(arrived, 0, 1);
      while (Atomics.load(arrived, 0) < threads * (n + 1));
      return ensureControlToken(dir);
    });
    parentPort.postMessage(tokens);
  });
`;

/** Each thread asks for the token of each folder, together with the others; gives each one's tokens. */
function startThreads(threads: number, dirs: readonly string[]): Promise<unknown>[] {
  const module = new URL('./control-token.ts', import.meta.url).href;
  const arrived = new Int32Array(new SharedArrayBuffer(4));
  return Array.from({ length: threads }, async () => {
    const worker = new Worker(RUNNER, {
      eval: true,
      env: {},
      workerData: { module, dirs, threads, arrived },
    });
    const [tokens] = await once(worker, 'message');
    return tokens as unknown;
  });
}
