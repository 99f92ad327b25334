/** Where a saboteur is tried: which suite, cut down to what shows what it does, with what probe added. Values only. */
import type { Check } from '../../analysis/check.ts';
import type { Saboteur } from '../../harness/types/saboteur.ts';
import type { ClaudeProbeSpec, Lane, ProbeSpec, Suite } from '../suite.ts';

/** Whether all that it does is to alter what is told or stored, of exchanges that a control run has anyway. */
export const needsNoRun = ({ faults, scenario, claude, during }: Saboteur): boolean =>
  faults.every(({ layer }) => layer === 'records' || layer === 'stored') &&
  scenario === undefined &&
  claude === undefined &&
  // A night is not kept to be told again.
  during?.suite !== 'overnight';

/** Whether it is after what lies in the run's folder, once that is stored. */
export const spoilsStored = ({ faults }: Saboteur): boolean => faults.some(({ layer }) => layer === 'stored');

/** Whether what it does shows in what the commands of the target do and say, or the suite is carried out with them. They are three processes a run, which take as long as all the rest of it. */
export function needsCommands(
  { caughtBy, blinds = [] }: Pick<Saboteur, 'caughtBy' | 'blinds'>,
  { driver, stages = [] }: Pick<Suite, 'driver' | 'stages'>,
  checks: readonly Pick<Check, 'id' | 'needs'>[],
): boolean {
  const mustNotice = new Set([...caughtBy, ...blinds]);
  return (
    driver !== undefined ||
    stages.some(({ by }) => by === 'command') ||
    checks.some(({ id, needs }) => needs?.includes('commands') === true && mustNotice.has(id))
  );
}

/** Whether some of its checks measure time, which other runs beside it would take from it. */
export const measuresTime = ({ checks }: Pick<Suite, 'checks'>): boolean =>
  checks.some((id) => ['ABORT-01', 'STREAM-03', 'NIGHT-06'].includes(id));

export const rawProbes = ({ probes }: Suite): ProbeSpec[] => probes.filter(({ client }) => client === 'curl');

/**
 * As much of a suite as shows what a saboteur does: raw probes where it has any, no crowd, no stream of ten seconds, one
 * short round of a soak, a small window.
 */
export function brief(suite: Suite): Suite {
  const { driver } = suite;
  const raw = rawProbes(suite);
  return {
    ...suite,
    probes: (raw.length > 0 ? raw : suite.probes).map(briefProbe),
    ...(driver?.kind === 'soak' && { driver: { ...driver, rounds: 1, roundMs: 1_500 } }),
    ...(driver?.kind === 'overnight' && { driver: briefNight(driver) }),
    ...(driver?.kind === 'limits' && { driver: { ...driver, mockWindow: 3, maxRequests: 6 } }),
  };
}

/** Two settings, answers enough to compare the end with the beginning, and time enough for something that grows to show. */
const BRIEF_NIGHT = { maxRounds: 4, perRound: 32, roundMs: 1_500, pauseMs: 0, chaos: false } as const;

type NightDriver = Extract<NonNullable<Suite['driver']>, { kind: 'overnight' }>;

/** Beside other runs its streams keep no pace, which is what a run of their own shows. */
const briefNight = (driver: NightDriver): NightDriver => ({
  ...driver,
  // What does not change its settings has a few rounds of a few requests anyway: raw ones take no time.
  ...(driver.toggles ? BRIEF_NIGHT : { clients: 'raw' }),
  roundChecks: driver.roundChecks.filter((id) => id !== 'STREAM-03'),
});

/** A crowd is as many as shows that there are several. */
const CROWD = 4;

function briefProbe<Probe extends ProbeSpec>(probe: Probe): Probe {
  return {
    ...probe,
    ...(probe.times !== undefined && { times: Math.min(probe.times, CROWD) }),
    ...(probe.scenario === 'long-paced' && { scenario: 'paced' }),
  };
}

/** The suite that a saboteur is tried in, with what it needs to show. */
export function sabotaged(saboteur: Saboteur, suite: Suite): Suite {
  const { during } = saboteur;
  const { driver } = suite;
  if (during === undefined)
    return { ...openStage(suite), probes: [...staying(suite), ...extraProbe(saboteur)] };
  if (driver?.kind === 'overnight' && during.rounds !== undefined)
    return { ...suite, driver: { ...driver, maxRounds: during.rounds } };
  if (suite.stages === undefined) return suite;
  return { ...suite, stages: suite.stages.filter(({ name }) => during.stages.includes(name)) };
}

/**
 * Without those that leave: they are sent alone, one after the other, and show how leaving ends. A saboteur of that brings one
 * of its own.
 */
