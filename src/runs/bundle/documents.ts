/** The forms of the JSON documents of a bundle; a bundle is read back through them. */
import { z } from 'zod';
import { commitSchema, repositorySchema } from '../repository.ts';
import { provenanceSchema, runRecordSchema } from '../run-record.ts';
import { SCHEMA_VERSION } from './layout.ts';

const v = z.literal(SCHEMA_VERSION);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const outcome = z.enum(['pass', 'fail', 'inconclusive']);

export const manifestSchema = z.strictObject({
  v,
  bundle: z.string(),
  files: z.array(
    z.strictObject({
      path: z.string(),
      bytes: z.int().nonnegative(),
      sha256,
      role: z.string(),
      schema: z.int().nullable().describe('version of the form of a document; null for evidence'),
    }),
  ),
});

/** What put the bundle together. */
export const bundlerSchema = z.strictObject({
  version: z.string().describe('of ccp and ccp-uat, which are one package'),
  node: z.string(),
  ...commitSchema.shape,
});

export const provenanceDocumentSchema = z.strictObject({
  v,
  bundle: bundlerSchema,
  runs: z.array(
    z.strictObject({
      run: z.string(),
      ranBy: provenanceSchema,
      seed: z.string(),
      upstream: z.string(),
      settings: z.record(z.string(), z.string()),
      toggles: z
        .array(
          z.strictObject({
            at: z.iso.datetime(),
            stage: z.string(),
            license: z.string(),
            mode: z.string().nullable(),
            protocol: z.string().nullable().describe('of HTTP, where it was switched'),
          }),
        )
        .describe('what was switched, and when'),
    }),
  ),
});

export const runsDocumentSchema = z.strictObject({
  v,
  runs: z.array(runRecordSchema),
  legs: z
    .array(runRecordSchema)
    .exactOptional()
    .describe('the red rounds that nights kept whole, each judged by itself'),
});

const missingSchema = z.strictObject({ what: z.string(), why: z.string() });

export const summarySchema = z.strictObject({
  v,
  bundle: z.string(),
  outcome,
  runs: z.array(
    z.strictObject({
      run: z.string().describe('its folder below evidence/'),
      suite: z.string(),
      title: z.string(),
      outcome,
      ending: z.string(),
      startedAt: z.iso.datetime(),
      ms: z.number(),
      probes: z.int(),
      saboteurs: z
        .strictObject({ known: z.int(), tried: z.int(), killed: z.int() })
        .exactOptional()
        .describe('of a self-test: how many there are, were tried, were noticed in every trial'),
      checks: z.record(z.string(), z.int()).describe('how many came out how'),
      claims: z.array(z.string()).describe('what the run entitles one to say'),
    }),
  ),
  missing: z.array(missingSchema),
  signOff: z.array(
    z.strictObject({
      area: z.string(),
      verdict: z.enum(['pass', 'fail', 'open']),
      passed: z.int(),
      failed: z.array(z.string()),
      unjudged: z.array(z.string()),
    }),
  ),
});

export const redactionSchema = z.strictObject({
  v,
  redactions: z.array(
    z.strictObject({
      rule: z.string(),
      file: z.string(),
      place: z.string().describe('line of the first'),
      count: z.int().positive(),
    }),
  ),
  leftOut: z.array(z.strictObject({ file: z.string(), why: z.string() })),
  damaged: z
    .array(z.strictObject({ run: z.string(), suite: z.string(), why: z.string() }))
    .exactOptional()
    .describe(
      'the newest runs of suites, left out whole as they could not be judged; absent where there are none',
    ),
  madeAnew: z
    .array(z.strictObject({ file: z.string(), why: z.string() }))
    .describe('reports that are there, and not byte for byte as the run wrote them'),
});

export { repositorySchema };

export type Manifest = z.infer<typeof manifestSchema>;
export type Bundler = z.infer<typeof bundlerSchema>;
export type ProvenanceDocument = z.infer<typeof provenanceDocumentSchema>;
export type Summary = z.infer<typeof summarySchema>;
export type Redaction = z.infer<typeof redactionSchema>;
export type Damaged = NonNullable<Redaction['damaged']>[number];

export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
