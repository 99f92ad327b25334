import { z } from 'zod';
import { type Desk, REFUSALS } from '../desk.ts';
import { email, inviteCode, readParameters } from '../http/parameters.ts';
import { type Endpoint, refuse } from '../http/visit.ts';
import { type Limits, tooManyGuesses } from './limits.ts';
import { packAnswer } from './pack-answer.ts';

const claimSchema = z.object({ invite_code: inviteCode, email });

/** `POST /v1/license/issue {invite_code, email}`: an invite for a licence, at once. */
export function issueEndpoint({ desk, limits }: { readonly desk: Desk; readonly limits: Limits }): Endpoint {
  return (visit) => {
    const read = readParameters(visit, claimSchema);
    if ('refused' in read) return read.refused;
    const halt = tooManyGuesses(limits, visit);
    if (halt !== null) return halt;
    const claim = { inviteCode: read.ok.invite_code, email: read.ok.email };
    const issued = desk.issue(claim, 'invite', visit.from);
    if (issued.ok) return packAnswer(issued.pack);
    if (issued.refusal === 'invite_unknown') limits.guesses.spend(visit.from);
    return refuse(403, issued.refusal, REFUSALS[issued.refusal]);
  };
}
