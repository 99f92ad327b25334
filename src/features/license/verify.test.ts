import { describe, expect, it } from 'vitest';
import type { LicensePack } from '../../protocol/license.ts';
import { createTestIssuer } from './testing/test-issuer.ts';
import { changesAt, stateAt, verifyPack } from './verify.ts';

const issuer = createTestIssuer('k1');
const { keys, mint, sign } = issuer;

const at = (text: string): number => Date.parse(text);
const reasonOf = (pack: LicensePack, known = keys): string => {
  const found = verifyPack(pack, known);
  return found.ok ? 'ok' : found.reason;
};

describe('the signature', () => {
  it('holds for what was signed, whatever the order and white space it comes in', () => {
    const { license, signature } = mint({ zulu: { b: 1, a: [true, null, 'ü\u{1f511}'] }, alpha: 1e21 });
    expect(reasonOf({ license, signature })).toBe('ok');
    const backwards = Object.fromEntries(Object.entries(license).toReversed());
    expect(reasonOf({ license: { ...license, ...backwards }, signature })).toBe('ok');
  });

  it('holds for no change, of whatever member, and not for one that is added or taken away', () => {
    const { license, signature } = mint({ more: 1 });
    for (const [name, value] of Object.entries(license)) {
      if (name === 'kid') continue;
      const { [name]: _, ...less } = license;
      expect(reasonOf({ license: { ...license, [name]: [value] }, signature })).toBe('tampered');
      expect(reasonOf({ license: { ...license, ...less, [name]: undefined }, signature })).toBe('tampered');
    }
    expect(reasonOf({ license: { ...license, extra: null }, signature })).toBe('tampered');
    const hidden = JSON.parse(JSON.stringify(license).replace('{', '{"__proto__":{"plan":"pro"},'));
    expect(reasonOf({ license: hidden, signature })).toBe('tampered');
  });

  it('is asked for before the times: an expiry that was written in is a forgery', () => {
    const { license, signature } = mint();
    const forged = { ...license, expires_at: '2001-01-01T00:00:00Z' };
    expect(reasonOf({ license: forged, signature })).toBe('tampered');
  });

  it('has no answer for what has no canonical form', () => {
    const { license, signature } = mint();
    for (const more of ['\u{d800}', Number.POSITIVE_INFINITY]) {
      expect(reasonOf({ license: { ...license, more }, signature })).toBe('no_canonical_form');
    }
  });
});

describe('the key', () => {
  const other = createTestIssuer('k2');
  const both = new Map([...keys, ...other.keys]);

  it('is the one that the kid names: two issuers stand side by side', () => {
    expect(reasonOf(mint(), both)).toBe('ok');
    expect(reasonOf(other.mint(), both)).toBe('ok');
    expect(reasonOf(other.mint(), keys)).toBe('unknown_kid');
  });

  it('is no other: a licence of one issuer under the kid of the other is confusion', () => {
    const license = mint().license;
    const found = verifyPack({ license, signature: other.sign(license) }, both);
    expect(found).toMatchObject({ reason: 'wrong_key', detail: 'it says "k1", and the key is "k2"' });
    expect(reasonOf({ license, signature: other.sign(license) }, keys)).toBe('tampered');
  });

  it('is rolled over without a gap: the old one goes when its last licence has expired', () => {
    const [old, young] = [mint(), other.mint()];
    const told = [keys, both, other.keys].map((known) => [reasonOf(old, known), reasonOf(young, known)]);
    expect(told).toEqual([
      ['ok', 'unknown_kid'],
      ['ok', 'ok'],
      ['unknown_kid', 'ok'],
    ]);
  });

  it('is missing where none is known at all', () => {
    expect(reasonOf(mint(), new Map())).toBe('no_keys');
  });

  it('shows no control character of a kid that nobody vouches for', () => {
    const found = verifyPack(mint({ kid: 'x\u{1b}[2J\n"\u{202e}' }), keys);
    expect(found).toMatchObject({ reason: 'unknown_kid', detail: '"x?[2J???"' });
  });
});

describe('the time', () => {
  const pack = mint({
    issued_at: '2027-01-01T00:00:00Z',
    not_before: '2027-01-02T00:00:00Z',
    expires_at: '2027-01-09T00:00:00.5Z',
  });
  const found = verifyPack(pack, keys);
  const worth = (time: string): string => {
    const state = stateAt(found, at(time), 'here');
    return state.ok ? 'ok' : state.reason;
  };

  it('is from not_before on, that very moment included', () => {
    expect(worth('2027-01-01T23:59:59.999Z')).toBe('not_yet_valid');
    expect(worth('2027-01-02T00:00:00Z')).toBe('ok');
  });

  it('is until expires_at, that very moment excluded', () => {
    expect(worth('2027-01-09T00:00:00.499Z')).toBe('ok');
    expect(worth('2027-01-09T00:00:00.500Z')).toBe('expired');
  });

  it('does not ask when it was issued: the clock of the issuer may be ahead of ours', () => {
    const fresh = mint({ issued_at: '2027-01-01T00:00:05Z', expires_at: '2027-01-08T00:00:00Z' });
    expect(stateAt(verifyPack(fresh, keys), at('2027-01-01T00:00:00Z'), 'here').ok).toBe(true);
  });

  it('says what a genuine licence holds whose time it is not, and nothing of another', () => {
    expect(stateAt(found, at('2028-01-01T00:00:00Z'), 'here')).toMatchObject({
      reason: 'expired',
      detail: '2027-01-09T00:00:00.500Z',
      source: 'here',
      facts: { plan: 'trial', kid: 'k1', subject: 'me@example.com' },
    });
    const forged = verifyPack({ ...pack, license: { ...pack.license, plan: 'pro' } }, keys);
    expect(stateAt(forged, 0, 'here')).toMatchObject({ reason: 'tampered', facts: null });
  });

  it('changes at two moments, and then no more', () => {
    expect(changesAt(found, at('2026-01-01T00:00:00Z'))).toBe(at('2027-01-02T00:00:00Z'));
    expect(changesAt(found, at('2027-01-02T00:00:00Z'))).toBe(at('2027-01-09T00:00:00.5Z'));
    expect(changesAt(found, at('2027-01-09T00:00:00.5Z'))).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    ['expires when it is issued', { issued_at: '2027-01-01T00:00:00Z', expires_at: '2027-01-01T00:00:00Z' }],
    [
      'expires before it is issued',
      { issued_at: '2027-01-02T00:00:00Z', expires_at: '2027-01-01T00:00:00Z' },
    ],
    [
      'expires before it begins',
      {
        issued_at: '2027-01-01T00:00:00Z',
        not_before: '2027-01-03T00:00:00Z',
        expires_at: '2027-01-02T00:00:00Z',
      },
    ],
  ])('leaves no moment where it %s', (_, times) => {
    expect(reasonOf(mint(times))).toBe('bad_times');
  });
});

it('takes a signature over the members themselves and not over a copy that a schema made', () => {
  const text = JSON.stringify(mint().license).replace('{', '{"__proto__":{"a":1},');
  const license = JSON.parse(text);
  expect(reasonOf({ license, signature: sign(license) })).toBe('ok');
});
