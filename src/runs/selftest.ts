/**
 * Proof that the checks can fail: suites once as they are, then once per saboteur, each of which breaks one thing that
 * the checks it names must notice. A saboteur that one of them overlooks has survived, and the harness has a hole. One
 * that only alters records needs no run of its own: the run that nobody broke is told again, with its alterations.
 */
import type { Verdict } from '../analysis/check.ts';
import type { Saboteur } from '../harness/types/saboteur.ts';
import { inTurns } from '../platform/in-turns.ts';
import { selftestReportsOf } from './report/selftest-reports.ts';
import { brief, controlProbes, isPlain, needsNoRun, rawProbes, sabotaged, touches } from './sabotage.ts';
import { type RedControl, type SabotageResult, SELFTEST, type SelftestResult } from './selftest-record.ts';
import { type Judged, runOnce, type Surroundings } from './selftest-run.ts';
import { isProof, isRed, noticedBy } from './selftest-verdicts.ts';
import type { Suite } from './suite.ts';

export type { SabotageResult, SelftestResult } from './selftest-record.ts';

export interface SelftestOptions extends Surroundings {
  /** Its raw probes are sent; Claude Code would only make it slow, and is run where a saboteur shows with it alone. */
  readonly suite: Suite;
  /** Those that some saboteurs name in its stead. */
  readonly others: readonly Suite[];
  readonly saboteurs: readonly Saboteur[];
  /** Every saboteur in every suite that it touches. */
  readonly full: boolean;
  /** Absolute; new or empty. The control run of `suite` is kept there, with the matrix beside it. */
  readonly folder: string;
  readonly onResult: (result: SabotageResult) => void;
}

/** Each run has a world and processes of its own; more at once would only wait for each other. */
const AT_ONCE = 2;

/** Rejects with the signal's reason where it is interrupted. */
export async function selftest(options: SelftestOptions): Promise<SelftestResult> {
  const { seed, full, clock, provenance, folder, saboteurs } = options;
  const startedAt = clock.now();
  const [own, ...others] = placesOf(options);
  const controls = await inTurns([own, ...others], AT_ONCE, async (place) => ({
    place,
    control: await runOnce(
      place.control,
      { retell: place.saboteurs.filter(needsNoRun), ...(place === own && { keepIn: folder }) },
      options,
    ),
  }));
  const trials = controls.flatMap(({ place, control }) => trialsIn(place, control, options));
  const results = await inTurns(trials, AT_ONCE, async (trial) => {
    const result = await carryOut(trial, options);
    options.onResult(result);
    return { result, at: saboteurs.indexOf(trial.saboteur) };
  });
  const matrix = results.toSorted((a, b) => a.at - b.at).map(({ result }) => result);
  const control = controls.flatMap(({ place, control: { verdicts } }) => redOf(place.suite, verdicts));
  const selftestResult: SelftestResult = {
    v: 1,
    seed,
    full,
    ok: isProof({ control, saboteurs: matrix }),
    startedAt: new Date(startedAt).toISOString(),
    ms: clock.now() - startedAt,
    provenance,
    controls: controls.map(({ place }) => place.suite.name),
    control,
    saboteurs: matrix,
  };
  await store(selftestResult, controls[0]?.control.kept);
  return selftestResult;
}

/** Beside the control run, whose other reports are those of any run. */
async function store(result: SelftestResult, kept: Judged['kept']): Promise<void> {
  if (kept === undefined) return;
  const { folder, record, stored } = kept;
  await folder.write('selftest.json', `${JSON.stringify(result, null, 2)}\n`);
  for (const [name, text] of selftestReportsOf({ record, stored }, result)) await folder.write(name, text);
}

/** A suite, and who is tried in it. */
interface Place {
  readonly suite: Suite;
  /** The suite as nobody breaks it: a check that is red as such would kill every saboteur. */
  readonly control: Suite;
  readonly saboteurs: readonly Saboteur[];
}

