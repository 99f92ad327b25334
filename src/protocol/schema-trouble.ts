/** What a schema has against a value that a person wrote, in our own words. */
import { z } from 'zod';

export interface Trouble {
  /** Leads to what is wrong: names of members, indices of lists. An unknown member is led to by its own name. */
  readonly at: readonly PropertyKey[];
  /** The end of a sentence about it: `must be a whole number`. */
  readonly what: string;
}

/** What `schema` makes of a value, or the first thing that is wrong. What a schema says itself goes before our words. */
export function judgeBySchema<T>(
  schema: z.ZodType<T>,
  value: unknown,
): { readonly ok: true; readonly value: T } | { readonly ok: false; readonly trouble: Trouble } {
  const parsed = schema.safeParse(value, { error: inOurWords });
  if (parsed.success) return { ok: true, value: parsed.data };
  const [issue] = parsed.error.issues;
  if (issue === undefined) throw parsed.error;
  return { ok: false, trouble: troubleOf(issue) };
}

/** `quotas[0].rolling.requests`; empty for the document itself. */
export const placeName = (at: readonly PropertyKey[]): string =>
  at
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');

function troubleOf(issue: z.core.$ZodIssue): Trouble {
  if (issue.code === 'unrecognized_keys') {
    return { at: [...issue.path, issue.keys[0] ?? ''], what: issue.message };
  }
  // The name of a member is at fault; what is wrong with it, its own schema says.
  const inner = issue.code === 'invalid_key' ? issue.issues[0] : undefined;
  return { at: issue.path, what: (inner ?? issue).message };
}

const inOurWords: z.core.$ZodErrorMap = (issue) => {
  if (issue.input === undefined) return 'is missing';
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${TYPES.get(issue.expected) ?? issue.expected}`;
    case 'too_small':
      return `must ${lowerBound(issue)}`;
    case 'too_big':
      return `must ${upperBound(issue)}`;
    case 'invalid_value':
      return `must be ${issue.values.map((one) => JSON.stringify(one)).join(' or ')}`;
    case 'invalid_format':
      return FORMATS.get(issue.format) ?? 'is not of the form that it must have';
    case 'unrecognized_keys':
      return `unknown key${keysOf(issue.inst)}`;
    case 'custom':
    case 'invalid_element':
    case 'invalid_key':
    case 'invalid_union':
    case 'not_multiple_of':
      return 'is not of the form that it must have';
  }
};

/** Which there are, as the rest of a sentence. */
const keysOf = (schema: unknown): string =>
  schema instanceof z.ZodObject ? `; there are ${Object.keys(schema.shape).join(', ')}` : '';

const TYPES: ReadonlyMap<string, string> = new Map([
  ['string', 'a text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list: [ … ]'],
  ['object', 'an object: { … }'],
  ['record', 'an object: { … }'],
]);

const FORMATS: ReadonlyMap<string, string> = new Map([
  ['date', 'must be a day like "2026-01-31"'],
  ['datetime', 'must be a time in UTC like "2026-01-31T12:00:00Z"'],
]);

/** What is counted of a value that has a length. */
const PARTS: ReadonlyMap<string, string> = new Map([
  ['string', 'characters'],
  ['array', 'entries'],
]);

function lowerBound({ origin, minimum, inclusive }: z.core.$ZodRawIssue<z.core.$ZodIssueTooSmall>): string {
  const parts = PARTS.get(origin);
  if (parts === undefined) return `be ${inclusive === false ? 'more than' : 'at least'} ${minimum}`;
  return Number(minimum) === 1 ? 'not be empty' : `have at least ${minimum} ${parts}`;
}

function upperBound({ origin, maximum, inclusive }: z.core.$ZodRawIssue<z.core.$ZodIssueTooBig>): string {
  const parts = PARTS.get(origin);
  if (parts === undefined) return `be ${inclusive === false ? 'less than' : 'at most'} ${maximum}`;
  return `have at most ${maximum} ${parts}`;
}
