/** The lines of a run's `witness/*.jsonl`, as they are read back. */
import { z } from 'zod';
import type { Anomaly } from '../../protocol/anomaly.ts';
import type { Sample } from '../../protocol/meter.ts';
import type { UsageEvent } from '../../protocol/usage-event.ts';
import type { RoundAccount } from '../../protocol/witness.ts';
import { licenseKindSchema, modeSchema, ONLY_STAGE, quotaSchema } from '../run-record.ts';

const milliseconds = z.number();
const headers = z.array(z.tuple([z.string(), z.string()]));
const payload = z.object({
  bytes: z.int(),
  sha256: z.string(),
  base64: z.string().exactOptional(),
  pieces: z.array(z.tuple([milliseconds, z.int()])),
});

export const transcriptSchema = z.object({
  id: z.string(),
  side: z.enum(['client', 'upstream']),
  observer: z.string(),
  connection: z.string(),
  http: z.enum(['1.0', '1.1', '2']),
  startedAt: z.number(),
  request: z.object({ method: z.string(), target: z.string(), headers, body: payload }),
  response: z.object({ status: z.int(), headers, body: payload, headMs: milliseconds }).exactOptional(),
  ending: z.enum(['complete', 'ended_by_self', 'cut_by_peer', 'timeout']),
  endedMs: milliseconds,
  requestId: z.string().exactOptional(),
  scenario: z.string().exactOptional(),
});

export const outsideAttemptSchema = z.object({
  host: z.string(),
  request: z.object({ method: z.string(), url: z.string(), headers, body: z.string() }).exactOptional(),
});

export const canarySchema = z.object({ name: z.string(), value: z.string(), allowed: z.array(z.string()) });

export const artifactSchema = z.object({ place: z.string(), text: z.string() });

/** What the proxy says is a claim: the checks judge its form, so here anything that is an object passes. */
const claim = <T extends object>() =>
  z.custom<T>((value) => typeof value === 'object' && value !== null && !Array.isArray(value));

const licenseClaimSchema = z.object({
  ok: z.boolean(),
  plan: z.string(),
  features: z.array(z.string()).readonly(),
  reason: z.string().nullable(),
  kid: z.string().exactOptional(),
  expires: z.string().exactOptional(),
});

const meterSchema = z.object({
  usage: z.unknown(),
  samples: z.array(z.unknown()).readonly(),
  hour: z.unknown(),
  day: z.unknown(),
  quotas: z.unknown(),
});

/** The first line of `witness/store.jsonl`; where it was read, a line a row comes after it. */
export const storeHeadSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('read') }),
  z.object({ kind: z.literal('unreadable'), problem: z.string() }),
  z.object({ kind: z.literal('none'), why: z.string() }),
]);

export const storeRowSchema = claim<Sample>();

export const crashSchema = z.object({
  killedAt: z.number(),
  load: z
    .object({
      answered: z.int(),
      least: z.number(),
      bad: z.array(z.object({ id: z.string(), what: z.string() })).readonly(),
    })
    .nullable(),
  logged: z.int(),
  acknowledged: z.int(),
  unlogged: z.array(z.string()).readonly(),
  rows: z.int(),
  integrity: z.string().nullable(),
  shell: z.union([z.strictObject({ said: z.string() }), z.strictObject({ missing: z.string() })]),
  missing: z.array(z.object({ rid: z.string(), ts: z.number() })).readonly(),
  doubled: z.array(z.string()).readonly(),
  rebuilt: z.object({ said: z.number().nullable(), counted: z.int() }).nullable(),
  slopes: z
    .object({
      ms: z.number(),
      rssMbPerMinute: z.number(),
      filesPerMinute: z.number(),
      rssMb: z.number(),
      files: z.number(),
    })
    .nullable(),
});

const count = z.int().nonnegative();

/** A round of a night, as its event holds it. */
export const roundSchema = z.strictObject({
  round: z.int().positive(),
  leg: z.int().positive(),
  protocol: z.enum(['1.1', '2']),
  startedAt: z.number(),
  ms: milliseconds,
  jumpMs: milliseconds,
  // Nights of old did not look.
  stalledMs: milliseconds.default(0),
  partial: z.boolean(),
  sent: count,
  setAside: count,
  witnesses: z.strictObject({
    client: count,
    logged: count,
    stored: count.nullable(),
    attempts: count,
    upstream: count.nullable(),
  }),
  spoken: z.strictObject({ h1: count, h2: count }),
  // Nights of old did not look.
  atOnce: z.strictObject({ client: count, upstream: count.nullable() }).nullable().default(null),
  faults: z.array(z.strictObject({ probe: z.string(), scenario: z.string() })).readonly(),
  kills: z.boolean(),
  deaths: z
    .array(
      z.strictObject({
        at: z.number(),
        cause: z.enum(['chaos', 'itself', 'hung']),
        backMs: milliseconds.nullable(),
      }),
    )
    .readonly(),
  verdict: z.strictObject({
    outcome: z.enum(['pass', 'fail', 'inconclusive']),
    passed: z.array(z.string()).readonly(),
    red: z.array(z.strictObject({ id: z.string(), outcome: z.string(), what: z.string() })).readonly(),
  }),
  readings: z
    .array(
      z.strictObject({
        life: z.string(),
        at: milliseconds,
        rssMb: z.number(),
        files: count,
        sockets: count,
      }),
    )
    .readonly()
    .nullable(),
  answers: z
    // Nights of old did not say whose they were.
    .array(z.strictObject({ life: z.string().default(''), at: milliseconds, ms: milliseconds }))
    .readonly(),
  kept: z.string().nullable(),
}) satisfies z.ZodType<RoundAccount>;

export const proxyLineSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('usage'), event: claim<UsageEvent>() }),
  z.object({ kind: z.literal('anomaly'), anomaly: claim<Anomaly>() }),
  z.object({
    kind: z.literal('log'),
    bad: z.array(z.object({ file: z.string().exactOptional(), line: z.int(), problem: z.string() })),
    rotatedBefore: z.boolean(),
  }),
  // One of each life. Runs of old had one life, and no licence.
  z.object({
    kind: z.literal('answers'),
    stage: z.string().default(ONLY_STAGE),
    startedAt: z.number().default(0),
    pid: z.int().nullable().default(null),
    license: z
      .object({ kind: licenseKindSchema, expected: licenseClaimSchema.nullable() })
      .default({ kind: 'env', expected: null }),
    quota: quotaSchema.extend({ mode: modeSchema }).nullable().default(null),
    licenseLines: z.array(z.string()).readonly().default([]),
    ending: z.object({ exitCode: z.int().nullable(), ms: milliseconds }).nullable().default(null),
    answers: z.object({
      readyz: z.object({ status: z.int(), body: z.unknown() }).nullable(),
      providers: z.unknown(),
      metrics: z.string().nullable(),
      license: z.unknown().default(null),
      meter: meterSchema.nullable().default(null),
      beneath: z
        .array(
          z.object({
            path: z.string(),
            answer: z.object({ status: z.int(), body: z.string() }).nullable(),
          }),
        )
        .readonly()
        .nullable()
        .default(null),
    }),
  }),
]);