function staying({ probes }: Suite): readonly ProbeSpec[] {
  const stay = probes.filter((probe) => !('leaveAfterBytes' in probe));
  return stay.length === 0 ? probes : stay;
}

/** What needs no other stage is tried in one that opens both lanes: restarts take their time. */
function openStage(suite: Suite): Suite {
  const stage = suite.stages?.find(({ license }) => license === 'trial');
  if (stage === undefined) return suite;
  // The first stage finds its licence where it starts.
  const { by: _, ...first } = stage;
  return { ...suite, stages: [first] };
}

/**
 * Whether a saboteur has anything to break in a suite. One that only alters records has, where that makes a difference,
 * which shows when it is tried.
 */
export function touches(saboteur: Saboteur, suite: Suite): boolean {
  const { during, faults } = saboteur;
  if (during !== undefined) return during.suite === suite.name;
  // Cut down, it is the suite that it repeats.
  if (suite.ofEachAtOnce !== undefined) return false;
  if (needsNoRun(saboteur)) return true;
  // Where something else than a list of probes sends, there is nothing that a fault could be aimed at.
  if (suite.driver !== undefined) return false;
  const added = extraProbe(saboteur);
  if (added.length > 0 && !isPlain(suite)) return false;
  const probes = sentIn(openStage(suite));
  if (faults.some(({ layer }) => layer === 'probes') && !probes.some(({ client }) => client === 'curl'))
    return false;
  const lanes = new Set<Lane>([...probes, ...added].map(({ lane }) => lane));
  return lanesAimedAt(saboteur).every((lane) => lanes.has(lane));
}

/** Elsewhere one probe more would use up the budget, be sent where a stage bars it, or have less time than it needs. */
export const isPlain = ({ driver, quota, stages, settings }: Suite): boolean =>
  driver === undefined && quota === undefined && stages === undefined && Object.keys(settings).length === 0;

/** Those that a run without budgets, restarts and kills can have evidence for: those of the suites that are just that. */
export function checksOfPlain(checks: readonly Pick<Check, 'id'>[], suites: readonly Suite[]): string[] {
  const judged = new Set(suites.filter(isPlain).flatMap((suite) => suite.checks));
  return checks.map(({ id }) => id).filter((id) => judged.has(id));
}

const sentIn = ({ probes, stages: [stage] = [] }: Suite): readonly ProbeSpec[] =>
  probes.filter(({ stages }) => stage === undefined || stages === undefined || stages.includes(stage.name));

const LANE_OF = { anth: 'anthropic', zai: 'zai' } as const satisfies Record<string, Lane>;

function lanesAimedAt({ faults, lane }: Saboteur): Lane[] {
  const upstreams = faults.flatMap((fault) => (fault.layer === 'upstream' ? [LANE_OF[fault.provider]] : []));
  return lane === undefined ? upstreams : [...upstreams, lane];
}

/** What a saboteur needs to show, where the suite does not send it anyway. */
export function extraProbe({ name: saboteur, ...needs }: Saboteur): ProbeSpec[] {
  if (needs.claude !== undefined) return [claudeProbe(needs.claude)];
  if (needs.scenario === undefined) return [];
  const { provider, name, fallsBack } = needs.scenario;
  const model = provider === 'anth' ? 'claude-sonnet-5' : 'claude-haiku-4-5-20251001';
  const probe = { client: 'curl', id: `for-${saboteur}`, model, op: 'stream' } as const;
  // What it comes to is for the checks that the saboteur names.
  if (fallsBack === true)
    return [{ ...probe, lane: 'anthropic', scenario: { provider, name }, mayFail: true }];
  const played = { ...probe, lane: LANE_OF[provider], scenario: name, mayFail: true } as const;
  return [needs.clientLeaves === true ? { ...played, leaveAfterBytes: LEAVE_AFTER_BYTES } : played];
}

/** A control runs each kind of Claude Code that a saboteur needs. */
export function controlProbes(saboteurs: readonly Saboteur[]): ClaudeProbeSpec[] {
  const logins = new Set(saboteurs.flatMap(({ claude }) => claude ?? []));
  return [...logins].map(claudeProbe);
}

const claudeProbe = (login: NonNullable<Saboteur['claude']>): ClaudeProbeSpec => ({
  client: 'claude',
  id: `claude-${login}`,
  model: 'sonnet',
  lane: 'anthropic',
  login,
  // Time enough for what it does beside the answer: once it has that, it ends.
  scenario: 'paced',
});

/** Past the first event of any answer, and far from the end of a paced one. */
const LEAVE_AFTER_BYTES = 600;
