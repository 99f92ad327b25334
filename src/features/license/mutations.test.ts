/**
 * A licence is a bearer of rights, so nothing but what was signed may count. Packs are changed in every way that we
 * could think of, and none of them is accepted; a change that leaves the signed text as it is, is no change.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { licenseBytes } from '../../protocol/license.ts';
import { readPack } from './read-pack.ts';
import { createTestIssuer } from './testing/test-issuer.ts';
import { type Genuine, verifyPack } from './verify.ts';

const issuer = createTestIssuer('k1');
const twin = createTestIssuer('k2');
const keys = new Map([...issuer.keys, ...twin.keys]);
const pack = issuer.mint({
  nested: { list: [1, 2.5, 'é', null], flag: true },
  not_before: '2026-01-01T00:00:00Z',
});
const text = Buffer.from(JSON.stringify(pack));
const original = licenseBytes(pack.license);

let tried = 0;

/** The licence that the bytes are accepted for; null where they are refused. */
function accepted(bytes: Uint8Array): Genuine | null {
  const reading = readPack(bytes);
  const found = reading.ok ? verifyPack(reading.pack, keys) : reading;
  return found.ok ? found : null;
}

/** Refused, or what it was accepted for is, to the byte, what had been signed, with its one signature. */
function expectNothingElse(bytes: Uint8Array): void {
  tried += 1;
  const found = accepted(bytes);
  if (found === null) return;
  expect(licenseBytes(found.pack.license)).toEqual(original);
  expect(found.pack.signature).toBe(pack.signature);
}

/** Refused without an exception. */
function expectRefused(value: unknown): void {
  tried += 1;
  expect(accepted(Buffer.from(JSON.stringify(value)))).toBeNull();
}

it('accepts the pack itself', () => {
  expect(accepted(text)).not.toBeNull();
});

it('accepts no pack in which one bit is another, whichever it is', () => {
  for (let bit = 0; bit < text.length * 8; bit += 1) {
    const changed = Buffer.from(text);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expectNothingElse(changed);
  }
});

it('accepts no pack that was cut, doubled or continued', () => {
  for (let length = 0; length < text.length; length += 1) {
    expect(accepted(text.subarray(0, length))).toBeNull();
    expect(accepted(Buffer.concat([text, text.subarray(length)]))).toBeNull();
    tried += 2;
  }
});

it('accepts no pack in which bytes were replaced, put in, or taken out', () => {
  const edit = fc.record({
    at: fc.nat(text.length),
    drop: fc.nat(12),
    put: fc.uint8Array({ maxLength: 12 }),
  });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const bytes = edits.reduce<Buffer>(
        (now, { at, drop, put }) => Buffer.concat([now.subarray(0, at), put, now.subarray(at + drop)]),
        text,
      );
      expectNothingElse(bytes);
    }),
    { numRuns: 3_000 },
  );
});

it('accepts no licence with another value, type or member anywhere', () => {
  const names = [...Object.keys(pack.license), 'extra', '__proto__', 'constructor', 'toJSON', ''];
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 3 }), (name, value) => {
      const members = Object.entries(pack.license).filter(([key]) => key !== name);
      const json = [...members, [name, value] as const].map(
        ([key, inner]) => `${JSON.stringify(key)}:${JSON.stringify(inner)}`,
      );
      const bytes = Buffer.from(`{"license":{${json.join()}},"signature":"${pack.signature}"}`);
      expectNothingElse(bytes);
    }),
    { numRuns: 3_000 },
  );
});

it('accepts no licence in which members or items changed places', () => {
  const values = Object.values(pack.license);
  const places = Object.keys(pack.license);
  fc.assert(
    fc.property(fc.shuffledSubarray(values, { minLength: values.length }), (shuffled) => {
      const license = Object.fromEntries(places.map((name, at) => [name, shuffled[at]]));
      tried += 1;
      const found = accepted(Buffer.from(JSON.stringify({ ...pack, license })));
      if (found !== null) expect(licenseBytes(found.pack.license)).toEqual(original);
    }),
    { numRuns: 500 },
  );
  expectRefused({ ...pack, license: { ...pack.license, nested: { list: [2.5, 1, 'é', null], flag: true } } });
});

it('accepts no other number, and the same number however it is written', () => {
  // The member of the list: a time of the pack may have the same digits.
  const written = (number: string): Buffer => Buffer.from(text.toString().replace('[1,2.5', `[1,${number}`));
  expect(text.toString()).toContain('[1,2.5');
  for (const same of ['2.50', '25e-1', '0.25E+1']) {
    expect(accepted(written(same))).not.toBeNull();
  }
  for (const other of ['2.5000000000000004', '-2.5', '25', '"2.5"', '1e999', '02.5', '+2.5', '2.5.']) {
    tried += 1;
    expect(accepted(written(other))).toBeNull();
  }
});

it('accepts no other signature: none at random, none of another text, none spelled in another way', () => {
  const { license, signature } = pack;
  const spellings = ['\n', ' ', '=', '-', '\u{200b}'].flatMap((put) =>
    Array.from(
      { length: signature.length + 1 },
      (_, at) => signature.slice(0, at) + put + signature.slice(at),
    ),
  );
  for (const spelling of spellings) expectRefused({ license, signature: spelling });
  expectRefused({ license, signature: issuer.mint().signature });
  expectRefused({ license, signature: twin.sign(license) });
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 80 }), (bytes) => {
      expectRefused({ license, signature: Buffer.from(bytes).toString('base64') });
    }),
    { numRuns: 1_000 },
  );
});

/** The order of the group that the signature's second half counts in (RFC 8032, 5.1). */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const fromBytes = (bytes: Uint8Array): bigint =>
  BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`);
const toBytes = (number: bigint): Buffer =>
  Buffer.from(Buffer.from(number.toString(16).padStart(64, '0'), 'hex').toReversed());

it('accepts no malleated signature: S + n·L stands for the same point', () => {
  const bytes = Buffer.from(pack.signature, 'base64');
  const [r, s] = [bytes.subarray(0, 32), fromBytes(bytes.subarray(32))];
  for (let times = 1n; s + times * ORDER < 2n ** 256n; times += 1n) {
    const malleated = Buffer.concat([r, toBytes(s + times * ORDER)]);
    expectRefused({ license: pack.license, signature: malleated.toString('base64') });
  }
});

/** The eight points of small order, and their spellings that are not canonical. */
const SMALL_ORDER = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map((hex) => Buffer.from(hex, 'hex'));

it('accepts nothing by a key of small order, for which anybody can sign everything', () => {
  // R = s·B with a known s: with the neutral element as the key it fits every text.
  const scalar = createHash('sha512').update(issuer.seed).digest().subarray(0, 32);
  scalar[0] = (scalar[0] ?? 0) & 248;
  scalar[31] = ((scalar[31] ?? 0) & 63) | 64;
  const universal = Buffer.concat([issuer.publicKey, toBytes(fromBytes(scalar) % ORDER)]);
  const zeros = SMALL_ORDER.map((point) => Buffer.concat([point, Buffer.alloc(32)]));
  for (const key of SMALL_ORDER) {
    for (const signature of [universal, ...zeros]) {
      tried += 1;
      const forged = { license: pack.license, signature: signature.toString('base64') };
      expect(verifyPack(forged, new Map([['k1', key]]))).toMatchObject({ reason: 'tampered' });
    }
  }
});

it('was tried ten thousand times at least', () => {
  expect(tried).toBeGreaterThanOrEqual(10_000);
});
