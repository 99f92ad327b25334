import { OperatorError } from '../../errors.ts';
import type { Given, LicenseText, Refused } from './issuer-client.ts';

/** The licence, or the refusal as the error that a command ends with. */
export function licenseOrThrow(given: Given<LicenseText>): LicenseText {
  if (given.ok) return given.value;
  throw refusalError(given);
}

export function refusalError({ error, description, retryAfter }: Refused): OperatorError {
  if (error === 'too_many_requests' || error === 'temporarily_unavailable' || error === 'server_error') {
    const hint = retryAfter === null ? 'Try again later.' : `Try again in ${retryAfter} s.`;
    return new OperatorError('NOT_READY', `the issuer cannot do this now (${error}): ${description}`, {
      hint,
    });
  }
  return new OperatorError('CHECK_FAILED', `the issuer gives no licence (${error}): ${description}`, {
    hint: HINTS.get(error) ?? 'Nothing was stored.',
  });
}

const HINTS: ReadonlyMap<string, string> = new Map([
  ['invite_unknown', 'Compare the invite code with the one that you were given.'],
  ['invite_expired', 'Ask whoever runs the issuer for a new invite.'],
  ['invite_used_up', 'Ask whoever runs the issuer for a new invite.'],
  ['access_denied', 'Nothing was stored. Whoever runs the issuer sees the reason in its audit log.'],
  ['invalid_grant', 'The issuer was restarted, or the code was used: run "ccp license login" again.'],
  ['expired_token', 'Run "ccp license login" again and approve within the time.'],
]);
