import type { LicensePack } from '../../protocol/license.ts';
import { type Answer, json } from '../http/visit.ts';

/** A licence handed out; `sigB64` is the name that clients of the predecessor know the signature by. */
export function packAnswer({ license, signature }: LicensePack): Answer {
  return json(200, { license, signature, sigB64: signature });
}
