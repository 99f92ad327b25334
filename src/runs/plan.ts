/** From a suite and what was asked for to a plan: a value that `--dry-run` prints and `execute` follows. */
import type { Check } from '../analysis/check.ts';
import { OperatorError } from '../errors.ts';
import type { ClaudeLookup } from '../harness/types/client.ts';
import type { WorldPlan } from '../harness/types/world.ts';
import { drivenBy, lanesIn } from './drivers.ts';
import { splitOnly } from './only.ts';
import type { RunOptions } from './run-options.ts';
import type { Plan, PlannedProbe, PlannedStage } from './run-record.ts';
import { BARRED_CLAIM, opensZai, planStages, stageOf, turnedAway } from './stages.ts';
import type { Lane, ProbeSpec, RawProbeSpec, Suite } from './suite.ts';
import { missingWitness } from './witness-needs.ts';

/** All there are for a suite. */
export const LANES = ['anthropic', 'zai'] as const satisfies readonly Lane[];

/**
 * Throws USAGE for a check or probe that the suite does not have or a licence that cannot be chosen, NOT_READY where the
 * real client is demanded and missing, or where no probe is left.
 */
export function makePlan({
  suite,
  checks,
  options,
  claude,
  startedAt,
}: {
  readonly suite: Suite;
  /** All there are. */
  readonly checks: readonly Check[];
  readonly options: RunOptions;
  readonly claude: ClaudeLookup;
  readonly startedAt: Date;
}): Plan {
  if (options.client === 'claude' && !claude.found) {
    throw new OperatorError('NOT_READY', `Claude Code is demanded and was not found: ${claude.reason}`, {
      hint: 'Install it with "npm ci", or leave --client at auto.',
    });
  }
  if (suite.quota !== undefined && suite.driver === undefined && options.upstream === 'real') {
    throw new OperatorError(
      'USAGE',
      `${suite.name} uses a budget up, which real upstreams are too dear for`,
      {
        hint: 'Leave --upstream out. "ccp-uat probe-limits" asks a real one, with care.',
      },
    );
  }
  const stages = planStages(suite, options);
  const staged = suite.stages !== undefined;
  // A budget is used up by all of the probes, or not as planned.
  const lanesAsked = suite.quota === undefined ? options.lanes : LANES;
  const places = stages.map((stage) => ({ stage, staged, upstream: options.upstream }));
  const only = splitOnly(options.only, suite);
  const probes = places
    .flatMap((place) =>
      suite.probes.flatMap((spec) => expand(spec, place).map((probe) => ({ probe, spec: spec.id }))),
    )
    .map(({ probe, spec }) => ({
      probe,
      skip:
        whySkipped(probe, { ...options, lanes: lanesAsked, stages }, claude) ??
        (only.probes.length === 0 || only.probes.includes(spec) || only.probes.includes(probe.id)
          ? null
          : `only ${only.probes.join(' and ')} is asked for`),
    }));
  const wanted = probes.flatMap(({ probe, skip }) => (skip === null ? [probe] : []));
  const skippedProbes = probes.flatMap(({ probe, skip }) =>
    skip === null ? [] : [{ id: probe.id, reason: skip }],
  );
  const driver = suite.driver && drivenBy(suite.driver, { ...options, claude });
  if (wanted.length === 0 && driver === undefined) {
    throw new OperatorError(
      'NOT_READY',
      `No probe of ${suite.name} can be sent: ${skippedProbes[0]?.reason ?? 'it has none'}`,
    );
  }
  const lanes = lanesIn({ waves: [wanted], ...(driver !== undefined && { driver }) });
  const chosen = chooseChecks({ suite, checks, only: only.checks, options, lanes });
  const judgesAll = chosen.length === suite.checks.length && chosen.every(({ skip }) => skip === undefined);
  const sendsAll = only.probes.length === 0 && probes.every(({ probe }) => isAskedFor(probe, lanesAsked));
  const barred = !staged && wanted.some(({ decision }) => decision === 'license_block');
  return {
    run: `${compactUtc(startedAt)}-${suite.name}`,
    suite: suite.name,
    title: suite.title,
    // The claims of a suite rest on its checks together and on all its probes: a run that leaves some out shows none.
    // So does a night that goes on until a round is green: it was red before.
    proves: !(judgesAll && sendsAll) || mayBeRed(driver) ? [] : barred ? [BARRED_CLAIM] : [...suite.proves],
    upstream: options.upstream,
    target: options.target,
    settings: { ...suite.settings },
    ...(suite.quota !== undefined && { quota: { ...suite.quota } }),
    stages,
    seed: options.seed,
    timeoutMs: options.timeoutMs ?? suite.timeoutMs,
    asked: {
      ...(options.client !== 'auto' && { client: options.client }),
      ...(options.timeoutMs !== null && { timeoutMs: options.timeoutMs }),
      ...(options.license !== undefined && { license: options.license }),
      ...(staged && options.login && { login: true }),
      ...(staged && !LANES.every((lane) => options.lanes.includes(lane)) && { lanes: [...options.lanes] }),
      ...(only.probes.length > 0 && { probes: [...only.probes] }),
    },
    waves: stages.flatMap(({ name }) =>
      waves(
        wanted.filter((probe) => stageOf(probe, { stages }) === name),
        suite,
      ),
    ),
    skippedProbes,
    ...(driver !== undefined && { driver }),
    showsAnswers: suite.showsAnswers === true,
    checks: chosen,
    failFast: options.failFast,
    allowInconclusive: options.allowInconclusive,
  };
}

