import { type Answer, refuse } from '../http/visit.ts';

/** The one client that there is: a public one, which has no secret. */
export const CLIENT_ID = 'ccp';

export function refuseClient(): Answer {
  return refuse(401, 'invalid_client', `client_id must be ${CLIENT_ID}.`);
}
