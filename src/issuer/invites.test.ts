import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { OperatorError } from '../errors.ts';
import { parseInvites } from './invites.ts';

const GOOD = { code: 'TEAM-2030', plan: 'team', features: ['zai_offload'], days: 30, max_uses: 5 };

const path = '/config/invites.json';
const read = (text: string) => parseInvites(Buffer.from(text), path);

function failure(text: string): OperatorError {
  try {
    read(text);
  } catch (error) {
    if (error instanceof OperatorError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}
const withEntry = (change: object): string =>
  JSON.stringify({ invites: [GOOD, { ...GOOD, code: 'OTHER-2030', ...change }] });

it('finds an invite by its code, in any case', () => {
  const invites = read(JSON.stringify({ invites: [{ ...GOOD, expires_at: '2030-06-01T00:00:00Z' }] }));
  expect(invites.count).toBe(1);
  expect(invites.find(' team-2030 ')).toMatchObject({
    plan: 'team',
    features: ['zai_offload'],
    days: 30,
    maxUses: 5,
    expiresAt: Date.UTC(2030, 5, 1),
  });
  expect(invites.find('TEAM-2031')).toBeUndefined();
});

it('reads the invites that come with the project', () => {
  const shipped = read(readFileSync(new URL('../../configs/invites.dev.json', import.meta.url), 'utf8'));
  expect(shipped.find('DEV-TRIAL-7D')).toMatchObject({ plan: 'trial', features: ['zai_offload'], days: 7 });
});

it.each([
  ['a code that is too short', { code: 'SHORT' }, 'code'],
  ['a code with other signs', { code: 'lower-case' }, 'code'],
  ['no plan', { plan: '' }, 'plan'],
  ['a plan that is no text', { plan: '\ud800' }, 'plan'],
  ['features that are no list', { features: 'zai_offload' }, 'features'],
  ['half a day', { days: 0.5 }, 'days: must be a whole number from 1 to 3660'],
  ['no use', { max_uses: 0 }, 'max_uses: must be a whole number from 1 to 100000'],
  ['a date that is none', { expires_at: 'tomorrow' }, 'expires_at'],
  ['an unknown member', { uses: 3 }, 'uses'],
])('names file and entry where it has %s', (_name, change, where) => {
  const { exitCode, message } = failure(withEntry(change));
  expect(exitCode).toBe(2);
  expect(message).toContain(`${path}: invites[1]: `);
  expect(message).toContain(where);
});

it('refuses two invites with one code', () => {
  expect(failure(withEntry({ code: GOOD.code })).message).toContain('invites[1]');
});

it.each(['', '[]', '{"invites": []}', '{"invites": [1]}', '{"invite": []}'])(
  'refuses the file %j',
  (text) => {
    const { exitCode, message } = failure(text);
    expect([exitCode, message]).toEqual([2, expect.stringContaining(path)]);
    expect(message).not.toMatch(/expected|unrecognized/i);
  },
);