const mayBeRed = (driver: Plan['driver']): boolean =>
  driver?.kind === 'overnight' && driver.until === 'green';

/** The world that a plan is carried out in, but for its folder. */
export function worldPlanOf(plan: Plan): Omit<WorldPlan, 'runDir'> {
  const { seed, target, settings, quota } = plan;
  return {
    seed,
    target,
    settings,
    ...(quota !== undefined && { quota }),
    stage: firstStage(plan),
    // Nobody reads the bodies of a load, and it may be a long one.
    keepBodies: plan.driver?.kind !== 'soak',
    storedLogin: usesStoredLogin(plan),
  };
}

/** Whether some probe is a Claude Code with a stored login. */
export function usesStoredLogin({ waves: planned }: Pick<Plan, 'waves'>): boolean {
  return planned.flat().some(({ login }) => login === 'oauth');
}

/** The stage that a world is opened in. */
export function firstStage({ stages }: Pick<Plan, 'stages'>): PlannedStage {
  const [first] = stages;
  if (first === undefined) throw new RangeError('a plan has at least one stage');
  return first;
}

/** `20261121T064500Z`: sorts by time and is a file name everywhere. */
export function compactUtc(date: Date): string {
  return date.toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '');
}

interface Place {
  readonly stage: PlannedStage;
  /** Whether it is one of several, so that a probe needs a name in each. */
  readonly staged: boolean;
  readonly upstream: Plan['upstream'];
}

function expand(
  { times = 1, stages, ...spec }: ProbeSpec,
  { stage, staged, upstream }: Place,
): PlannedProbe[] {
  if (stages !== undefined && !stages.includes(stage.name)) return [];
  const plain = spec.client === 'claude' ? ({ ...spec, op: 'stream' } as const) : rawProbe(spec, upstream);
  const named = staged ? { ...plain, id: `${stage.name}-${plain.id}`, stage: stage.name } : plain;
  const probe = opensZai(stage.license) ? named : turnedAway(named);
  if (times === 1) return [probe];
  return Array.from({ length: times }, (_, index) => ({ ...probe, id: `${probe.id}-${index + 1}` }));
}

/** Its name without the number that one sent several times has. */
const kindOf = ({ id }: PlannedProbe): string => id.replace(/-\d+$/, '');

function rawProbe({ live, scenario, ...probe }: RawProbeSpec, upstream: Plan['upstream']): PlannedProbe {
  if (upstream === 'real' && live !== undefined) return { ...probe, ...live };
  return { ...probe, ...(scenario !== undefined && { scenario }) };
}

