import { expect, it } from 'vitest';
import type { Clock } from '../platform/clock.ts';
import { systemRandom } from '../platform/random.ts';
import { createDeviceGrants } from './device-grants.ts';

const CLAIM = { inviteCode: 'OPEN-INVITE', email: null };
const MAX = 5_000;

function createWorld() {
  let now = 0;
  const clock: Clock = { now: () => now, monotonic: () => now, after: () => () => {} };
  const grants = createDeviceGrants({ clock, random: systemRandom });
  const start = () => {
    const started = grants.start();
    if (started === null) throw new Error('too many');
    return started;
  };
  return { grants, start, pass: (ms: number) => void (now += ms) };
}

it('takes no more devices than it can hold, and turns away none that waits', () => {
  const { grants, start } = createWorld();
  const all = Array.from({ length: MAX }, start);
  expect(grants.start()).toBeNull();
  expect(all.every(({ userCode }) => grants.waits(userCode))).toBe(true);
});

it('lets a device in for each that has its answer, the oldest of those first', () => {
  const { grants, start } = createWorld();
  const [waits, denied, approved, spent] = Array.from({ length: MAX }, start);
  if (waits === undefined || denied === undefined || approved === undefined || spent === undefined)
    throw new Error();
  grants.deny(denied.userCode);
  for (const { userCode } of [approved, spent]) grants.approve(userCode, CLAIM);
  expect(grants.poll(spent.deviceCode).kind).toBe('approved');

  expect([start(), start(), grants.start()]).toMatchObject([{}, {}, null]);
  // An approval that is not fetched yet is none of those.
  expect([waits, denied, approved, spent].map(({ deviceCode }) => grants.poll(deviceCode).kind)).toEqual([
    'authorization_pending',
    'invalid_grant',
    'approved',
    'invalid_grant',
  ]);
});

it('lets a device in for each whose time is over', () => {
  const { grants, start, pass } = createWorld();
  const [first] = Array.from({ length: MAX }, start);
  pass(600_000);
  expect(grants.poll(first?.deviceCode ?? '').kind).toBe('expired_token');
  for (let n = 0; n < MAX; n += 1) start();
  expect(grants.poll(first?.deviceCode ?? '').kind).toBe('invalid_grant');
  expect(grants.start()).toBeNull();
});
