/** The device's side of RFC 8628. */
import { z } from 'zod';
import type { Audit } from '../audit.ts';
import { type Desk, REFUSALS } from '../desk.ts';
import type { DeviceGrants, Poll } from '../device-grants.ts';
import { readParameters } from '../http/parameters.ts';
import { type Endpoint, json, refuse } from '../http/visit.ts';
import { CLIENT_ID, refuseClient } from './oauth.ts';
import { packAnswer } from './pack-answer.ts';

export interface DevicePorts {
  readonly grants: DeviceGrants;
  readonly desk: Desk;
  readonly audit: Audit;
}

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const text = z.string('is missing').min(1, 'is missing').max(512, 'is too long');
const codeSchema = z.object({ client_id: text });
const tokenSchema = z.object({ grant_type: text, client_id: text, device_code: text });

/** `POST /v1/device/code`. */
export function deviceCodeEndpoint({ grants, audit }: DevicePorts): Endpoint {
  return (visit) => {
    const read = readParameters(visit, codeSchema);
    if ('refused' in read) return read.refused;
    if (read.ok.client_id !== CLIENT_ID) return refuseClient();
    const started = grants.start();
    if (started === null)
      return refuse(
        503,
        'temporarily_unavailable',
        'Too many devices wait for an approval: try again later.',
      );
    audit.record({ event: 'started', way: 'device' }, visit.from);
    const uri = `${visit.origin}/device`;
    return json(200, {
      device_code: started.deviceCode,
      user_code: started.userCode,
      verification_uri: uri,
      verification_uri_complete: `${uri}?user_code=${started.userCode}`,
      expires_in: started.expiresIn,
      interval: started.interval,
    });
  };
}

/** `POST /v1/device/token`: the licence once it is approved, else one of the codes of RFC 8628 section 3.5. */
export function deviceTokenEndpoint({ grants, desk }: DevicePorts): Endpoint {
  return (visit) => {
    const read = readParameters(visit, tokenSchema);
    if ('refused' in read) return read.refused;
    const { grant_type, client_id, device_code } = read.ok;
    if (grant_type !== DEVICE_GRANT)
      return refuse(400, 'unsupported_grant_type', `grant_type must be ${DEVICE_GRANT}.`);
    if (client_id !== CLIENT_ID) return refuseClient();
    const poll = grants.poll(device_code);
    if (poll.kind !== 'approved') return refuse(400, poll.kind, SENTENCES[poll.kind]);
    const issued = desk.issue(poll.claim, 'device', visit.from);
    return issued.ok ? packAnswer(issued.pack) : refuse(400, 'access_denied', REFUSALS[issued.refusal]);
  };
}

const SENTENCES: Readonly<Record<Exclude<Poll['kind'], 'approved'>, string>> = {
  authorization_pending: 'Nobody has approved or denied this yet.',
  slow_down: 'Too soon: wait 5 seconds more between all further requests.',
  access_denied: 'The request was denied.',
  expired_token: 'The code has expired: start over.',
  invalid_grant: 'The device code is unknown or has been used.',
};
