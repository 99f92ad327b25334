/**
 * Device authorizations under way (RFC 8628): a device shows a user code and polls with its device code; a person
 * approves or denies. Kept in memory: after a restart a device starts over.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../platform/clock.ts';
import { type Random, randomToken } from '../platform/random.ts';
import type { Claim } from './desk.ts';
import { makeUserCode, readUserCode } from './user-code.ts';

export interface DeviceStart {
  readonly deviceCode: string;
  readonly userCode: string;
  /** Seconds. */
  readonly expiresIn: number;
  /** Seconds between polls. */
  readonly interval: number;
}

export type Poll =
  | { readonly kind: 'approved'; readonly claim: Claim }
  | {
      readonly kind:
        | 'authorization_pending'
        | 'slow_down'
        | 'access_denied'
        | 'expired_token'
        | 'invalid_grant';
    };

export interface DeviceGrants {
  /** Null where too many are under way. */
  start(): DeviceStart | null;
  /** What a device is told. An approval is given out once. */
  poll(deviceCode: string): Poll;
  /** Whether a device waits for this code, as typed. */
  waits(userCode: string): boolean;
  /** False where no device waits for the code (any more). */
  approve(userCode: string, claim: Claim): boolean;
  deny(userCode: string): boolean;
}

interface Grant {
  readonly userCode: string;
  /** Monotonic milliseconds, as all times here: a clock that is put back gives nobody more time. */
  readonly expiresAt: number;
  intervalMs: number;
  polledAt: number;
  state:
    | { readonly kind: 'pending' | 'denied' | 'spent' }
    | { readonly kind: 'approved'; readonly claim: Claim };
}

const LIFETIME_MS = 600_000;
const INTERVAL_MS = 5_000;
/** RFC 8628 section 3.5: by this much "for this and all subsequent requests". */
const SLOWER_MS = 5_000;
/** An expired code is remembered this long, so that its device hears "expired" rather than "unknown". */
const REMEMBERED_MS = 600_000;
const MAX_GRANTS = 5_000;

export function createDeviceGrants({ clock, random }: { clock: Clock; random: Random }): DeviceGrants {
  /** By the hash of the device code: how long a look-up takes says nothing about a code. */
  const byDevice = new Map<string, Grant>();
  const byUser = new Map<string, Grant>();

  const forgetOld = (): void => {
    for (const [key, grant] of byDevice) {
      // In the order in which they were made: the rest is younger.
      if (clock.monotonic() < grant.expiresAt + REMEMBERED_MS) break;
      byDevice.delete(key);
      byUser.delete(grant.userCode);
    }
  };
  /** Makes room: whoever has an answer, or no time left, can be told so no longer. */
  const forgetOneThatIsOver = (): boolean => {
    for (const [key, grant] of byDevice) {
      const { kind } = grant.state;
      if (kind !== 'denied' && kind !== 'spent' && clock.monotonic() < grant.expiresAt) continue;
      byDevice.delete(key);
      byUser.delete(grant.userCode);
      return true;
    }
    return false;
  };
  const waiting = (typed: string): Grant | null => {
    const grant = byUser.get(readUserCode(typed) ?? '');
    if (grant === undefined || grant.state.kind !== 'pending') return null;
    return clock.monotonic() < grant.expiresAt ? grant : null;
  };

  return {
    start() {
      forgetOld();
      if (byDevice.size >= MAX_GRANTS && !forgetOneThatIsOver()) return null;
      const deviceCode = randomToken(random);
      let userCode = makeUserCode(random);
      while (byUser.has(userCode)) userCode = makeUserCode(random);
      const grant: Grant = {
        userCode,
        expiresAt: clock.monotonic() + LIFETIME_MS,
        intervalMs: INTERVAL_MS,
        polledAt: Number.NEGATIVE_INFINITY,
        state: { kind: 'pending' },
      };
      byDevice.set(hash(deviceCode), grant);
      byUser.set(userCode, grant);
      return { deviceCode, userCode, expiresIn: LIFETIME_MS / 1000, interval: INTERVAL_MS / 1000 };
    },

    poll(deviceCode) {
      const grant = byDevice.get(hash(deviceCode));
      if (grant === undefined || grant.state.kind === 'spent') return { kind: 'invalid_grant' };
      const now = clock.monotonic();
      if (now >= grant.expiresAt) return { kind: 'expired_token' };
      if (grant.state.kind === 'denied') return { kind: 'access_denied' };
      if (grant.state.kind === 'approved') {
        const { claim } = grant.state;
        grant.state = { kind: 'spent' };
        return { kind: 'approved', claim };
      }
      const early = now - grant.polledAt < grant.intervalMs;
      grant.polledAt = now;
      if (early) grant.intervalMs += SLOWER_MS;
      return { kind: early ? 'slow_down' : 'authorization_pending' };
    },

    waits: (userCode) => waiting(userCode) !== null,
    approve(userCode, claim) {
      const grant = waiting(userCode);
      if (grant !== null) grant.state = { kind: 'approved', claim };
      return grant !== null;
    },
    deny(userCode) {
      const grant = waiting(userCode);
      if (grant !== null) grant.state = { kind: 'denied' };
      return grant !== null;
    },
  };
}

const hash = (code: string): string => createHash('sha256').update(code).digest('base64url');
