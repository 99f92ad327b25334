import { execFileSync, spawnSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSigner, MID_2030, packText } from './testing/signer.ts';
import { openPolicyPack, timeTrouble } from './verify-policy.ts';

const signer = createSigner();
const bytes = packText();
const signature = signer.sign(bytes);
const { publicKey } = signer;

const MUTATIONS = 3_000;

it('opens what was signed, as long as its time lasts', () => {
  const opened = openPolicyPack({ bytes, signature, publicKey });
  if (!opened.ok) throw new Error(opened.detail);
  expect(opened.value.version).toBe(1);
  expect(timeTrouble(opened.value, MID_2030)).toBeNull();
  expect(timeTrouble(opened.value, opened.value.expiresAt - 1)).toBeNull();
  expect(timeTrouble(opened.value, opened.value.expiresAt)).toMatchObject({ reason: 'expired' });
});

it('allows for a signer whose clock is a little ahead, and no more', () => {
  const opened = openPolicyPack({ bytes, signature, publicKey });
  if (!opened.ok) throw new Error(opened.detail);
  const { issuedAt } = opened.value;
  expect(timeTrouble(opened.value, issuedAt - 5 * 60_000)).toBeNull();
  expect(timeTrouble(opened.value, issuedAt - 5 * 60_000 - 1)).toMatchObject({ reason: 'not_yet_valid' });
});

describe('of packs that are not exactly what was signed, none is opened', () => {
  const refused = (pack: Uint8Array, text = signature, key: Uint8Array = publicKey): void => {
    expect(openPolicyPack({ bytes: pack, signature: text, publicKey: key }).ok).toBe(false);
  };

  it('with any bytes changed, taken out, put in or moved', () => {
    const place = fc.nat(bytes.length - 1);
    const mutation = fc.oneof(
      fc.tuple(place, fc.integer({ min: 1, max: 255 })).map(([at, mask]) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ mask;
        return changed;
      }),
      fc
        .tuple(place, fc.integer({ min: 1, max: 40 }))
        .map(([at, length]) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)])),
      fc
        .tuple(place, fc.uint8Array({ minLength: 1, maxLength: 40 }))
        .map(([at, more]) => Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)])),
      fc.tuple(place, place).map(([from, to]) => {
        const [a, b] = from < to ? [from, to] : [to, from];
        return Buffer.concat([bytes.subarray(b), bytes.subarray(a, b), bytes.subarray(0, a)]);
      }),
    );
    fc.assert(
      fc.property(mutation, (mutant) => {
        fc.pre(!mutant.equals(bytes));
        refused(mutant);
      }),
      { numRuns: MUTATIONS },
    );
  });

  it('with the same meaning in other bytes', () => {
    const written = bytes.toString();
    const value: unknown = JSON.parse(written);
    for (const text of [JSON.stringify(value), `${written} `, `\u{feff}${written}`, written.trim()]) {
      refused(Buffer.from(text));
    }
  });

  it('with any bit or character of the signature changed', () => {
    const raw = Buffer.from(signature, 'base64');
    const bit = fc.nat(raw.length * 8 - 1).map((at) => {
      const changed = Buffer.from(raw);
      changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7));
      return changed.toString('base64');
    });
    const random = fc
      .uint8Array({ minLength: 64, maxLength: 64 })
      .map((made) => Buffer.from(made).toString('base64'));
    const character = fc
      .tuple(fc.nat(signature.length - 1), fc.string({ unit: 'binary', minLength: 0, maxLength: 2 }))
      .map(([at, text]) => signature.slice(0, at) + text + signature.slice(at + 1));
    fc.assert(
      fc.property(fc.oneof(bit, random, character), (mutant) => {
        // White space around it is no part of it.
        fc.pre(mutant.trim() !== signature);
        refused(bytes, mutant);
      }),
      { numRuns: MUTATIONS },
    );
  });

  it('with a malleated signature, which the same key did not make', () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const raw = Buffer.from(signature, 'base64');
    const s = BigInt(`0x${Buffer.from(raw.subarray(32).toReversed()).toString('hex')}`) + order;
    const malleated = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').toReversed();
    refused(bytes, Buffer.concat([raw.subarray(0, 32), malleated]).toString('base64'));
  });

  it('with a key that another has, is of another length or of small order', () => {
    refused(bytes, signature, createSigner().publicKey);
    refused(bytes, createSigner().sign(bytes));
    for (const key of [Buffer.alloc(0), publicKey.subarray(1), Buffer.concat([publicKey, Buffer.alloc(1)])]) {
      refused(bytes, signature, key);
    }
    // The neutral element: with R of small order and S = 0, it "signs" everything.
    const neutral = Buffer.alloc(32);
    neutral[0] = 1;
    refused(bytes, Buffer.concat([neutral, Buffer.alloc(32)]).toString('base64'), neutral);
  });
});

it('says which of the two is wrong: the text of the signature, or what it is over', () => {
  expect(openPolicyPack({ bytes, signature: 'none', publicKey })).toMatchObject({
    reason: 'bad_signature_text',
  });
  expect(openPolicyPack({ bytes: packText({ version: 2 }), signature, publicKey })).toMatchObject({
    reason: 'bad_signature',
  });
});

it('reads no byte that was not signed: a wrong signature is all that is said of a broken pack', () => {
  const broken = Buffer.from('{"version":');
  expect(openPolicyPack({ bytes: broken, signature, publicKey })).toMatchObject({ reason: 'bad_signature' });
  expect(openPolicyPack({ bytes: broken, signature: signer.sign(broken), publicKey })).toMatchObject({
    reason: 'not_json',
  });
});

const openssl = spawnSync('openssl', ['version']);

describe.skipIf(openssl.status !== 0)(
  'openssl on the command line, an independent witness (skipped where missing)',
  () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'ccp-policy-'));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));
    const file = (name: string): string => join(folder, name);
    const run = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8' });

    it('makes a key and a signature that count', () => {
      run('genpkey', '-algorithm', 'ed25519', '-out', file('seed.pem'));
      run('pkey', '-in', file('seed.pem'), '-pubout', '-outform', 'DER', '-out', file('pub.der'));
      writeFileSync(file('policy.json'), bytes);
      run(
        'pkeyutl',
        '-sign',
        '-rawin',
        '-inkey',
        file('seed.pem'),
        '-in',
        file('policy.json'),
        '-out',
        file('sig'),
      );
      const made = {
        bytes,
        signature: readFileSync(file('sig')).toString('base64'),
        publicKey: readFileSync(file('pub.der')).subarray(-32),
      };
      expect(openPolicyPack(made)).toMatchObject({ ok: true, value: { version: 1 } });
      expect(openPolicyPack({ ...made, bytes: packText({ version: 2 }) })).toMatchObject({
        reason: 'bad_signature',
      });
    });

    it('verifies a signature of ours', () => {
      const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicKey]);
      const pem = createPublicKey({ key: der, format: 'der', type: 'spki' }).export({
        format: 'pem',
        type: 'spki',
      });
      writeFileSync(file('pub.pem'), pem);
      writeFileSync(file('policy.json'), bytes);
      writeFileSync(file('sig'), Buffer.from(signature, 'base64'));
      const args = [
        'pkeyutl',
        '-verify',
        '-rawin',
        '-pubin',
        '-inkey',
        file('pub.pem'),
        '-sigfile',
        file('sig'),
      ];
      expect(run(...args, '-in', file('policy.json'))).toContain('Verified Successfully');
    });
  },
);
