/** The parameters of a POST, from a form or from JSON, of which each may come once (RFC 6749 section 3.2). */
import { z } from 'zod';
import { isRecord, parseJson } from '../../protocol/json.ts';
import { type Answer, refuse, type Visit } from './visit.ts';

/** Reads and checks the body; what is wrong with it comes as the answer to give. */
export function readParameters<T>(visit: Visit, schema: z.ZodType<T>): { ok: T } | { refused: Answer } {
  const given = parametersOf(visit);
  if (typeof given === 'string')
    return { refused: refuse(given === FOREIGN_TYPE ? 415 : 400, 'invalid_request', given) };
  const parsed = schema.safeParse(given);
  if (parsed.success) return { ok: parsed.data };
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? 'the body' : issue.path.join('.');
  // RFC 6749 section 5.2 allows neither quotes nor a backslash in a description.
  const what = (issue?.message ?? 'not valid').replace(/["\\]/g, "'");
  return { refused: refuse(400, 'invalid_request', `${where}: ${what}`) };
}

/** A form as a browser sends it; null where it is none or a field came twice. */
export function readForm(visit: Visit): Readonly<Record<string, string>> | null {
  if (contentType(visit) !== FORM) return null;
  const form = parametersOf(visit);
  return typeof form === 'string'
    ? null
    : Object.fromEntries(Object.entries(form).map(([k, v]) => [k, String(v)]));
}

const FORM = 'application/x-www-form-urlencoded';
const FOREIGN_TYPE = `The body must be application/json or ${FORM}.`;

function contentType({ headers }: Visit): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function parametersOf(visit: Visit): Readonly<Record<string, unknown>> | string {
  const type = contentType(visit);
  if (type !== FORM && type !== 'application/json') return FOREIGN_TYPE;
  const text = visit.body.toString('utf8');
  if (type === FORM) return once(new URLSearchParams(text)) ?? 'A parameter came more than once.';
  const value = parseJson(text);
  return isRecord(value) ? value : 'The body is no JSON object.';
}

/** The values by name; null where one came twice. */
export function once(parameters: URLSearchParams): Readonly<Record<string, string>> | null {
  const entries = [...parameters];
  return new Set(entries.map(([name]) => name)).size === entries.length ? Object.fromEntries(entries) : null;
}

/** What every endpoint takes where a claim is made. An empty e-mail address, as forms send it, is none. */
export const inviteCode = z.string('is missing').min(1, 'is missing').max(128, 'is too long');
export const email = z
  .string()
  .max(320, 'is too long')
  .trim()
  .refine((text) => text === '' || /^[^\s@\p{C}]+@[^\s@\p{C}]+$/u.test(text), 'is no e-mail address')
  .transform((text) => (text === '' ? null : text))
  .nullish()
  .transform((text) => text ?? null);
