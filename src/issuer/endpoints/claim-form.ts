/** What both approval forms have in common: the token, and a claim that must hold at this moment. */
import type { z } from 'zod';
import type { Audit, Way } from '../audit.ts';
import { type Claim, type Desk, REFUSALS } from '../desk.ts';
import type { Csrf } from '../http/csrf.ts';
import { email, inviteCode, readForm } from '../http/parameters.ts';
import type { Answer, Visit } from '../http/visit.ts';
import type { Field } from '../pages/approval.ts';
import { notice } from '../pages/layout.ts';
import type { Limits } from './limits.ts';

export interface FormPorts {
  readonly desk: Desk;
  readonly csrf: Csrf;
  readonly limits: Limits;
  readonly audit: Audit;
}

export type Form = Readonly<Record<string, string>>;

/** The form that was sent, or the page that says why it counts for nothing. */
export function readOwnForm(visit: Visit, { csrf, limits }: FormPorts): { form: Form } | { refused: Answer } {
  const form = readForm(visit);
  if (form === null) return { refused: notice(400, 'Not understood', 'This is not the form of this page.') };
  if (!csrf.holds(visit, form['csrf'])) {
    const sentence =
      'This form is not, or no longer, valid. Go back, load the page again and repeat your entry.';
    return { refused: notice(403, 'Please start over', sentence) };
  }
  const seconds = limits.guesses.wait(visit.from);
  if (seconds === null) return { form };
  const sentence = `Too many wrong codes. Try again in ${seconds} seconds.`;
  return { refused: notice(429, 'Please wait', sentence, { 'retry-after': String(seconds) }) };
}

export interface ClaimFields {
  readonly inviteCode: Field;
  readonly email: Field;
}

/** The claim where it would be honoured now; null where a field is wrong. */
export function readClaim(
  form: Form,
  visit: Visit,
  { desk, limits, audit, way }: FormPorts & { readonly way: Way },
): { claim: Claim | null; fields: ClaimFields } {
  const code = check(form['invite_code'] ?? '', inviteCode, 'Enter the invite code.');
  const address = check(form['email'] ?? '', email, 'This is no e-mail address.');
  let wrong = code.wrong;
  if (wrong === null) {
    const refusal = desk.check({ inviteCode: code.value, email: null });
    if (refusal === 'invite_unknown') limits.guesses.spend(visit.from);
    if (refusal !== null) {
      wrong = REFUSALS[refusal];
      audit.record({ event: 'refused', way, why: refusal }, visit.from);
    }
  }
  const fields = { inviteCode: { value: code.value, wrong }, email: address };
  const ok = wrong === null && address.wrong === null;
  return { claim: ok ? { inviteCode: code.value, email: email.parse(address.value) } : null, fields };
}

function check(value: string, schema: z.ZodType, sentence: string): Field {
  return { value: value.trim(), wrong: schema.safeParse(value).success ? null : sentence };
}

/** A field that nobody has filled in yet. */
export const EMPTY: Field = { value: '', wrong: null };