/** That of the suite which every saboteur is tried in that names no other comes first, and is there in any case. */
function placesOf({ suite, others, saboteurs, full }: SelftestOptions): [Place, ...Place[]] {
  const own = { ...brief(suite), probes: rawProbes(suite) };
  const within = (one: Suite): readonly Saboteur[] =>
    full
      ? saboteurs.filter((saboteur) => touches(saboteur, one))
      : saboteurs.filter(({ during }) => (during?.suite ?? suite.name) === one.name);
  const control = { ...withClaude(own, saboteurs), ...UNDER_ITS_OWN_NAME };
  const first = { suite: own, control, saboteurs: within(own) };
  const rest = others
    .filter(({ name }) => name !== suite.name)
    .map(brief)
    .map((one) => ({
      suite: one,
      control: full && isPlain(one) ? withClaude(one, saboteurs) : one,
      saboteurs: within(one),
    }));
  return [first, ...rest.filter((place) => place.saboteurs.length > 0)];
}

/** What is stored of it must not be taken for the newest run of the suite. */
const UNDER_ITS_OWN_NAME = {
  name: SELFTEST,
  title: 'The run of a self-test that nobody broke',
  proves: ['Where nobody broke anything, every check that had evidence was satisfied.'],
};

const withClaude = (suite: Suite, saboteurs: readonly Saboteur[]): Suite => ({
  ...suite,
  probes: [...suite.probes, ...controlProbes(saboteurs)],
});

interface Trial {
  readonly saboteur: Saboteur;
  readonly suite: Suite;
  readonly expected: readonly string[];
  /** Where the control run was told again, how that was judged. */
  readonly verdicts?: readonly Verdict[];
}

function trialsIn({ suite, saboteurs }: Place, control: Judged, { full }: SelftestOptions): Trial[] {
  const passed = new Set(control.verdicts.flatMap(({ id, outcome }) => (outcome === 'pass' ? [id] : [])));
  return saboteurs.flatMap((saboteur) => {
    const { caughtBy } = saboteur;
    if (!full) {
      const verdicts = needsNoRun(saboteur) ? (control.retold.get(saboteur) ?? control.verdicts) : undefined;
      return [{ saboteur, suite, expected: caughtBy, ...(verdicts !== undefined && { verdicts }) }];
    }
    // A suite that does not have the check, or no evidence for it, is not where this one is to be caught.
    const expected = caughtBy.filter((id) => passed.has(id) || saboteur.during !== undefined);
    if (expected.length === 0) return [];
    if (!needsNoRun(saboteur)) return [{ saboteur, suite, expected }];
    const verdicts = control.retold.get(saboteur);
    return verdicts === undefined ? [] : [{ saboteur, suite, expected, verdicts }];
  });
}

async function carryOut(trial: Trial, options: SelftestOptions): Promise<SabotageResult> {
  const { saboteur, suite } = trial;
  const { claude } = options;
  if (trial.verdicts !== undefined) return resultOf(trial, trial.verdicts);
  if (saboteur.claude !== undefined && !claude.found)
    return { ...resultOf(trial, []), skipped: `Claude Code was not found: ${claude.reason}` };
  try {
    const { verdicts } = await runOnce(sabotaged(saboteur, suite), { saboteur }, options);
    return resultOf(trial, verdicts);
  } catch (error) {
    options.signal.throwIfAborted();
    // Hours of other trials are not lost for it, and it is not killed.
    return { ...resultOf(trial, []), broke: error instanceof Error ? error.message : String(error) };
  }
}

function resultOf({ saboteur, suite, expected }: Trial, verdicts: readonly Verdict[]): SabotageResult {
  const outcomes = Object.fromEntries(verdicts.map(({ id, outcome }) => [id, outcome]));
  const killedBy = noticedBy({ expected: [...expected], outcomes });
  return {
    name: saboteur.name,
    breaks: saboteur.breaks,
    suite: suite.name,
    expected: [...expected],
    killedBy,
    killed: killedBy.length === expected.length,
    outcomes,
  };
}

const redOf = ({ name }: Suite, verdicts: readonly Verdict[]): RedControl[] =>
  verdicts.filter(isRed).map(({ id, outcome, violations, note }) => ({
    suite: name,
    id,
    outcome,
    what: [...violations.map(({ what }) => what), ...(note === undefined ? [] : [note])],
  }));
