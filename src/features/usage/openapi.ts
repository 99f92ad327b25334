/** The OpenAPI description of the meter's endpoints, made from the schemas by which they judge and answer. */
import { z } from 'zod';
import { tokensSchema, usageEventSchema } from '../../protocol/usage-event.ts';
import * as answers from './answers.ts';
import * as args from './arguments.ts';
import * as paths from './paths.ts';

/** The forms that answers are made of, each of which the document says once. */
const NAMED = {
  Error: answers.errorAnswer,
  Cooldown: answers.cooldown,
  Diversions: answers.diversionsAnswer,
  EndedCooldowns: answers.endedAnswer,
  Fill: answers.fill,
  ProviderLimits: answers.providerLimits,
  Quota: answers.quotaAnswer,
  QuotaWindow: answers.quotaWindow,
  Quotas: answers.quotasAnswer,
  Rollups: answers.rollupsAnswer,
  Sample: answers.sampleAnswer,
  Samples: answers.samplesAnswer,
  Simulated: answers.simAnswer,
  Time: answers.time,
  TokenKind: answers.tokenKind,
  Tokens: tokensSchema,
  Totals: answers.totals,
  Usage: answers.usageAnswer,
  UsageEvent: usageEventSchema,
};

type Name = keyof typeof NAMED;

const uriOf = (name: string): string => `#/components/schemas/${name}`;
const refTo = (name: Name): { $ref: string } => ({ $ref: uriOf(name) });

interface Described {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly query?: z.ZodObject;
  readonly body?: { readonly schema: z.ZodType; readonly required: boolean };
  readonly answer: { readonly type: string; readonly schema: Name; readonly description: string };
  /** Statuses besides 200 and what every endpoint may answer. */
  readonly refusals?: Readonly<Record<string, string>>;
}

const JSON_TYPE = 'application/json';
const BAD_ARGUMENT = { 400: 'An argument that is not allowed; the message says what is' };
const FAULT = { 500: 'A fault inside the proxy, whose own messages say more' };
/** What a POST is refused for besides its content. */
const BAD_POST = {
  401: 'No control token',
  408: 'The rest of the body did not come',
  413: 'A body of more than 1 MiB',
};
const TOO_MANY = {
  400: `${BAD_ARGUMENT[400]}. Or more than 10,000 sums; the message says what to ask for instead`,
};

const json = (schema: Name, description: string): Described['answer'] => ({
  type: JSON_TYPE,
  schema,
  description,
});

const ENDPOINTS: readonly Described[] = [
  {
    method: 'get',
    path: paths.USAGE_PATH,
    id: 'getUsage',
    summary: 'What was used, per model and lane, how full the quotas are, and what it cost',
    description:
      'Counts whole hours, UTC: from the one in which since lies to the one in which until lies. Without since, the last 24 hours.',
    query: args.usageQuery,
    answer: json('Usage', 'The sums'),
    refusals: TOO_MANY,
  },
  {
    method: 'get',
    path: paths.SAMPLES_PATH,
    id: 'getSamples',
    summary: 'Single exchanges, newest first, a page at a time',
    query: args.samplesQuery,
    answer: json('Samples', 'A page'),
    refusals: BAD_ARGUMENT,
  },
  {
    method: 'get',
    path: paths.DIVERSIONS_PATH,
    id: 'getDiversions',
    summary: 'What did not go where its route leads, and why',
    description: 'Of the same whole hours as /v1/usage counts, as far back as single exchanges are kept.',
    query: args.usageQuery,
    answer: json('Diversions', 'How many, by model, lane and decision'),
    refusals: BAD_ARGUMENT,
  },
  {
    method: 'get',
    path: paths.ROLLUPS_PATH,
    id: 'getRollups',
    summary: 'Sums by hour or day, UTC, lane and model',
    query: args.rollupsQuery,
    answer: json('Rollups', 'The sums'),
    refusals: TOO_MANY,
  },
  {
    method: 'get',
    path: paths.LIVE_PATH,
    id: 'watchUsage',
    summary: 'The records of exchanges as they are made, as server-sent events',
    description:
      'The type of an event is that of the record; its data is a line as in usage.jsonl. A comment comes every 15 s. ' +
      'What happened before, or while a reader was away, is not repeated; a reader that does not keep up is cut.',
    answer: { type: 'text/event-stream', schema: 'UsageEvent', description: 'The data of each event' },
    refusals: { ...BAD_ARGUMENT, 429: 'Too many read along already' },
  },
  {
    method: 'get',
    path: paths.QUOTAS_PATH,
    id: 'getQuotas',
    summary: 'Every quota, how full it is, and what the upstreams say of their own limits',
    answer: json('Quotas', 'The quotas'),
    refusals: BAD_ARGUMENT,
  },
  {
    method: 'post',
    path: paths.RELOAD_PATH,
    id: 'reloadQuotas',
    summary: 'Takes the quotas of the body, or of their file where there is no body',
    body: { schema: z.looseObject({}).describe('the content of a quotas file'), required: false },
    answer: json('Quotas', 'The quotas from now on'),
    refusals: { 400: 'Not taken, and the old ones stay; the message says why' },
  },
  {
    method: 'post',
    path: paths.END_COOLDOWN_PATH,
    id: 'endCooldown',
    summary: 'Ends cooldowns, so that their lanes are tried again',
    body: { schema: args.endBody, required: false },
    answer: json('EndedCooldowns', 'Those that held'),
    refusals: BAD_ARGUMENT,
  },
  {
    method: 'post',
    path: paths.SIM_PATH,
    id: 'simulateUsage',
    summary:
      'Makes up exchanges, which are routed, recorded and counted like real ones; needs CCP_DEV_ENABLE=1',
    body: { schema: args.simBody, required: true },
    answer: json('Simulated', 'Their ids'),
    refusals: { ...BAD_ARGUMENT, 404: 'CCP_DEV_ENABLE is not 1' },
  },
];

