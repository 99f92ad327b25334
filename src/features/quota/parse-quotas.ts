/** Quota files: JSON text to checked entries, and what is wrong with one by file, line and place. */
import { z } from 'zod';
import { compileGlob, type Matcher } from '../../protocol/glob.ts';
import { readWrittenJson } from '../../protocol/written-json.ts';

/** The caps of one window; null where there is none. */
export interface WindowCaps {
  readonly spanMs: number;
  readonly tokens: number | null;
  readonly requests: number | null;
  /** Sum of the durations of exchanges. */
  readonly hours: number | null;
}

/** One budget, of the models that a glob names on one lane. */
export interface QuotaDefinition {
  /** The glob as written; with the lane it is the key. */
  readonly model: string;
  readonly lane: string;
  readonly matches: Matcher;
  readonly rolling: WindowCaps;
  readonly weekly: WindowCaps;
  readonly warnPct: number;
  readonly blockPct: number;
  readonly countCacheReads: boolean;
}

/** Whether it has any cap at all. */
export const isCapped = ({ tokens, requests, hours }: WindowCaps): boolean =>
  (tokens ?? requests ?? hours) !== null;

const MINUTE_MS = 60_000;
const UNITS = { m: MINUTE_MS, h: 60 * MINUTE_MS, d: 24 * 60 * MINUTE_MS } as const;
export const WEEK_MS = 7 * UNITS.d;

const count = z.int('must be a whole number').positive('must be more than 0');
const hours = z.number('must be a number of hours').positive('must be more than 0').max(1e6);
const percent = z
  .number('must be a number')
  .positive('must be more than 0')
  .min(1, { error: ({ input }) => `must be at least 1, it is per cent${meantBy(input)}` })
  .max(1000, 'must be at most 1000');

/** A share of one, as a percentage; nothing where that would be less than one, too. */
function meantBy(share: unknown): string {
  const meant = typeof share === 'number' ? Number((share * 100).toPrecision(6)) : 0;
  return meant < 1 ? '' : `: did you mean ${meant}?`;
}
const SPAN = 'must be a duration of at least 1m, like "90m", "5h" or "1d"';
const span = z
  .string(SPAN)
  .regex(/^[1-9]\d{0,5}[mhd]$/, SPAN)
  .transform((text) => Number(text.slice(0, -1)) * UNITS[z.enum(['m', 'h', 'd']).parse(text.at(-1))])
  .refine((ms) => ms <= WEEK_MS, 'must be at most 7d');

const caps = { tokens: count.optional(), requests: count.optional(), hours: hours.optional() };
const entry = z
  .strictObject({
    model: z.string('must be a glob like "*haiku*"').min(1, 'must be a glob like "*haiku*"').max(256),
    lane: z
      .string('must be the name of a lane')
      .regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, 'must be the name of a lane'),
    rolling: z.strictObject({ span: span.default(5 * UNITS.h), ...caps }).optional(),
    weekly: z.strictObject(caps).optional(),
    warn_pct: percent.default(80),
    block_pct: percent.default(100),
    count_cache_reads: z.boolean('must be true or false').default(false),
  })
  .refine(({ warn_pct, block_pct }) => warn_pct <= block_pct, {
    path: ['warn_pct'],
    message: 'must not be more than block_pct',
  });
const fileSchema = z.strictObject({ quotas: z.array(entry).max(100, 'must be at most 100 entries') });

const REMEDY = 'Correct it; docs/quotas.md describes every field.';

/** Checks the bytes of a quota file. Throws `CONFIG` naming `path`, line, column and place of what is wrong. */
export function parseQuotas(path: string, bytes: Uint8Array): readonly QuotaDefinition[] {
  const { value, wrong } = readWrittenJson({ path, bytes, schema: fileSchema, remedy: REMEDY });
  const keys = new Set<string>();
  return value.quotas.map((quota, index) => {
    const key = `${quota.lane} ${quota.model.toLowerCase()}`;
    if (keys.has(key)) throw wrong(['quotas', index], `"${quota.model}" on lane ${quota.lane} stands twice`);
    keys.add(key);
    return definitionOf(quota);
  });
}

function definitionOf({ model, lane, rolling, weekly, ...rest }: z.output<typeof entry>): QuotaDefinition {
  return {
    model,
    lane,
    matches: compileGlob(model),
    rolling: capsOf(rolling?.span ?? 5 * UNITS.h, rolling),
    weekly: capsOf(WEEK_MS, weekly),
    warnPct: rest.warn_pct,
    blockPct: rest.block_pct,
    countCacheReads: rest.count_cache_reads,
  };
}

interface GivenCaps {
  readonly tokens?: number | undefined;
  readonly requests?: number | undefined;
  readonly hours?: number | undefined;
}

const capsOf = (spanMs: number, given: GivenCaps | undefined): WindowCaps => ({
  spanMs,
  tokens: given?.tokens ?? null,
  requests: given?.requests ?? null,
  hours: given?.hours ?? null,
});
