/** What the meter's endpoints answer: the schemas from which the OpenAPI document is made, and commands read. */
import { z } from 'zod';
import { GRANULARITIES, STATED, sampleSchema } from '../../protocol/meter.ts';
import { IDLE } from '../../protocol/quota-view.ts';
import { decisionSchema, tokensSchema } from '../../protocol/usage-event.ts';

const count = z.int().nonnegative();
const milliseconds = z.number().nonnegative().describe('milliseconds');
export const time = z.iso.datetime({ precision: 3 }).describe('RFC 3339, UTC');
const percent = z
  .number()
  .nonnegative()
  .nullable()
  .describe('per cent of the cap, may exceed 100; null without one');

/** What is told of exchanges that an upstream worked for, and did not say how much. */
const UNCOUNTED =
  'exchanges that an upstream answered, or whose answer their client or ccp did not wait for, and of whose tokens nothing is known, or only what a stream told before it broke off';

export const tokenKind = tokensSchema.keyof();

export const totals = z.object({
  requests: count,
  errors: count.describe('their client got a status of 400 or more, or an answer that broke'),
  tokens: tokensSchema,
  cost_usd: z.number().nullable().describe('at list prices; null where nothing of it could be priced'),
  cost_is_at_least: z.boolean().describe('the cost may be higher, by what counts cannot tell'),
  unpriced_tokens: count.describe('not in cost_usd: no price is known for them'),
  unpriced_kinds: z.array(tokenKind).readonly().describe('of which kinds those are'),
  uncounted: count.describe(`${UNCOUNTED}: the rest is neither in tokens nor in cost_usd`),
  saved_usd: z
    .number()
    .nullable()
    .describe('cost at Anthropic less cost where it went; null where either has no price'),
  saved_is_partial: z
    .boolean()
    .describe('what has no price on either side, or was not counted, is not in saved_usd'),
  duration_ms: milliseconds.describe('sum over the exchanges, milliseconds'),
  stream_ms: milliseconds.describe(
    'sum over the streams, from their first piece to their last, milliseconds',
  ),
});

export const fill = z.object({
  used: z.number().nonnegative(),
  cap: z.number().nullable(),
  pct: percent,
});

export const quotaWindow = z.object({
  span_seconds: z.number().positive(),
  tokens: fill,
  requests: fill,
  hours: fill.describe('sum of the durations of the exchanges'),
  pct: percent.describe('of its fullest cap'),
});

const perSecond = z.number().nullable();
const hourOf = <S extends z.ZodRawShape>(shape: S) => z.object({ start: time, ...shape }).nullable();

const quotaFields = {
  rolling_pct: percent,
  weekly_pct: percent,
  warn: z.boolean(),
  block: z.boolean(),
  eta_seconds: z
    .number()
    .nullable()
    .describe('until block_pct at the present pace; where it is reached, until there is room again'),
  headroom_tokens: z.number().nullable().describe('left until block_pct'),
  tps_elr: perSecond.describe('output tokens for a second of streaming'),
  tps_dirty: perSecond.describe(
    'output tokens for a second since the oldest exchange of the rolling window began; ' +
      'without a quota, since the first hour that is counted began',
  ),
  peak_hour: hourOf({ tokens: count }).describe('the hour with the most tokens'),
  fastest_hour: hourOf({ tps: z.number() }).describe('the hour that streamed fastest'),
  warn_pct_auto: z.number().nullable().describe('where to warn, by the limits that were really hit'),
  warn_pct_confidence: z.number().min(0).max(1),
  gap_seconds_p50: z.number().nullable().describe('seconds from warn_pct to the limit'),
  gap_seconds_p95: z.number().nullable(),
  gap_samples: count,
};

export const providerLimits = z.object({
  lane: z.string(),
  at: time.describe('when its upstream said so'),
  status: z.string().nullable(),
  windows: z.array(
    z.object({
      name: z.string(),
      status: z.string().nullable(),
      used_pct: z.number().nullable(),
      limit: z.number().nullable(),
      remaining: z.number().nullable(),
      resets_at: time.nullable(),
    }),
  ),
  refused: z.object({ at: time, kind: z.string(), until: time.nullable() }).nullable(),
});

export const quotaAnswer = z.object({
  model: z.string().describe('glob'),
  lane: z.string(),
  idle: z
    .enum(IDLE)
    .nullable()
    .describe(
      'why it counts nothing: there is no such lane, no route leads such a model there, or none that matches came there ' +
        'or is known; null where it may count',
    ),
  rolling: quotaWindow,
  weekly: quotaWindow,
  warn_pct: z.number(),
  block_pct: z.number(),
  reserved: z.object({ requests: z.number(), tokens: z.number() }).describe('by exchanges under way'),
  ...quotaFields,
  cooldown_until: time.nullable().describe('the lane is skipped until then'),
  provider_limits: providerLimits.nullable().describe('what the upstream last said of its own limits'),
});

const storeState = z.object({
  ok: z.boolean(),
  reason: z
    .string()
    .nullable()
    .describe(
      'why exchanges may be missing here: the store is in trouble, or switched off; null while all is well',
    ),
  remedy: z.string().nullable().describe('what to do about it; null where nobody knows'),
  path: z.string().nullable().describe('its file; null where it is switched off'),
  pending: count.describe(
    'rows that wait to be written; while the store is in trouble they are not counted here',
  ),
});