/** An OpenAPI 3.1 document. */
export function openApi(): object {
  const byPath = Object.groupBy(ENDPOINTS, ({ path }) => path);
  return {
    openapi: '3.1.0',
    info: {
      title: 'ccp: the meter',
      version: '1',
      description:
        'Endpoints of a running proxy, on its own port. Every request needs a Host that is loopback (or the client ' +
        'token, where one is set) and may not come from a web page. A method that a path does not have is answered ' +
        'with 405, whose header allow names those that it has, and a path that is not there beneath /v1/usage, ' +
        '/v1/quotas and /v1/dev with 404, both with an Error.',
    },
    servers: [{ url: 'http://127.0.0.1:8082' }],
    paths: Object.fromEntries(
      Object.entries(byPath).map(([path, list = []]) => [
        path,
        Object.fromEntries(list.map((one) => [one.method, operation(one)])),
      ]),
    ),
    components: {
      schemas: components(),
      securitySchemes: {
        controlToken: {
          type: 'http',
          scheme: 'bearer',
          description: 'The content of control.token in the state folder',
        },
      },
    },
  };
}

function operation({ method, id, summary, description, query, body, answer, refusals }: Described): object {
  const refused = {
    ...refusals,
    403: 'Not from here',
    ...(method === 'post' && BAD_POST),
    ...FAULT,
  };
  return {
    operationId: id,
    summary,
    ...(description !== undefined && { description }),
    ...(query !== undefined && { parameters: parametersOf(query) }),
    ...(body !== undefined && {
      requestBody: {
        required: body.required,
        content: { [JSON_TYPE]: { schema: inputOf(body.schema) } },
      },
    }),
    responses: {
      200: {
        description: answer.description,
        content: { [answer.type]: { schema: refTo(answer.schema) } },
      },
      ...Object.fromEntries(
        Object.entries(refused).map(([status, text]) => [
          status,
          { description: text, content: { [JSON_TYPE]: { schema: refTo('Error') } } },
        ]),
      ),
    },
    ...(method === 'post' && { security: [{ controlToken: [] }] }),
  };
}

function parametersOf(query: z.ZodObject): object[] {
  const { properties = {}, required = [] } = inputOf(query);
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...schema } = typeof property === 'object' ? property : {};
    return {
      name,
      in: 'query',
      required: required.includes(name),
      ...(description !== undefined && { description }),
      schema,
    };
  });
}

const inputOf = (schema: z.ZodType): z.core.JSONSchema.BaseSchema =>
  bare(z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' }));

/** The named forms, which refer to each other. */
function components(): object {
  const names = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED)) names.add(schema, { id });
  const { schemas } = z.toJSONSchema(names, { target: 'draft-2020-12', io: 'output', uri: uriOf });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, bare(schema)]));
}

/** As a part of a document, whose place says what it is. */
function bare(schema: z.core.JSONSchema.BaseSchema): z.core.JSONSchema.BaseSchema {
  const { $schema: _, $id: __, ...rest } = schema;
  return rest;
}
