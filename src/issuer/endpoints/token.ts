import { z } from 'zod';
import type { CodeGrants } from '../code-grants.ts';
import { type Desk, REFUSALS } from '../desk.ts';
import { readParameters } from '../http/parameters.ts';
import { type Endpoint, refuse } from '../http/visit.ts';
import { CLIENT_ID, refuseClient } from './oauth.ts';
import { packAnswer } from './pack-answer.ts';

const text = z.string('is missing').min(1, 'is missing').max(512, 'is too long');
const tokenSchema = z.object({
  grant_type: text,
  client_id: text,
  code: text,
  redirect_uri: text,
  // RFC 7636 section 4.1.
  code_verifier: z
    .string('is missing')
    .regex(/^[A-Za-z0-9._~-]{43,128}$/, 'must be 43 to 128 unreserved characters'),
});

/** `POST /v1/token`: the code of the loopback redirect for a licence (RFC 6749 section 4.1.3). */
export function tokenEndpoint({
  codes,
  desk,
}: {
  readonly codes: CodeGrants;
  readonly desk: Desk;
}): Endpoint {
  return (visit) => {
    const read = readParameters(visit, tokenSchema);
    if ('refused' in read) return read.refused;
    const { grant_type, client_id, code, redirect_uri: redirectUri, code_verifier: verifier } = read.ok;
    if (grant_type !== 'authorization_code')
      return refuse(400, 'unsupported_grant_type', 'grant_type must be authorization_code.');
    if (client_id !== CLIENT_ID) return refuseClient();
    const claim = codes.spend({ code, verifier, redirectUri });
    if (claim === null)
      return refuse(
        400,
        'invalid_grant',
        'The code is unknown, expired or used, or it is not for this client.',
      );
    const issued = desk.issue(claim, 'loopback', visit.from);
    return issued.ok ? packAnswer(issued.pack) : refuse(400, 'access_denied', REFUSALS[issued.refusal]);
  };
}
