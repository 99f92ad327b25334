/** The desk where invites are exchanged for licences: the only place that redeems and signs. */
import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import type { LicensePack } from '../protocol/license.ts';
import type { Audit, Way } from './audit.ts';
import type { Invite, Invites } from './invites.ts';
import { mintPack } from './mint.ts';
import type { SigningKey } from './signing-key.ts';
import type { Uses } from './uses.ts';

/** What somebody shows to get a licence. */
export interface Claim {
  readonly inviteCode: string;
  /** Becomes the licence's subject; null: the licence names nobody. */
  readonly email: string | null;
}

export type Refusal = 'invite_unknown' | 'invite_expired' | 'invite_used_up';

export const REFUSALS: Readonly<Record<Refusal, string>> = {
  invite_unknown: 'No such invite code is known here.',
  invite_expired: 'This invite code has expired.',
  invite_used_up: 'This invite code has been used as often as it may be.',
};

export type Issued =
  | { readonly ok: true; readonly pack: LicensePack }
  | { readonly ok: false; readonly refusal: Refusal };

export interface Desk {
  /** Why a claim would be refused now; null where it would be honoured. Redeems nothing. */
  check(claim: Claim): Refusal | null;
  /** Redeems one use of the invite and signs a licence, or refuses. `from` is the asking address. */
  issue(claim: Claim, way: Way, from: string): Issued;
}

export interface DeskOptions {
  readonly key: SigningKey;
  readonly invites: Invites;
  readonly uses: Uses;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly random: Random;
}

export const NOBODY = 'anonymous';

export function createDesk({ key, invites, uses, audit, clock, random }: DeskOptions): Desk {
  const look = ({ inviteCode }: Claim): Invite | Refusal => {
    const invite = invites.find(inviteCode);
    if (invite === undefined) return 'invite_unknown';
    if (invite.expiresAt !== null && clock.now() >= invite.expiresAt) return 'invite_expired';
    return uses.left(invite) > 0 ? invite : 'invite_used_up';
  };
  return {
    check(claim) {
      const found = look(claim);
      return typeof found === 'string' ? found : null;
    },
    issue(claim, way, from) {
      const refuse = (refusal: Refusal): Issued => {
        audit.record({ event: 'refused', way, why: refusal }, from);
        return { ok: false, refusal };
      };
      const invite = look(claim);
      if (typeof invite === 'string') return refuse(invite);
      const { plan, features, days } = invite;
      const subject = claim.email ?? NOBODY;
      const pack = mintPack(
        { plan, features, days, subject, notBefore: null },
        { key, now: clock.now(), random },
      );
      const { kid, nonce, issued_at, expires_at } = pack.license;
      const use = uses.take(invite, { nonce, issued_at, way });
      if (use === null) return refuse('invite_used_up');
      try {
        audit.record(
          { event: 'issued', way, plan, kid, nonce, expires_at, invite: invite.id, subject },
          from,
        );
      } catch (error) {
        use.giveBack();
        throw error;
      }
      return { ok: true, pack };
    },
  };
}
