import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OperatorError } from '../errors.ts';
import { systemRandom } from '../platform/random.ts';
import { publicKeyOf } from '../protocol/ed25519.ts';
import { makeSeedFile, parseSigningKey, publicLine, readSeedFile } from './signing-key.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ccp-seed-'));
  path = join(folder, 'deep', 'issuer.seed');
});
afterEach(() => rmSync(folder, { recursive: true }));

function failure(act: () => unknown): OperatorError {
  try {
    act();
  } catch (error) {
    if (error instanceof OperatorError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('a seed file', () => {
  it('is made for its owner alone, and read back', () => {
    const key = makeSeedFile(path, 'k1', systemRandom);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readSeedFile(path)).toEqual({ kid: 'k1', seed: key.seed });
    expect(publicLine(key)).toBe(`k1=${publicKeyOf(key.seed).toString('base64')}`);
  });

  it('is never overwritten', () => {
    makeSeedFile(path, 'k1', systemRandom);
    const before = readFileSync(path, 'utf8');
    expect(failure(() => makeSeedFile(path, 'k2', systemRandom)).exitCode).toBe(2);
    expect(readFileSync(path, 'utf8')).toBe(before);
    expect(failure(() => makeSeedFile(folder, 'k2', systemRandom)).message).toBe(`${folder} is a folder`);
  });

  it.each([0o640, 0o604, 0o620, 0o602])('is refused where its mode is %o', (mode) => {
    makeSeedFile(path, 'k1', systemRandom);
    chmodSync(path, mode);
    expect(failure(() => readSeedFile(path))).toMatchObject({
      exitCode: 2,
      hint: expect.stringContaining('chmod 600'),
    });
  });

  it('is refused where it is missing or a folder', () => {
    expect(failure(() => readSeedFile(path)).message).toContain('ENOENT');
    mkdirSync(path, { recursive: true });
    expect(failure(() => readSeedFile(path)).message).toContain('is no file');
  });

  it('that holds something else is named, and not what it holds', () => {
    // Also where others can read it: that is not the mistake.
    writeFileSync(join(folder, 'x'), 'k1=c2VjcmV0\n', { mode: 0o644 });
    const error = failure(() => readSeedFile(join(folder, 'x')));
    expect(error.message).toBe(`${join(folder, 'x')} does not hold a signing seed`);
    expect(`${error.message}${error.hint}`).not.toContain('c2VjcmV0');
  });
});

it('takes a seed back as it was written, and nothing that is not exactly one', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 64 }), (bytes) => {
      const text = `k1=${Buffer.from(bytes).toString('base64')}`;
      if (bytes.length === 32)
        expect(Buffer.from(parseSigningKey(text, 'here').seed).equals(bytes)).toBe(true);
      else
        expect(failure(() => parseSigningKey(text, 'here')).message).toBe(
          'here does not hold a signing seed',
        );
    }),
  );
});

it.each([
  '',
  '=',
  'k1',
  'k1=',
  ' =x',
  'k,1',
  'k1=A',
  `k1=${'A'.repeat(44)}`,
  `k1=${'A'.repeat(42)}B=`,
  `k 1=${'A'.repeat(43)}=`,
])('refuses %j', (text) => {
  expect(failure(() => parseSigningKey(text, 'here')).exitCode).toBe(2);
});
