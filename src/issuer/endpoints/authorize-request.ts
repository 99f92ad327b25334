/** An authorization request (RFC 6749 section 4.1.1), read strictly: what it leads to is a licence. */
import { CLIENT_ID } from './oauth.ts';

export interface AuthorizeRequest {
  readonly redirectUri: string;
  readonly state: string;
  readonly challenge: string;
}

export type ReadRequest =
  | { readonly ok: true; readonly request: AuthorizeRequest }
  | {
      readonly ok: false;
      /** Null where it is itself what is wrong: then nobody is sent anywhere (section 4.1.2.1). */
      readonly redirectUri: string | null;
      readonly state: string | null;
      readonly error: string;
      readonly description: string;
    };

/**
 * Loopback addresses with a port, and those literally: not `localhost`, which a resolver may send elsewhere
 * (RFC 8252 section 8.3); no user, query or fragment.
 */
const REDIRECT = /^http:\/\/(?:127\.0\.0\.1|\[::1\]):[1-9]\d{0,4}\/[A-Za-z0-9_~./-]{0,128}$/;
/** 256 bits in base64url, the last letter with its two empty bits. */
const CHALLENGE = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
const STATE = /^[A-Za-z0-9._~-]{16,512}$/;

export function readAuthorizeRequest(parameters: Readonly<Record<string, string>>): ReadRequest {
  const {
    client_id,
    redirect_uri = '',
    response_type,
    state = '',
    code_challenge = '',
    code_challenge_method,
  } = parameters;
  const redirectUri = REDIRECT.test(redirect_uri) && URL.canParse(redirect_uri) ? redirect_uri : null;
  const wrong = (error: string, description: string): ReadRequest => ({
    ok: false,
    redirectUri: client_id === CLIENT_ID ? redirectUri : null,
    state: STATE.test(state) ? state : null,
    error,
    description,
  });
  if (client_id !== CLIENT_ID) return wrong('invalid_client', `client_id must be ${CLIENT_ID}, once.`);
  if (redirectUri === null)
    return wrong(
      'invalid_request',
      'redirect_uri must be http://127.0.0.1:PORT/PATH or http://[::1]:PORT/PATH.',
    );
  if (response_type !== 'code') return wrong('unsupported_response_type', 'response_type must be code.');
  if (!STATE.test(state)) return wrong('invalid_request', 'state must be 16 to 512 unreserved characters.');
  if (code_challenge_method !== 'S256')
    return wrong('invalid_request', 'code_challenge_method must be S256.');
  if (!CHALLENGE.test(code_challenge))
    return wrong('invalid_request', 'code_challenge must be a SHA-256 in base64url.');
  return { ok: true, request: { redirectUri, state, challenge: code_challenge } };
}

/** The request again, as a form carries it. */
export function parametersOf({
  redirectUri,
  state,
  challenge,
}: AuthorizeRequest): Readonly<Record<string, string>> {
  return {
    client_id: CLIENT_ID,
    response_type: 'code',
    redirect_uri: redirectUri,
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  };
}
