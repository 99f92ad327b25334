import { describe, expect, it } from 'vitest';
import { MAX_PACK_BYTES } from './read-pack.ts';
import { chooseSource, type FileRead, filesOf, type Offers, readSource } from './sources.ts';
import { createTestIssuer } from './testing/test-issuer.ts';

const { mint } = createTestIssuer();
const [first, second] = [mint(), mint()];

const license = { value: { literal: JSON.stringify(first.license) }, byFlag: false, name: 'CC_LICENSE_JSON' };
const signature = {
  value: { literal: first.signature, path: '/signature' },
  byFlag: false,
  name: 'CC_LICENSE_SIG',
};
const pack = { value: { path: '/pack' }, byFlag: false, name: 'CC_LICENSE_PACK' };
const offers = (given: Partial<Offers>): Offers => ({
  license: null,
  signature: null,
  pack: null,
  storedPath: '/stored',
  ...given,
});

const labelOf = (given: Partial<Offers>): string => chooseSource(offers(given)).label;

/** Reads with files of memory. */
function read(given: Partial<Offers>, files: Readonly<Record<string, string | FileRead>> = {}) {
  return readSource(chooseSource(offers(given)), (path, maxBytes) => {
    const found = files[path] ?? { state: 'absent' };
    if (typeof found !== 'string') return found;
    return found.length > maxBytes ? { state: 'too_large' } : { state: 'read', bytes: Buffer.from(found) };
  });
}
const reasonOf = (...given: Parameters<typeof read>): string => {
  const reading = read(...given);
  return reading.ok ? 'ok' : reading.reason;
};

describe('precedence', () => {
  const flag = { byFlag: true, name: '--license' };

  it('is: flags, licence with signature, pack, stored file', () => {
    expect(labelOf({})).toBe('/stored');
    expect(labelOf({ pack })).toBe('CC_LICENSE_PACK (/pack)');
    expect(labelOf({ pack, license, signature })).toBe('CC_LICENSE_JSON and CC_LICENSE_SIG');
    expect(labelOf({ pack: { ...pack, ...flag }, license, signature })).toBe('--license (/pack)');
    expect(labelOf({ pack: { ...pack, ...flag }, license: { ...license, ...flag }, signature })).toBe(
      '--license and CC_LICENSE_SIG',
    );
    expect(labelOf({ pack, license: { ...license, ...flag }, signature })).toBe(
      '--license and CC_LICENSE_SIG',
    );
  });

  it('stays with the first that is set, also where it is wrong and the next is right', () => {
    const files = { '/pack': JSON.stringify(second), '/stored': JSON.stringify(second) };
    expect(
      reasonOf({ pack, license, signature: { ...signature, value: { literal: 'x', path: '/x' } } }, files),
    ).toBe('unreadable');
    expect(reasonOf({ pack, license }, files)).toBe('unsigned');
    expect(reasonOf({ pack, signature }, files)).toBe('lone_signature');
    expect(reasonOf({ pack }, { '/stored': files['/stored'] })).toBe('unreadable');
  });
});

describe('what a source holds', () => {
  it('is read from files and from text alike', () => {
    const inFiles = {
      license: { ...license, value: { path: '/license' } },
      signature: { ...signature, value: { literal: '/signature', path: '/signature' } },
    };
    const files = { '/license': JSON.stringify(first.license), '/signature': `${first.signature}\n` };
    expect(read({ license, signature })).toEqual({ ok: true, pack: first });
    expect(read(inFiles, files)).toEqual({ ok: true, pack: first });
    expect(read({ pack }, { '/pack': JSON.stringify(second) })).toEqual({ ok: true, pack: second });
    expect(read({ pack: { ...pack, value: { literal: JSON.stringify(second) } } })).toEqual({
      ok: true,
      pack: second,
    });
    expect(read({}, { '/stored': JSON.stringify(second) })).toEqual({ ok: true, pack: second });
  });

  it('takes a signature for a path only where there is such a file', () => {
    expect(reasonOf({ license, signature }, { '/signature': 'x' })).toBe('bad_signature_text');
    expect(reasonOf({ license, signature }, { '/signature': { state: 'no_file' } })).toBe('unreadable');
  });

  it('tells a signature that is slightly wrong from the path of a file that is not there', () => {
    const literal = (text: string) =>
      reasonOf({ license, signature: { ...signature, value: { literal: text, path: '/x' } } });
    const right = first.signature;
    const wrapped = `${right.slice(0, 76)}\n${right.slice(76)}`;
    for (const text of [right.slice(0, -1), right.replaceAll('=', ''), wrapped])
      expect(literal(text)).toBe('bad_signature_text');
    for (const text of ['license.sig', '~/keys/license.sig', 'c2hvcnQ='])
      expect(literal(text)).toBe('unreadable');
  });

  it.each<[FileRead, string]>([
    [{ state: 'absent' }, 'unreadable'],
    [{ state: 'no_file' }, 'unreadable'],
    [{ state: 'refused', why: '/pack cannot be read: EACCES' }, 'unreadable'],
    [{ state: 'too_large' }, 'too_large'],
  ])('is named where the file is %j', (found, reason) => {
    expect(reasonOf({ pack }, { '/pack': found })).toBe(reason);
  });

  it('is nothing where no file is stored, and wrong where one is that cannot be read', () => {
    expect(reasonOf({})).toBe('none');
    expect(reasonOf({}, { '/stored': { state: 'refused', why: 'EACCES' } })).toBe('unreadable');
    expect(reasonOf({}, { '/stored': 'x'.repeat(MAX_PACK_BYTES + 1) })).toBe('too_large');
    expect(reasonOf({}, { '/stored': '' })).toBe('not_json');
  });
});

it('names the files whose change may change it', () => {
  const files = (given: Partial<Offers>) => filesOf(chooseSource(offers(given)));
  expect(files({})).toEqual(['/stored']);
  expect(files({ pack })).toEqual(['/pack']);
  expect(files({ license, signature })).toEqual(['/signature']);
});
