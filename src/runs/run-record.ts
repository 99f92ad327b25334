/**
 * `run.json`: what a run set out to do and how it came out. `runRecordSchema` is the published form
 * (`docs/run.schema.json`); a stored run is read back through it.
 */
import { z } from 'zod';
import { commitSchema } from './repository.ts';

const epochMs = z.number().describe('epoch milliseconds');
const milliseconds = z.number().nonnegative().describe('milliseconds');

const targetSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('builtin') }),
    z.strictObject({ kind: z.literal('url'), url: z.string() }),
    z.strictObject({ kind: z.literal('cmd'), command: z.string() }),
  ])
  .describe('what was under test');

const laneSchema = z.enum(['anthropic', 'zai']);

export const licenseKindSchema = z
  .enum(['trial', 'env', 'none', 'tampered', 'expired', 'wrong-kid', 'unsigned'])
  .describe('trial opens the Z.AI lane, env is what the caller has, all others leave the lane closed');

export const quotaSchema = z.strictObject({
  lane: z.string(),
  model: z.string().describe('part of the names of the models that it is for'),
  requests: z.int().positive().describe('how many the window holds, which is longer than the run'),
});

export const modeSchema = z.enum(['off', 'block', 'hybrid']).describe('CCP_REROUTE_MODE');

const expectedDecisionSchema = z
  .enum(['license_block', 'quota_block', 'quota_warn_attempt', 'cooldown', 'fallback_limit'])
  .describe('what must be on record for it, where a gate or a limit is to turn it away');

const stageSchema = z.strictObject({
  name: z.string(),
  license: licenseKindSchema,
  by: z
    .enum(['environment', 'command', 'login'])
    .describe('how the target gets it: login is `ccp license login` at an issuer of the run'),
  mode: modeSchema.exactOptional(),
  quota: quotaSchema
    .exactOptional()
    .describe('the budget that the target is given in place of that of the run'),
});

/** The stage of a run that has no others. */
export const ONLY_STAGE = 'run';

const plannedProbeSchema = z.strictObject({
  id: z.string(),
  stage: z.string().exactOptional().describe('where it is sent; absent in a run with one stage'),
  client: z.enum(['claude', 'curl']),
  model: z.string(),
  lane: laneSchema.describe('where the contract says that it must go'),
  decision: expectedDecisionSchema.exactOptional(),
  op: z.enum(['stream', 'nonstream', 'count_tokens', 'models']),
  login: z.enum(['key', 'oauth']).exactOptional().describe('Claude Code only'),
  together: z.literal(true).exactOptional().describe('sent at once with those before it that are, too'),
  afterMs: milliseconds.exactOptional().describe('waited before it is sent'),
  acceptEncoding: z.string().exactOptional(),
  leaveAfterBytes: z.int().exactOptional(),
  prompt: z.string().exactOptional().describe('real upstreams only; "Say ok." where absent'),
  maxTokens: z.int().exactOptional(),
  scenario: z
    .union([
      z.string(),
      z.strictObject({ provider: z.enum(['anth', 'zai']), name: z.string(), times: z.int().exactOptional() }),
    ])
    .exactOptional()
    .describe('what the upstreams play: asked for in the prompt, or queued at one of them'),
  mayFail: z
    .literal(true)
    .exactOptional()
    .describe('the scenario is a failure; a probe without this must succeed'),
});

const reasonedSchema = z.strictObject({ id: z.string(), reason: z.string() });

const soakSchema = z
  .strictObject({
    kind: z.literal('soak'),
    rounds: z.int().positive(),
    roundMs: milliseconds.describe('of load before the kill'),
  })
  .describe('rounds of load, each ended by kill -9');

const limitSchema = z
  .strictObject({
    kind: z.literal('limits'),
    lane: laneSchema,
    maxRequests: z.int().positive(),
    mockWindow: z
      .int()
      .positive()
      .describe('how many requests a mock answers before it says that it is used up'),
  })
  .describe('one request after the other, until the lane says that its window is used up');

