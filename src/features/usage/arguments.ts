/** What the meter's endpoints may be asked. What is not allowed is answered with what is. */
import { z } from 'zod';
import type { EndpointAnswer } from '../../core/types.ts';
import { errorBody } from '../../protocol/error-body.ts';
import { GRANULARITIES } from '../../protocol/meter.ts';
import { type Moment, POINT_IN_TIME_ALLOWED, parseMoment } from '../../protocol/point-in-time.ts';

const MAX_PAGE = 1000;
export const USUAL_PAGE = 100;

const PAGE_ALLOWED = `a whole number from 1 to ${MAX_PAGE}`;
const NAME_ALLOWED = 'a name of 1 to 500 characters';
const CURSOR_ALLOWED = 'a next_cursor as it was answered';

const name = z.string(NAME_ALLOWED).min(1, NAME_ALLOWED).max(500, NAME_ALLOWED);

const moment = z.string().transform((text, context): Moment => {
  const parsed = parseMoment(text);
  if (parsed !== null) return parsed;
  // Of an offset that was not encoded a blank is left.
  const hint = / \d\d:\d\d$/.test(text) ? '; a + in a query is written %2B' : '';
  context.addIssue(POINT_IN_TIME_ALLOWED + hint);
  return z.NEVER;
});

const range = {
  since: moment.optional().describe(`from then on: ${POINT_IN_TIME_ALLOWED}`),
  until: moment.optional().describe('before then, in the same forms; not before since'),
};

const page = z
  .string()
  .regex(/^\d{1,4}$/, PAGE_ALLOWED)
  .transform(Number)
  .pipe(z.int().min(1, PAGE_ALLOWED).max(MAX_PAGE, PAGE_ALLOWED));

export const usageQuery = z.strictObject(range);

export const rollupsQuery = z.strictObject({
  granularity: z.enum(GRANULARITIES, `one of ${GRANULARITIES.join(', ')}`),
  model: name.exactOptional(),
  lane: name.exactOptional(),
  ...range,
});

export const samplesQuery = z.strictObject({
  ...range,
  model: name.exactOptional(),
  lane: name.exactOptional(),
  limit: page.optional().describe(`samples on a page, ${PAGE_ALLOWED}; ${USUAL_PAGE} where it is left out`),
  cursor: z
    .string()
    .regex(/^[\w.:~-]{1,500}$/, CURSOR_ALLOWED)
    .exactOptional()
    .describe('next_cursor of the page before; the other arguments stay as they were'),
});

export const noQuery = z.strictObject({});

const TOKENS_ALLOWED = 'a whole number from 0 to 10000000';
const tokens = z.int(TOKENS_ALLOWED).min(0, TOKENS_ALLOWED).max(10_000_000, TOKENS_ALLOWED);
const REPEAT_ALLOWED = 'a whole number from 1 to 1000';
const SECONDS_ALLOWED = 'a number of seconds from 0 to 86400';

export const simBody = z.strictObject({
  model: name,
  in: tokens.describe('input tokens of each'),
  out: tokens.describe('output tokens of each'),
  repeat: z
    .int(REPEAT_ALLOWED)
    .min(1, REPEAT_ALLOWED)
    .max(1000, REPEAT_ALLOWED)
    .default(1)
    .describe('how many exchanges'),
  seconds: z
    .number(SECONDS_ALLOWED)
    .min(0, SECONDS_ALLOWED)
    .max(86_400, SECONDS_ALLOWED)
    .default(1)
    .describe('how long each of them took'),
});

const LANE_ALLOWED = 'the name of a lane';
const KEY_ALLOWED = 'a key as it stands in cooldowns: the glob of a quota, or a model';

export const endBody = z.strictObject({
  lane: z.string(LANE_ALLOWED).min(1, LANE_ALLOWED).optional().describe('every lane where it is left out'),
  key: z.string(KEY_ALLOWED).min(1, KEY_ALLOWED).optional().describe('every one where it is left out'),
});

export type SimBody = z.infer<typeof simBody>;

export type Judged<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly answer: EndpointAnswer };

/** Reads the query string by a schema; an argument that stands there twice is none that anybody meant. */
export function readQuery<T>(schema: z.ZodObject & z.ZodType<T>, query: URLSearchParams): Judged<T> {
  const names = [...query.keys()];
  const twice = names.find((one, index) => names.indexOf(one) !== index);
  if (twice !== undefined) return refuse(`${twice} stands there twice`);
  return judge(schema.safeParse(Object.fromEntries(query)), Object.keys(schema.shape));
}

/** Reads the value of a JSON body by a schema. */
export function readBody<T>(schema: z.ZodObject & z.ZodType<T>, value: unknown): Judged<T> {
  return judge(schema.safeParse(value), Object.keys(schema.shape));
}

function judge<T>(parsed: z.ZodSafeParseResult<T>, allowed: readonly string[]): Judged<T> {
  if (parsed.success) return { ok: true, value: parsed.data };
  const [issue] = parsed.error.issues;
  if (issue?.code === 'unrecognized_keys') {
    const known = allowed.length === 0 ? 'no arguments' : allowed.join(', ');
    return refuse(`${issue.keys.join(', ')}: not known here; allowed is ${known}`);
  }
  const place = issue?.path.join('.') ?? '';
  return place === ''
    ? refuse(`the body is no object; allowed are ${allowed.join(', ')}`)
    : refuse(`${place}: allowed is ${issue?.message ?? 'another value'}`);
}

export function refuse(message: string): Judged<never> & { readonly ok: false } {
  const body = errorBody('invalid_request_error', `ccp: ${message}`);
  return { ok: false, answer: { status: 400, contentType: 'application/json', body } };
}
