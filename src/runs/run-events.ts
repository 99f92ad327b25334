/** The lines of a run's `events.jsonl`: written as things happen, so that a run that dies leaves its account. */
import { z } from 'zod';
import { flakeSchema, planSchema, probeResultSchema, provenanceSchema } from './run-record.ts';
import { roundSchema } from './stored/stored-witness.ts';

const at = z.number().describe('epoch milliseconds');

export const runEventSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('run_started'), at, plan: planSchema, provenance: provenanceSchema }),
  z.strictObject({ type: z.literal('world_ready'), at }),
  z.strictObject({ type: z.literal('stage_started'), at, name: z.string() }),
  z.strictObject({ type: z.literal('round_ended'), at, round: z.int(), answered: z.int() }),
  z.strictObject({
    type: z.literal('round_closed'),
    at,
    round: z.int(),
    underWay: z.array(z.string()).describe('probes that were when the proxy died or the run was interrupted'),
    diedAt: z.number().nullable().describe('epoch milliseconds; null where no proxy died amid the round'),
  }),
  z.strictObject({
    type: z.literal('proxy_died'),
    at,
    round: z.int(),
    cause: z
      .enum(['chaos', 'itself', 'hung'])
      .describe('itself: nobody meant it to; hung: it was killed, as it answered nobody any more'),
  }),
  z.strictObject({
    type: z.literal('toggled'),
    at,
    round: z.int(),
    protocol: z.enum(['1.1', '2']).describe('what the proxy may speak from this round on'),
  }),
  z.strictObject({ type: z.literal('round_judged'), at, account: roundSchema }),
  z.strictObject({
    type: z.literal('resumed'),
    at,
    after: z.int().describe('the last round that came to its end'),
    // Nights of old did not say.
    spentMs: z
      .number()
      .nonnegative()
      .exactOptional()
      .describe('of the time of the night, by the rounds before'),
    provenance: provenanceSchema
      .exactOptional()
      .describe('what goes on with it; `source` is that of its beginning'),
  }),
  z.strictObject({
    type: z.literal('machine_late'),
    at,
    ms: z
      .number()
      .nonnegative()
      .describe('for so long something was ready to run shortly before, and did not'),
  }),
  z.strictObject({ type: z.literal('probe_started'), at, id: z.string() }),
  z.strictObject({
    type: z.literal('probe_ended'),
    at,
    result: probeResultSchema,
    report: z
      .record(z.string(), z.unknown())
      .nullable()
      .exactOptional()
      .describe('what Claude Code said of itself'),
  }),
  z.strictObject({ type: z.literal('probe_broke'), at, id: z.string(), problem: z.string() }),
  z.strictObject({
    type: z.literal('interrupted'),
    at,
    note: z.string(),
    // Runs of old did not say.
    underWay: z.array(z.string()).exactOptional().describe('probes that were at that moment'),
  }),
  z.strictObject({ type: z.literal('broken'), at, note: z.string() }),
  z.strictObject({ type: z.literal('run_ended'), at }),
  // Found once it had been judged, and kept with it: judged again, it is still red.
  z.strictObject({ type: z.literal('flaky'), at, ...flakeSchema.shape }),
]);

export type RunEvent = z.infer<typeof runEventSchema>;

/** Distributes over the union, so that each event keeps its own fields. */
type Untimed<E> = E extends unknown ? Omit<E, 'at'> : never;

/** An event before the clock is asked. */
export type RunNews = Untimed<RunEvent>;