const nightSchema = z
  .strictObject({
    kind: z.literal('overnight'),
    maxMs: milliseconds.describe('of wakefulness: time that the machine sleeps does not count'),
    pauseMs: milliseconds.describe('between two rounds'),
    roundMs: milliseconds.describe('over which the probes of a round are spread'),
    perRound: z.int().positive().describe('probes of a round'),
    width: z.int().positive().describe('how many clients send at once'),
    until: z.enum(['red', 'green', 'time']).describe('what ends it before its time'),
    chaos: z.boolean(),
    clients: z
      .enum(['raw', 'claude'])
      .describe('who sends: raw requests of every kind, or Claude Code, haiku and sonnet in turn'),
    toggles: z.boolean().describe('whether HTTP/1.1 and HTTP/2 take turns, three rounds each'),
    maxRounds: z.int().positive().exactOptional(),
    maxRequests: z.int().positive().exactOptional().describe('sent to providers who ask money for them'),
    roundChecks: z.array(z.string()).min(1).describe('what every round is judged by'),
  })
  .describe('rounds of probes, each judged as it ends');

export const planSchema = z.strictObject({
  run: z.string().describe('<utc>-<suite>'),
  suite: z.string(),
  title: z.string(),
  proves: z
    .array(z.string())
    .describe('what a green run entitles one to say; nothing where checks of the suite are left out'),
  upstream: z.enum(['mock', 'real']),
  target: targetSchema,
  settings: z.record(z.string(), z.string()).describe('further settings of the target'),
  quota: quotaSchema.exactOptional().describe('the budget that the target is given'),
  stages: z
    .array(stageSchema)
    .min(1)
    .default([{ name: ONLY_STAGE, license: 'env', by: 'environment' }])
    .describe('the lives of the target, in order: it is restarted between them'),
  seed: z.string(),
  timeoutMs: milliseconds.describe('limit of each probe, milliseconds'),
  asked: z
    .strictObject({
      client: z.enum(['claude', 'curl']).exactOptional(),
      timeoutMs: milliseconds.exactOptional(),
      license: z.enum(['trial', 'none', 'env']).exactOptional(),
      login: z.literal(true).exactOptional(),
      lanes: z.array(laneSchema).exactOptional(),
      probes: z.array(z.string()).exactOptional(),
      selftest: z
        .strictObject({
          saboteurs: z.array(z.string()).describe('none means all there are'),
          full: z.boolean(),
        })
        .exactOptional()
        .describe('the self-test that the run is a part of'),
    })
    .exactOptional()
    .describe('what the command line chose in place of the default'),
  waves: z
    .array(z.array(plannedProbeSchema))
    .describe('the probes of a wave run at the same time, the waves one after the other'),
  skippedProbes: z.array(reasonedSchema),
  driver: z
    .discriminatedUnion('kind', [soakSchema, limitSchema, nightSchema])
    .exactOptional()
    .describe('what sends, where it is no list of probes'),
  partOf: nightSchema
    .exactOptional()
    .describe('of a leg: the night that it is a part of, which is what can be repeated'),
  showsAnswers: z.boolean().describe('whether the record holds what Claude Code itself said'),
  checks: z.array(z.strictObject({ id: z.string(), title: z.string(), skip: z.string().exactOptional() })),
  failFast: z.boolean(),
  allowInconclusive: z.boolean(),
});

export const probeResultSchema = z.strictObject({
  id: z.string(),
  client: z.enum(['claude', 'curl']),
  model: z.string(),
  canary: z.string().describe('the phrase in the prompt that marks this probe on the wire'),
  expectedLane: z.string(),
  expectedDecision: expectedDecisionSchema.exactOptional(),
  startedAt: epochMs,
  ms: milliseconds,
  exitCode: z.int().nullable().describe('null where the client was killed'),
  timedOut: z.boolean(),
  ok: z.boolean().describe('what the client itself calls success'),
  text: z.string(),
  tokens: z
    .strictObject({ input: z.number(), output: z.number(), cacheRead: z.number(), cacheWrite: z.number() })
    .exactOptional(),
  reproduce: z.string().describe('a line that repeats this probe by hand'),
});

