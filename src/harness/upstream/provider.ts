/** What tells one upstream from another, as data: the `providers` of `fixtures/scenarios/providers.yaml`. */
import { z } from 'zod';

const ruleSchema = z.strictObject({
  method: z.string().optional(),
  path: z.string().optional().describe('exact, below `base_path`; a trailing `*` stands for any rest'),
  outside: z.boolean().default(false).describe('`path` counts from the root of the host instead'),
  credential: z.literal('none').optional().describe('neither x-api-key nor authorization was sent'),
  play: z.string(),
});
const catchAll = (rules: readonly DefaultRule[]): boolean => {
  const last = rules.at(-1);
  return last !== undefined && (last.method ?? last.path ?? last.credential) === undefined;
};

export const providerSchema = z.strictObject({
  base_path: z.string().describe('part of the base URL that a client is configured with'),
  request_id: z.string().describe('template of the id minted for each answer'),
  message_id: z.string(),
  headers: z.record(z.string(), z.string()).describe('sent with every answer, in this order'),
  served_models: z
    .array(z.tuple([z.string(), z.string()]))
    .describe('first glob that fits the asked model → the model that the answer names'),
  usage: z.enum(['upfront', 'late']),
  cache_writes: z.boolean().describe('whether cache_creation counts are reported'),
  messages_path: z.string().describe('where a queued play is spent unless it says otherwise'),
  unknown: z.string().describe('what answers a `scenario=NAME` that does not exist'),
  defaults: z
    .array(ruleSchema)
    .refine(catchAll, 'the last rule must fit every request')
    .describe('the first that fits says what is played'),
});

export type Provider = z.infer<typeof providerSchema>;
export type DefaultRule = z.infer<typeof ruleSchema>;
