import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCanaries } from './canaries.ts';
import { plantOwnSecrets, plantSignatures, signaturesIn } from './own-secrets.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'own-secrets-'));
});
afterEach(() => rm(folder, { recursive: true }));

const SIGNATURE = `${'aB3/+'.repeat(17)}x==`;
const OTHER = `${'zY9+/'.repeat(17)}x==`;
const packOf = (signature: string): string => JSON.stringify({ license: { kid: 'k' }, signature }, null, 2);
const plantedIn = (canaries: ReturnType<typeof createCanaries>): object =>
  Object.fromEntries(
    canaries
      .all()
      .slice(createCanaries('x').all().length)
      .map(({ name, value }) => [name, value]),
  );

describe('a signature', () => {
  it('is found alone and in a pack, however its slashes are written', () => {
    const escaped = packOf(SIGNATURE).replaceAll('/', String.raw`\/`);
    for (const text of [SIGNATURE, `${SIGNATURE}\n`, packOf(SIGNATURE), escaped])
      expect(signaturesIn(text)).toEqual([SIGNATURE]);
    expect(signaturesIn('{"license":{"nonce":"abc"}}')).toEqual([]);
  });

  it("of the caller's licence is planted from the setting itself and from the file that it names", async () => {
    const file = path.join(folder, 'my.pack');
    await writeFile(file, packOf(OTHER));
    const canaries = createCanaries('x');
    const settings = {
      CC_LICENSE_SIG: SIGNATURE,
      CC_LICENSE_PACK: file,
      CC_LICENSE_JSON: path.join(folder, 'none'),
    };
    await plantSignatures(settings, canaries);
    expect(plantedIn(canaries)).toEqual({
      'signature:CC_LICENSE_SIG': SIGNATURE,
      'signature:CC_LICENSE_PACK': OTHER,
    });
  });
});

describe('what a target keeps', () => {
  it('is planted: tokens and the stored licence, each value once', async () => {
    const config = path.join(folder, '.config/ccp');
    await mkdir(config, { recursive: true });
    await writeFile(path.join(config, 'license.pack'), packOf(SIGNATURE));
    await writeFile(path.join(config, 'control.token'), 't0ken\n');
    await writeFile(path.join(config, 'empty.token'), '\n');
    const canaries = createCanaries('x');
    await plantOwnSecrets(folder, canaries);
    expect(plantedIn(canaries)).toEqual({ 'license.pack': SIGNATURE, 'control.token': 't0ken' });
    const known = createCanaries('x');
    known.add('license-signature', SIGNATURE);
    await plantOwnSecrets(folder, known);
    expect(plantedIn(known)).toEqual({ 'license-signature': SIGNATURE, 'control.token': 't0ken' });
  });

  it('is nothing where there is no such folder', async () => {
    const canaries = createCanaries('x');
    await plantOwnSecrets(path.join(folder, 'none'), canaries);
    expect(plantedIn(canaries)).toEqual({});
  });
});