export const outcomeSchema = z.enum(['pass', 'fail', 'inconclusive', 'invalid', 'skipped']);

const verdictSchema = z.strictObject({
  id: z.string(),
  title: z.string(),
  outcome: outcomeSchema,
  observed: z.int().nonnegative(),
  violations: z.array(
    z.strictObject({
      what: z.string(),
      expected: z.string().exactOptional(),
      saw: z.record(z.string(), z.string()).exactOptional(),
      pointers: z.array(z.string()),
    }),
  ),
  note: z.string().exactOptional(),
});

export const flakeSchema = z.strictObject({
  check: z.string(),
  outcome: outcomeSchema.describe('in this run'),
  before: outcomeSchema.describe(
    'in the newest stored run of the same plan, by the same programs, that came out otherwise',
  ),
  folder: z.string().describe('of that run, relative to the folder of this one'),
  seed: z.string().describe('of that run'),
});

export const provenanceSchema = z.strictObject({
  version: z.string().describe('of this package'),
  source: z
    .string()
    .exactOptional()
    .describe('SHA-256 over the files of the package that a run depends on, names included'),
  node: z.string(),
  platform: z.string(),
  claude: z.string().describe('where Claude Code was found, or why not'),
  surroundings: z
    .strictObject({
      os: z.string(),
      curl: z.string().nullable().describe('version; null where it was not found'),
      claude: z.string().nullable().describe('version; null where it is not known'),
      libraries: z.record(z.string(), z.string()),
      ...commitSchema.shape,
      argv: z.array(z.string()),
      environment: z
        .record(z.string(), z.string())
        .describe('of a fixed list of variables, those that were set'),
    })
    .exactOptional(),
});

const answerSchema = z.strictObject({
  probe: z.string(),
  report: z.record(z.string(), z.unknown()).nullable().describe('the JSON document of Claude Code'),
  log: z.array(z.unknown()).describe('the lines of the usage log on its exchanges'),
});

export const runRecordSchema = z.strictObject({
  v: z.literal(1),
  run: z.string(),
  suite: z.string(),
  title: z.string(),
  outcome: z.enum(['pass', 'fail', 'inconclusive']),
  ending: z
    .enum(['complete', 'interrupted', 'broken', 'died', 'running'])
    .describe(
      'died: nothing was written at the end; running: it still went on when it was judged, from what had been stored',
    ),
  endingNote: z.string().exactOptional().describe('what interrupted or broke it'),
  exitCode: z.int(),
  startedAt: z.iso.datetime(),
  ms: milliseconds,
  provenance: provenanceSchema,
  plan: planSchema,
  probes: z.array(probeResultSchema),
  night: z
    .strictObject({
      rounds: z.int().describe('that came to their end'),
      interrupted: z.int().default(0).describe('rounds beside them, cut short by an interruption'),
      probes: z.int().describe('judged in all of them'),
      setAside: z
        .int()
        .default(0)
        .describe('probes beside them: under way when the proxy was killed or the run interrupted'),
      exchanges: z.int().describe('that clients had'),
    })
    .exactOptional()
    .describe('of a night, whose probes were judged round by round and are not listed'),
  claims: z
    .array(z.string())
    .default([])
    .describe('what the run entitles one to say; nothing unless it passed'),
  checks: z.array(verdictSchema),
  flaky: z
    .array(flakeSchema)
    .exactOptional()
    .describe('checks that changed their mind; a run with any fails, whatever they say now'),
  answers: z.array(answerSchema).exactOptional(),
});

export type SoakPlan = z.infer<typeof soakSchema>;
export type NightPlan = z.infer<typeof nightSchema>;
export type LimitPlan = z.infer<typeof limitSchema>;
export type Plan = z.infer<typeof planSchema>;
export type PlannedStage = z.infer<typeof stageSchema>;
export type PlannedProbe = z.infer<typeof plannedProbeSchema>;
export type Answer = z.infer<typeof answerSchema>;
export type Flake = z.infer<typeof flakeSchema>;
export type Provenance = z.infer<typeof provenanceSchema>;
export type RunRecord = z.infer<typeof runRecordSchema>;
