import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Invite } from './invites.ts';
import { createUses } from './uses.ts';

const INVITE: Invite = {
  id: 'ab'.repeat(32),
  plan: 'trial',
  features: [],
  days: 7,
  maxUses: 3,
  expiresAt: null,
};

let stateDir: string;
let folder: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'ccp-uses-'));
  folder = join(stateDir, 'uses', INVITE.id.slice(0, 32));
});
afterEach(() => rmSync(stateDir, { recursive: true }));

it('gives as many as there are and no more, each with its note', () => {
  const uses = createUses(stateDir);
  expect(uses.left(INVITE)).toBe(3);
  expect([1, 2, 3, 4].map((n) => uses.take(INVITE, { n }) !== null)).toEqual([true, true, true, false]);
  expect(uses.left(INVITE)).toBe(0);
  expect(readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))).toEqual([
    '{"n":1}\n',
    '{"n":2}\n',
    '{"n":3}\n',
  ]);
  expect(statSync(join(folder, '1')).mode & 0o777).toBe(0o600);
});

it('counts a use that was torn by a kill, and goes past it', () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, '1'), '');
  const uses = createUses(stateDir);
  expect([1, 2, 3].map(() => uses.take(INVITE, {}) !== null)).toEqual([true, true, false]);
});

it('takes no use that another process took since it looked', () => {
  const uses = createUses(stateDir);
  mkdirSync(folder, { recursive: true });
  // The other one is faster by the moment in which the note is written down.
  let theirs = 0;
  const note = {
    toJSON() {
      theirs += 1;
      writeFileSync(join(folder, String(theirs)), 'theirs');
      return 'ours';
    },
  };
  expect(uses.take(INVITE, note)).toBeNull();
  for (const name of ['1', '2', '3']) expect(readFileSync(join(folder, name), 'utf8')).toBe('theirs');
});

it('adds uses with a higher maximum, and has one more where a use was removed', () => {
  const uses = createUses(stateDir);
  for (let n = 0; n < 3; n += 1) uses.take(INVITE, { n });
  expect(uses.take({ ...INVITE, maxUses: 4 }, {})).not.toBeNull();
  rmSync(join(folder, '2'));
  const more = [1, 2].map(() => uses.take({ ...INVITE, maxUses: 4 }, {}) !== null);
  expect(more).toEqual([true, false]);
});

it('takes a use back that came to nothing, and no other', () => {
  const uses = createUses(stateDir);
  uses.take(INVITE, {});
  const use = uses.take(INVITE, {});
  use?.giveBack();
  expect([readdirSync(folder), uses.left(INVITE)]).toEqual([['1'], 2]);
});