function whySkipped(
  probe: PlannedProbe,
  options: RunOptions & Pick<Plan, 'stages'>,
  claude: ClaudeLookup,
): string | null {
  if (probe.client === 'claude' && options.client === 'curl') return 'only raw probes are asked for';
  if (probe.client === 'curl' && options.client === 'claude') return 'only Claude Code is asked for';
  if (probe.client === 'claude' && !claude.found) return `Claude Code was not found: ${claude.reason}`;
  if (!isAskedFor(probe, options.lanes))
    return `only what is for ${options.lanes.join(' and ')} is asked for`;
  if (probe.scenario === undefined) return null;
  if (options.upstream === 'real') return 'a real upstream plays no scenarios';
  if (options.target.kind === 'url')
    return 'the upstreams of a proxy that already runs are not ours to direct';
  // It would wait there, for a request that the licence keeps away.
  const queuedAtZai = typeof probe.scenario === 'object' && probe.scenario.provider === 'zai';
  if (queuedAtZai && !options.stages.every(({ license }) => opensZai(license)))
    return 'Z.AI is to play its scenario, and without a licence is sent nothing';
  return null;
}

/** By where it goes or, kept from there, was to go: that the licence keeps haiku from Z.AI is what that lane is about, too. */
function isAskedFor({ stage, lane, decision }: PlannedProbe, lanes: readonly Lane[]): boolean {
  if (stage === undefined) return true;
  return lanes.includes(lane) || (decision === 'license_block' && lanes.includes('zai'));
}

/**
 * Raw probes first: they take milliseconds, and their timing is not disturbed by starting clients. A queued
 * scenario applies to whatever comes next, and what a client's leaving causes is timed, so those probes go
 * alone. Then every Claude Code at once.
 */
function waves(
  probes: readonly PlannedProbe[],
  {
    crowded,
    inOrder,
    ofEachAtOnce = Number.POSITIVE_INFINITY,
  }: Pick<Suite, 'crowded' | 'inOrder' | 'ofEachAtOnce'>,
): PlannedProbe[][] {
  if (inOrder === true) return oneByOne(probes);
  const alone = ({ scenario, leaveAfterBytes }: PlannedProbe): boolean =>
    typeof scenario === 'object' || (leaveAfterBytes !== undefined && crowded !== true);
  const together = probes.filter((probe) => !alone(probe));
  return [
    ...inPortions(
      together.filter(({ client }) => client === 'curl'),
      ofEachAtOnce,
    ),
    ...probes.filter(alone).map((probe) => [probe]),
    together.filter(({ client }) => client === 'claude'),
  ].filter((wave) => wave.length > 0);
}

/** The first `most` of each kind, then the next of each. */
function inPortions(probes: readonly PlannedProbe[], most: number): PlannedProbe[][] {
  const kinds = Map.groupBy(probes, kindOf);
  const rank = new Map(
    [...kinds.values()].flatMap((same) => same.map((probe, at) => [probe, Math.floor(at / most)])),
  );
  return [...Map.groupBy(probes, (probe) => rank.get(probe)).values()];
}

/** Those that are to be sent together stand side by side. */
function oneByOne(probes: readonly PlannedProbe[]): PlannedProbe[][] {
  const sent: PlannedProbe[][] = [];
  for (const probe of probes) {
    const last = sent.at(-1);
    if (probe.together === true && last?.[0]?.together === true) last.push(probe);
    else sent.push([probe]);
  }
  return sent;
}

function chooseChecks({
  suite,
  checks,
  only,
  options,
  lanes,
}: {
  readonly suite: Suite;
  readonly checks: readonly Check[];
  readonly only: readonly string[];
  readonly options: RunOptions;
  readonly lanes: ReadonlySet<string>;
}): Plan['checks'] {
  const ids = only.length > 0 ? only : suite.checks;
  return ids.map((id) => {
    const check = checks.find((one) => one.id === id);
    if (check === undefined)
      throw new Error(`suite ${suite.name} names the check ${id}, which does not exist`);
    const skip = missingWitness(check, { ...options, lanes });
    return { id, title: check.title, ...(skip !== null && { skip }) };
  });
}
