/**
 * Forms carry a token that only who loaded the page from us can know: a keyed hash of a random cookie. Both must
 * come back together, so another site can neither send a form in a visitor's name nor plant a cookie of its own.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Random, randomToken } from '../../platform/random.ts';
import type { Visit } from './visit.ts';

export interface Csrf {
  /** The token for a form, and the cookie to set with it; a cookie that the visitor has is kept. */
  give(visit: Visit): { readonly token: string; readonly setCookie: string };
  /** Whether a form of ours came back from where it was sent to. */
  holds(visit: Visit, token: string | undefined): boolean;
}

/** Keys are made at the start: a form opened before a restart has to be loaded again. */
export function createCsrf(random: Random): Csrf {
  const key = random.bytes(32);
  const tokenOf = (cookie: string): string => createHmac('sha256', key).update(cookie).digest('base64url');
  return {
    give(visit) {
      const name = cookieName(visit);
      const cookie = readCookie(visit, name) ?? randomToken(random);
      const secure = isSecure(visit) ? '; Secure' : '';
      return {
        token: tokenOf(cookie),
        setCookie: `${name}=${cookie}; Path=/; HttpOnly; SameSite=Strict${secure}`,
      };
    },
    holds(visit, token) {
      const cookie = readCookie(visit, cookieName(visit));
      if (cookie === null || token === undefined) return false;
      const [given, expected] = [Buffer.from(token), Buffer.from(tokenOf(cookie))];
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
  };
}

const isSecure = ({ origin }: Visit): boolean => origin.startsWith('https:');

/** The prefix makes browsers refuse it from anywhere but this host, over TLS. */
const cookieName = (visit: Visit): string => (isSecure(visit) ? '__Host-ccp-form' : 'ccp-form');

function readCookie({ headers }: Visit, name: string): string | null {
  const found = (headers.cookie ?? '').split('; ').find((pair) => pair.startsWith(`${name}=`));
  const value = found?.slice(name.length + 1) ?? '';
  return /^[A-Za-z0-9_-]{43}$/.test(value) ? value : null;
}
