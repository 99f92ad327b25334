import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OperatorError } from '../../errors.ts';
import { temporaryFolder } from '../testing/stored-green-run.ts';
import { mustBeSigned, readPublicKey, readSeed, signatureText } from './signature.ts';

const pair = generateKeyPairSync('ed25519');
const bytes = Buffer.from(pair.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
const base64 = bytes.toString('base64');
const pem = pair.publicKey.export({ format: 'pem', type: 'spki' }).toString();
const seed = Buffer.from(pair.privateKey.export({ format: 'jwk' }).d ?? '', 'base64url').toString('base64');

let place: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  place = await temporaryFolder();
});
afterAll(() => place[Symbol.asyncDispose]());

const read = (typed: string): Promise<Buffer> =>
  readPublicKey(typed, (name) => path.resolve(place.path, name));

const refusal = async (typed: string): Promise<OperatorError> => {
  const error: unknown = await read(typed).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof OperatorError) return error;
  throw new Error(`it was taken, or: ${String(error)}`);
};

describe('a public key', () => {
  it.each([
    ['hex', bytes.toString('hex')],
    ['hex in capitals', bytes.toString('hex').toUpperCase()],
    ['base64', base64],
    ['an id and base64', `k20300131-7f3a=${base64}`],
    ['the line of a key for bundles', `review=${base64}\n`],
    ['the line of a key for licences', `CCP_LICENSE_PUBKEY_B64=k20300131-7f3a=${base64}\n`],
    ['a line for a shell', `export CCP_POLICY_PUBKEY="k20300131-7f3a=${base64}"`],
    ['PEM', pem],
    ['PEM as Windows ends lines', pem.replaceAll('\n', '\r\n')],
  ])('is taken as %s, typed or in a file', async (_form, text) => {
    expect(await read(text)).toEqual(bytes);
    await writeFile(path.join(place.path, 'review.pub'), text);
    expect(await read('review.pub')).toEqual(bytes);
  });

  it.each([
    ['nothing', ''],
    ['a word', 'review'],
    ['base64 of too few bytes', Buffer.alloc(31).toString('base64')],
    ['hex of too few bytes', '00'.repeat(31)],
    ['two keys', `a=${base64},b=${base64}`],
    ['base64 that is not canonical', `${base64.slice(0, 42)}B=`],
    ['a private key', pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()],
    [
      'a key of another kind',
      generateKeyPairSync('ec', { namedCurve: 'P-256' })
        .publicKey.export({ format: 'pem', type: 'spki' })
        .toString(),
    ],
    ['a seed that was mistyped', `review=${seed.slice(1)}`],
  ])('is not read from %s, and what was typed is not told', async (_what, text) => {
    const typed = await refusal(text);
    expect(typed).toMatchObject({ code: 'CONFIG', hint: expect.stringContaining('BEGIN PUBLIC KEY') });
    await writeFile(path.join(place.path, 'wrong.pub'), text);
    const inFile = await refusal('wrong.pub');
    expect(inFile.message).toContain('wrong.pub holds');
    if (text.length > 10) expect(typed.message + inFile.message).not.toContain(text.slice(8).trim());
  });
});

describe('a seed and a public key, which look the same,', () => {
  it('are told apart by the names of their files', async () => {
    const file = (name: string): string => path.join(place.path, name);
    await writeFile(file('other.seed'), `review=${seed}\n`, { mode: 0o600 });
    const mistaken = await refusal('other.seed');
    expect(mistaken.message).toContain('other.seed is by its name a seed, which is secret');
    expect(mistaken.message + mistaken.hint).not.toContain(seed);
    expect(await readSeed(file('other.seed'))).toMatchObject({ text: seed });
    await writeFile(file('other.pub'), `review=${base64}\n`, { mode: 0o644 });
    await expect(readSeed(file('other.pub'))).rejects.toThrow('other.pub is a public key by its name');
  });

  it('are told apart where the seed given for the key is the one that signed', () => {
    const message = Buffer.from('sums');
    const own = Buffer.from(seed, 'base64');
    const signature = signatureText(message, { bytes: own, text: seed });
    expect(() => mustBeSigned(message, signature, bytes)).not.toThrow();
    expect(() => mustBeSigned(message, signature, own)).toThrow(/the very seed that signed the bundle/);
    expect(() => mustBeSigned(message, signature, Buffer.alloc(32, 7))).toThrow(/another key has signed/);
    // A signature that was tampered with tells nothing of whose seed that is.
    expect(() => mustBeSigned(Buffer.from('other'), signature, own)).toThrow(/another key has signed/);
  });
});
