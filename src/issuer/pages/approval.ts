/** The approval page: a person says whether a device, or the program on this machine, gets a licence. */
import type { Answer } from '../http/visit.ts';
import { type Html, html } from './html.ts';
import { page } from './layout.ts';

export interface Field {
  readonly value: string;
  /** What is wrong with it; null where nothing is. */
  readonly wrong: string | null;
}

export interface ApprovalPage {
  readonly status: number;
  /** Where the form is sent to. */
  readonly action: string;
  readonly csrf: { readonly token: string; readonly setCookie: string };
  /** Absent where no device is involved. */
  readonly userCode?: Field;
  readonly inviteCode: Field;
  readonly email: Field;
  /** What the form carries along. */
  readonly hidden?: Readonly<Record<string, string>>;
  readonly formAction: string;
}

/** The form. The first field that is wrong, or else empty, has the focus: nobody needs a pointing device. */
export function approvalPage(options: ApprovalPage): Answer {
  const { status, action, csrf, userCode, inviteCode, email, hidden = {}, formAction } = options;
  const fields: Described[] = [
    ...(userCode === undefined ? [] : [{ ...USER_CODE, ...userCode }]),
    { ...INVITE_CODE, ...inviteCode },
    { ...EMAIL, ...email },
  ];
  const focused =
    fields.find(({ wrong }) => wrong !== null) ?? fields.find(({ value }) => value === '') ?? fields[0];
  const content = html`<p>${userCode === undefined ? HERE : DEVICE}</p>
<form method="post" action="${action}">
${Object.entries({ ...hidden, csrf: csrf.token }).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${fields.map((field) => fieldHtml(field, field === focused))}
<div class="buttons">
<button class="main" name="answer" value="approve">Approve</button>
<button name="answer" value="deny" formnovalidate>Deny</button>
</div>
</form>`;
  return page({
    status,
    title: 'Approve a licence',
    content,
    formAction,
    headers: { 'set-cookie': csrf.setCookie },
  });
}

const DEVICE =
  'Approve only a code that you see on a screen of your own right now. Whoever shows the code gets the licence.';
const HERE =
  'The ccp command on this machine asks for a licence. Approve only if you have started "ccp license login" yourself.';

interface Described extends Field {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  readonly type: 'text' | 'email';
  readonly code: boolean;
  readonly required: boolean;
}

const USER_CODE = {
  name: 'user_code',
  label: 'Code on the device',
  hint: 'Eight letters, as XXXX-XXXX.',
  type: 'text',
  code: true,
  required: true,
} as const;
const INVITE_CODE = {
  name: 'invite_code',
  label: 'Invite code',
  hint: 'From whoever runs this issuer.',
  type: 'text',
  code: true,
  required: true,
} as const;
const EMAIL = {
  name: 'email',
  label: 'E-mail address',
  hint: 'May be left out. It becomes the subject of the licence.',
  type: 'email',
  code: false,
  required: false,
} as const;

function fieldHtml(
  { name, label, hint, type, code, required, value, wrong }: Described,
  focused: boolean,
): Html {
  const complaint =
    wrong === null ? html`` : html`<span class="bad" id="${name}-wrong" role="alert">${wrong}</span>`;
  const flags = [
    required ? html` required` : html``,
    focused ? html` autofocus` : html``,
    code
      ? html` class="code" autocapitalize="characters" spellcheck="false" autocomplete="off"`
      : html` autocomplete="email"`,
    wrong === null ? html`` : html` aria-invalid="true"`,
  ];
  const described = wrong === null ? `${name}-hint` : `${name}-wrong ${name}-hint`;
  return html`<label for="${name}">${label}</label>
<span class="hint" id="${name}-hint">${hint}</span>
${complaint}
<input id="${name}" name="${name}" type="${type}" maxlength="320" value="${value}" aria-describedby="${described}"${flags}>
`;
}
