/**
 * `selftest.json`: the matrix of saboteurs and checks, in the folder of the control run. `selftestSchema` is the
 * published form (`docs/selftest.schema.json`).
 */
import { z } from 'zod';
import { outcomeSchema, provenanceSchema } from './run-record.ts';

const controlSchema = z.strictObject({
  suite: z.string(),
  red: z
    .array(z.strictObject({ id: z.string(), outcome: outcomeSchema, what: z.array(z.string()) }))
    .describe('checks that were not satisfied where nobody broke anything, and what they say'),
});

const sabotageSchema = z.strictObject({
  name: z.string(),
  breaks: z.string().describe('what is wrong, as one would report it'),
  suite: z.string().describe('where it was tried'),
  expected: z.array(z.string()).describe('the checks each of which must notice'),
  killed: z.boolean().describe('whether all of them did'),
  killedBy: z.array(z.string()).describe('those of the expected that did'),
  skipped: z.string().exactOptional().describe('why it was not tried'),
  outcomes: z
    .record(z.string(), outcomeSchema)
    .describe('the row of the matrix: how each check of the suite came out'),
});

export const selftestSchema = z.strictObject({
  v: z.literal(1),
  seed: z.string(),
  full: z
    .boolean()
    .describe('every saboteur in every suite that it touches, not only where it shows soonest'),
  ok: z.boolean().describe('whether the controls were green and no saboteur survived'),
  startedAt: z.iso.datetime(),
  ms: z.number().nonnegative().describe('milliseconds'),
  provenance: provenanceSchema,
  control: z.strictObject({
    green: z.boolean(),
    runs: z.array(controlSchema).describe('the runs that nobody broke, one for each suite that was used'),
  }),
  saboteurs: z.array(sabotageSchema),
});

export type SelftestResult = z.infer<typeof selftestSchema>;
export type SabotageResult = z.infer<typeof sabotageSchema>;
export type ControlResult = z.infer<typeof controlSchema>;
