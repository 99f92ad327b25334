/** The person's side of RFC 8628: `GET` and `POST /device`. */
import type { DeviceGrants } from '../device-grants.ts';
import type { Endpoint } from '../http/visit.ts';
import { approvalPage } from '../pages/approval.ts';
import { notice } from '../pages/layout.ts';
import { readUserCode } from '../user-code.ts';
import { EMPTY, type FormPorts, readClaim, readOwnForm } from './claim-form.ts';

export interface DevicePagePorts extends FormPorts {
  readonly grants: DeviceGrants;
}

const FORM = { action: '/device', formAction: "'self'" } as const;

/** Fills in the code of the link, whether a device waits for it or not: looking tells nobody which codes exist. */
export function devicePage({ csrf }: DevicePagePorts): Endpoint {
  return (visit) => {
    const code = readUserCode(visit.query.get('user_code') ?? '') ?? '';
    return approvalPage({
      ...FORM,
      status: 200,
      csrf: csrf.give(visit),
      userCode: { value: code, wrong: null },
      inviteCode: EMPTY,
      email: EMPTY,
    });
  };
}

export function deviceAnswer(ports: DevicePagePorts): Endpoint {
  const { csrf, grants, audit, limits } = ports;
  return (visit) => {
    const read = readOwnForm(visit, ports);
    if ('refused' in read) return read.refused;
    const { form } = read;
    const userCode = (form['user_code'] ?? '').trim();
    const waits = grants.waits(userCode);
    if (!waits) {
      limits.guesses.spend(visit.from);
      audit.record({ event: 'refused', way: 'device', why: 'user_code_unknown' }, visit.from);
    }

    if (waits && form['answer'] === 'deny') {
      grants.deny(userCode);
      audit.record({ event: 'denied', way: 'device' }, visit.from);
      return notice(200, 'Denied', 'The device gets no licence. You may close this page.');
    }
    // Who has no right code learns nothing about invites.
    const { claim, fields } = waits
      ? readClaim(form, visit, { ...ports, way: 'device' })
      : { claim: null, fields: { inviteCode: asTyped(form['invite_code']), email: asTyped(form['email']) } };
    if (claim !== null && form['answer'] === 'approve' && grants.approve(userCode, claim)) {
      audit.record({ event: 'approved', way: 'device' }, visit.from);
      return notice(200, 'Approved', 'The device gets its licence within seconds. You may close this page.');
    }
    const wrong = waits ? null : 'No device waits for this code. Compare it, or start over on the device.';
    return approvalPage({
      ...FORM,
      status: 400,
      csrf: csrf.give(visit),
      userCode: { value: userCode, wrong },
      ...fields,
    });
  };
}

const asTyped = (value = '') => ({ value, wrong: null });