export const usageAnswer = z.object({
  generated_at: time,
  store: storeState,
  since: time.describe('beginning of the first hour that is counted'),
  until: time.describe('end of the last hour that is counted; the present, unless it was asked for'),
  total: totals,
  models: z
    .record(
      z.string(),
      totals
        .extend({ lanes: z.record(z.string(), totals), ...quotaFields })
        .describe('with the fields of the fullest quota that it falls under'),
    )
    .describe('most used first, at most 100; and "(none)" for what names no model'),
  other_models: totals
    .extend({ models: count.describe('how many they are, as far as the store tells them apart') })
    .nullable()
    .describe(
      'the sum of the models beyond the 100 most used, by tokens, then by requests; null without any',
    ),
  lanes: z.record(z.string(), totals),
});

export const cooldown = z.object({
  lane: z.string(),
  key: z.string().describe('the glob of a quota, or the model itself where no quota names it'),
  until: time,
  stated: z
    .enum(STATED)
    .describe('who said how long: the upstream, or our default, where it said nothing or what cannot be'),
});

export const endedAnswer = z.object({
  ended: z.array(cooldown).describe('the cooldowns that held until now, with when they would have ended'),
});

export const quotasAnswer = z.object({
  generated_at: time,
  mode: z.string().describe('off, block or hybrid'),
  file: z
    .string()
    .nullable()
    .describe('where the quotas come from; null without any, or where they were sent'),
  since: time.describe('when they were taken over'),
  refused: z
    .object({
      since: time.describe('when it was first found so'),
      why: z.string().describe('names file, line and place'),
    })
    .nullable()
    .describe(
      'that their file has a mistake now, so that these are the earlier ones; null where it has none',
    ),
  rebuilding: z.boolean().describe('whether the windows still lack what the store has'),
  rebuild_trouble: z
    .string()
    .nullable()
    .describe('why the store cannot tell what they lack, and what to do; null while it can'),
  warnings: z
    .array(z.string())
    .describe('what is doubtful about the quotas that hold, a sentence each, as that one counts nothing'),
  quotas: z.array(quotaAnswer),
  cooldowns: z.array(cooldown),
  provider_limits: z.array(providerLimits).describe('what each upstream last said of its own limits'),
});

export const sampleAnswer = sampleSchema.extend({ ts: time.describe('when the exchange ended') });

export const samplesAnswer = z.object({
  samples: z
    .array(sampleAnswer)
    .describe(
      'newest first; fewer than the limit, or none, where none of many was of the lane or model asked for',
    ),
  next_cursor: z.string().nullable().describe('for the next page; null on the last'),
});

export const diversionsAnswer = z.object({
  since: time.describe('beginning of the first hour that was asked for'),
  until: time.describe('end of the last hour that was asked for; the present, unless it was'),
  looked_at: count.describe(
    'exchanges that were looked at: those that are kept one by one, and of many the newest 20,000',
  ),
  oldest: time.nullable().describe('when the oldest of them ended; null where there was none'),
  diversions: z
    .array(
      z.object({
        model: z.string().nullable(),
        lane: z.string().describe('where they ended, or were refused'),
        decision: decisionSchema,
        count,
        refused: count.describe('of them, by ccp itself: nobody was asked'),
      }),
    )
    .describe(
      'exchanges for whose lane something else than a route was the reason, most frequent first; at most 100',
    ),
  others: count.describe('those beyond'),
});

export const rollupsAnswer = z.object({
  granularity: z.enum(GRANULARITIES),
  rollups: z.array(
    z.object({
      start: time.describe('beginning of the hour or day, UTC'),
      lane: z.string(),
      model: z.string().nullable(),
      count,
      errors: count,
      uncounted: count.describe(`${UNCOUNTED}: the rest is not in tokens`),
      tokens: tokensSchema,
      latency_p50: milliseconds.nullable(),
      latency_p95: milliseconds.nullable(),
      ttfb_p50: milliseconds.nullable(),
      ttfb_p95: milliseconds.nullable(),
      duration_ms: milliseconds,
      stream_ms: milliseconds,
      streamed_tokens: count.describe('output tokens of the exchanges that streamed'),
    }),
  ),
});

export const simAnswer = z.object({ rids: z.array(z.string()).describe('the exchanges that were made up') });

export const errorAnswer = z.object({
  type: z.literal('error'),
  error: z.object({ type: z.string(), message: z.string().describe('says what is allowed') }),
});

export type DiversionsAnswer = z.infer<typeof diversionsAnswer>;
export type Totals = z.infer<typeof totals>;
export type QuotaAnswer = z.infer<typeof quotaAnswer>;
export type StoreState = z.infer<typeof storeState>;
export type UsageAnswer = z.infer<typeof usageAnswer>;
export type ModelUsage = UsageAnswer['models'][string];
export type LimitsAnswer = z.infer<typeof providerLimits>;
export type QuotasAnswer = z.infer<typeof quotasAnswer>;
