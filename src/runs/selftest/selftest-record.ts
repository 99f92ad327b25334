/**
 * `selftest.json`: the matrix of saboteurs and checks, in the folder of the control run. `selftestSchema` is the
 * published form (`docs/selftest.schema.json`).
 */
import { z } from 'zod';
import { outcomeSchema, provenanceSchema } from '../run-record.ts';

const redSchema = z.strictObject({
  suite: z.string(),
  id: z.string(),
  outcome: outcomeSchema,
  what: z.array(z.string()).describe('what it says'),
});

const sabotageSchema = z.strictObject({
  name: z.string(),
  breaks: z.string().describe('what is wrong, as one would report it'),
  suite: z.string().describe('where it was tried'),
  expected: z
    .record(z.string(), z.enum(['fail', 'inconclusive']))
    .describe(
      'how each check must come out that must notice: inconclusive where its evidence is what is taken',
    ),
  killed: z.boolean().describe('whether all of them did, each in just that way'),
  killedBy: z.array(z.string()).describe('those of the expected that did'),
  broke: z
    .string()
    .exactOptional()
    .describe('what kept the run from its end that was none of the saboteur: nothing is proven then'),
  skipped: z.string().exactOptional().describe('why it was not tried, for want of a client'),
  untried: z
    .string()
    .exactOptional()
    .describe('why no suite shows what it does: nothing is proven then, as of one that survives'),
  kept: z
    .string()
    .exactOptional()
    .describe('the folder of its run, a run like any other, relative to that of the self-test (--keep)'),
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
  ok: z.boolean().describe('whether the controls were green and no saboteur survived or was left out'),
  startedAt: z.iso.datetime(),
  ms: z.number().nonnegative().describe('milliseconds'),
  provenance: provenanceSchema,
  known: z.array(z.string()).describe('the names of all saboteurs there were, also of those not asked for'),
  interrupted: z
    .string()
    .exactOptional()
    .describe('what interrupted it; of those that it did not come to there is no row then'),
  controls: z.array(z.string()).describe('the suites that were also run as nobody broke them'),
  control: z
    .array(redSchema)
    .describe('of those runs the checks that were not satisfied; none where all were green'),
  saboteurs: z
    .array(sabotageSchema)
    .describe('each of those asked for, at least once; of one that was interrupted, each that it came to'),
});

export type SelftestResult = z.infer<typeof selftestSchema>;
export type SabotageResult = z.infer<typeof sabotageSchema>;
export type RedControl = z.infer<typeof redSchema>;

/** The name under which the control run is stored: it is no run of the suite that it is taken from. */
export const SELFTEST = 'selftest';
