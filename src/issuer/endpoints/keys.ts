import { type Endpoint, json } from '../http/visit.ts';
import { publicLine, type SigningKey } from '../signing-key.ts';

/** `GET /v1/keys`: the public key that licences are signed with, so that a client can say which one it lacks. */
export function keysEndpoint(key: SigningKey): Endpoint {
  const publicKey = publicLine(key).slice(key.kid.length + 1);
  return () => json(200, { keys: [{ kid: key.kid, public_key: publicKey }] });
}
