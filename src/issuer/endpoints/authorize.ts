/** The loopback redirect: `GET` and `POST /authorize` (RFC 8252, with PKCE of RFC 7636). */
import type { CodeGrants } from '../code-grants.ts';
import { once } from '../http/parameters.ts';
import type { Answer, Endpoint, Visit } from '../http/visit.ts';
import { COMMON_HEADERS } from '../http/visit.ts';
import { approvalPage } from '../pages/approval.ts';
import { notice } from '../pages/layout.ts';
import { type AuthorizeRequest, parametersOf, readAuthorizeRequest } from './authorize-request.ts';
import { type ClaimFields, EMPTY, type FormPorts, readClaim, readOwnForm } from './claim-form.ts';

export interface AuthorizePorts extends FormPorts {
  readonly codes: CodeGrants;
}

export function authorizePage(ports: AuthorizePorts): Endpoint {
  return (visit) => {
    const read = readAuthorizeRequest(once(visit.query) ?? {});
    if (!read.ok) return wrongRequest(read);
    ports.audit.record({ event: 'started', way: 'loopback' }, visit.from);
    return form(ports, visit, {
      request: read.request,
      status: 200,
      fields: { inviteCode: EMPTY, email: EMPTY },
    });
  };
}

export function authorizeAnswer(ports: AuthorizePorts): Endpoint {
  const { codes, audit } = ports;
  return (visit) => {
    const sent = readOwnForm(visit, ports);
    if ('refused' in sent) return sent.refused;
    // What the page carried along may have been changed on the way: it is judged anew.
    const read = readAuthorizeRequest(sent.form);
    if (!read.ok) return wrongRequest(read);
    const { request } = read;
    if (sent.form['answer'] === 'deny') {
      audit.record({ event: 'denied', way: 'loopback' }, visit.from);
      return back(request, { error: 'access_denied' });
    }
    const { claim, fields } = readClaim(sent.form, visit, { ...ports, way: 'loopback' });
    if (claim === null || sent.form['answer'] !== 'approve')
      return form(ports, visit, { request, status: 400, fields });
    const { redirectUri, challenge } = request;
    const code = codes.make({ claim, redirectUri, challenge });
    if (code === null) return back(request, { error: 'temporarily_unavailable' });
    audit.record({ event: 'approved', way: 'loopback' }, visit.from);
    return back(request, { code });
  };
}

function form(
  { csrf }: AuthorizePorts,
  visit: Visit,
  {
    request,
    status,
    fields,
  }: { readonly request: AuthorizeRequest; readonly status: number; readonly fields: ClaimFields },
): Answer {
  // Browsers hold the redirect after a form to this policy, too; a policy cannot name an IPv6 address.
  const { origin, hostname } = new URL(request.redirectUri);
  const target = hostname.startsWith('[') ? 'http:' : origin;
  return approvalPage({
    status,
    action: '/authorize',
    csrf: csrf.give(visit),
    hidden: parametersOf(request),
    formAction: `'self' ${target}`,
    ...fields,
  });
}

/** Where the redirect address can be trusted the program hears of the error; else only the person does. */
function wrongRequest(wrong: Exclude<ReturnType<typeof readAuthorizeRequest>, { ok: true }>): Answer {
  if (wrong.redirectUri === null) return notice(400, 'This link does not work', wrong.description);
  return back(wrong, { error: wrong.error, error_description: wrong.description });
}

function back(
  { redirectUri, state }: { readonly redirectUri: string | null; readonly state: string | null },
  parameters: Readonly<Record<string, string>>,
): Answer {
  const query = new URLSearchParams({ ...parameters, ...(state !== null && { state }) });
  return {
    status: 303,
    headers: { ...COMMON_HEADERS, location: `${redirectUri}?${query.toString()}` },
    body: '',
  };
}
