/**
 * Proof that the checks can fail: suites once as they are, then once per saboteur, each of which breaks one thing that
 * the checks it names must notice. A saboteur that one of them overlooks has survived, and the harness has a hole. One
 * that only alters records needs no run of its own: the run that nobody broke is told again, with its alterations.
 */
import path from 'node:path';
import type { Verdict } from '../../analysis/check.ts';
import type { Saboteur } from '../../harness/types/saboteur.ts';
import { inTurns } from '../../platform/in-turns.ts';
import { recordOf } from '../judge.ts';
import { MATRIX_PAGE, selftestReportsOf } from '../report/selftest-reports.ts';
import type { RunRecord } from '../run-record.ts';
import { createRunFolder, type RunFolder } from '../stored/run-folder.ts';
import { markUnderWay } from '../stored/under-way.ts';
import type { Suite } from '../suite.ts';
import {
  brief,
  controlProbes,
  isPlain,
  measuresTime,
  needsNoRun,
  rawProbes,
  sabotaged,
  touches,
} from './sabotage.ts';
import { type RedControl, type SabotageResult, SELFTEST, type SelftestResult } from './selftest-record.ts';
import { type Judged, keepRun, runOnce, type Surroundings } from './selftest-run.ts';
import { isProof, isRed, noticedBy } from './selftest-verdicts.ts';
import { MATRIX } from './stored-matrix.ts';

export type { SabotageResult, SelftestResult } from './selftest-record.ts';

export interface SelftestOptions extends Surroundings {
  /** Its raw probes are sent; Claude Code would only make it slow, and is run where a saboteur shows with it alone. */
  readonly suite: Suite;
  /** Those that some saboteurs name in its stead. */
  readonly others: readonly Suite[];
  readonly saboteurs: readonly Saboteur[];
  /** The names of all there are. */
  readonly known: readonly string[];
  /** Absolute; new or empty. The control run of `suite` is kept there, with the matrix beside it. */
  readonly folder: string;
  /** Absolute. Where what the saboteurs broke is kept, each run in a folder of its own below that of its suite; by default none is. */
  readonly keep?: string | undefined;
  readonly onResult: (result: SabotageResult) => void;
}

export interface FinishedSelftest {
  readonly result: SelftestResult;
  /** Of the control run, with what became of the saboteurs as a check of its own. */
  readonly record: RunRecord;
}

/** Each run has a world and processes of its own, and spends half of its time waiting for what is paced. */
const AT_ONCE = 3;

/** Where it is interrupted, that is what it says, with a row of each trial that had ended by then. */
export async function selftest(options: SelftestOptions): Promise<FinishedSelftest> {
  const { seed, asked, clock, provenance, saboteurs, known, signal } = options;
  const startedAt = clock.now();
  const folder = await createRunFolder(options.folder);
  await using _ = await markUnderWay(folder.path);
  const places = placesOf(options, folder);
  const [own, ...others] = places;
  // From here on there is something to keep of it.
  signal.throwIfAborted();
  const controlOf = createControls(options);
  const unless = <T>(work: Promise<T>): Promise<T | null> => unlessAborted(work, signal);
  // By themselves. What a saboteur does to a check that measures time is more than company does.
  for (const place of places.filter((one) => one === own || measuresTime(one.suite)))
    await unless(controlOf(place));
  const report = (result: SabotageResult): SabotageResult => {
    options.onResult(result);
    return result;
  };
  // What takes longest begins first.
  const jobs = [
    ...others.map((place) => async () => {
      await unless(controlOf(place));
      return [];
    }),
    ...[...others, own].flatMap((place) =>
      place.saboteurs.map((saboteur) => async () => {
        const result = await unless(tryOut(saboteur, place, { controlOf, options }));
        return result === null ? [] : [report(result)];
      }),
    ),
  ];
  const goOn = (): boolean => !signal.aborted;
  const results = (await inTurns(jobs, AT_ONCE, (job) => job(), goOn)).flat();
  const interrupted = signal.aborted ? sentence(signal.reason) : null;
  // What it did not come to is no fault of the suites.
  const left =
    interrupted === null ? saboteurs.filter(({ name }) => !results.some((one) => one.name === name)) : [];
  const matrix = [...results, ...left.map((one) => report(untried(one, options)))];
  const { kept, verdicts } =
    interrupted === null ? await controlOf(own) : await endEarly(folder, interrupted, options);
  const judged = await Promise.all(
    others.map(async (place) => {
      const run = await unless(controlOf(place));
      return run === null ? [] : [{ suite: place.suite, verdicts: run.verdicts }];
    }),
  );
  const controls = [{ suite: own.suite, verdicts }, ...judged.flat()];
  const control = controls.flatMap((one) => redOf(one.suite, one.verdicts));
  const selftestResult: SelftestResult = {
    v: 1,
    seed,
    full: asked.full,
    ok: interrupted === null && isProof({ control, saboteurs: matrix }),
    startedAt: new Date(startedAt).toISOString(),
    ms: clock.now() - startedAt,
    provenance,
    known: [...known],
    ...(interrupted !== null && { interrupted }),
    controls: controls.map(({ suite }) => suite.name),
    control,
    saboteurs: inOrderOf(saboteurs, matrix),
  };
  return { result: selftestResult, record: await store(selftestResult, kept, options) };
}

/** Null where it was given up because somebody wants an end. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (!signal.aborted) throw error;
    return null;
  }
}

const sentence = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason));

/** The run that nobody broke may have come to its end; what it is the beginning of has not, and that run says so. */
async function endEarly(folder: RunFolder, note: string, { clock, checks }: SelftestOptions) {
  folder.append({ type: 'interrupted', at: clock.now(), note });
  const kept = await keepRun(folder, checks);
  return { kept, verdicts: kept.record.checks };
}

function inOrderOf(saboteurs: readonly Saboteur[], results: readonly SabotageResult[]): SabotageResult[] {
  const names = saboteurs.map(({ name }) => name);
  return results.toSorted((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
}

/**
 * In the folder of the control run, whose record it is a verdict in. After the reports the matrix, without which the self-test
 * has died; then the page of it: one without a matrix would be damage.
 */
async function store(
  matrix: SelftestResult,
  kept: Judged['kept'],
  { checks }: SelftestOptions,
): Promise<RunRecord> {
  if (kept === undefined) throw new Error('the control run of a self-test is kept');
  const { folder } = kept;
  const stored = { ...kept.stored, matrix };
  const record = recordOf(stored, checks);
  const reports = selftestReportsOf({ record, stored }, matrix);
  const isPage = ([name]: (typeof reports)[number]): boolean => name === MATRIX_PAGE;
  const own = [MATRIX, `${JSON.stringify(matrix, null, 2)}\n`] as const;
  const inOrder = [...reports.filter((one) => !isPage(one)), own, ...reports.filter(isPage)];
  for (const [name, text] of inOrder) await folder.write(name, text);
  return record;
}

/** A suite, and who is tried in it. */
interface Place {
  readonly suite: Suite;
  /** The suite as nobody breaks it: a check that is red as such would kill every saboteur. */
  readonly control: Suite;
  readonly saboteurs: readonly Saboteur[];
  /** Where its control run is kept. */
  readonly keepIn?: RunFolder;
}

/** That of the suite which every saboteur is tried in that names no other comes first, and is there in any case. */
function placesOf(
  { suite, others, saboteurs, asked: { full } }: SelftestOptions,
  folder: RunFolder,
): [Place, ...Place[]] {
  const own = { ...brief(suite), probes: rawProbes(suite) };
  const within = (one: Suite): readonly Saboteur[] =>
    full
      ? saboteurs.filter((saboteur) => touches(saboteur, one))
      : saboteurs.filter((saboteur) => homeOf(saboteur, suite) === one.name);
  const control = { ...withClaude(own, saboteurs), ...UNDER_ITS_OWN_NAME };
  const first = { suite: own, control, saboteurs: within(own), keepIn: folder };
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

/** The suite in which it shows soonest. */
const homeOf = ({ during }: Saboteur, suite: Suite): string => during?.suite ?? suite.name;

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

type ControlOf = (place: Place) => Promise<Judged>;

/** The runs that nobody breaks: each is made once, when somebody asks for it first. */
function createControls(options: SelftestOptions): ControlOf {
  const begun = new Map<Place, Promise<Judged>>();
  return (place) => {
    const { control, saboteurs, suite, keepIn } = place;
    const retell = saboteurs
      .filter(needsNoRun)
      .map((saboteur) => ({ saboteur, suite, keepIn: placeOf(saboteur, suite, options) }));
    const judged = begun.get(place) ?? runOnce(control, { retell, keepIn }, options);
    begun.set(place, judged);
    return judged;
  };
}

/** Where what a saboteur does is kept. */
const placeOf = ({ name }: Saboteur, suite: Suite, { keep }: SelftestOptions): string | undefined =>
  keep === undefined ? undefined : path.join(keep, suite.name, name);

/** Null where the suite has nothing by which it could be noticed. */
async function tryOut(
  saboteur: Saboteur,
  place: Place,
  { controlOf, options }: { readonly controlOf: ControlOf; readonly options: SelftestOptions },
): Promise<SabotageResult | null> {
  const { suite } = place;
  const { claude, asked, folder } = options;
  const needs = expectedOf(saboteur);
  // A suite that does not have the check, or no evidence for it, is not where this one is to be caught.
  const expected =
    asked.full && saboteur.during === undefined ? those(needs, passedIn(await controlOf(place))) : needs;
  if (Object.keys(expected).length === 0) return null;
  const trial = { saboteur, suite, expected };
  const keepIn = placeOf(saboteur, suite, options);
  const kept = keepIn === undefined ? {} : { kept: path.relative(folder, keepIn) };
  if (needsNoRun(saboteur)) {
    const { retold, verdicts } = await controlOf(place);
    const told = retold.get(saboteur);
    // Where it has changed nothing, it has either no place in this suite or no effect at all.
    if (told === undefined) return asked.full ? null : resultOf(trial, verdicts);
    return { ...resultOf(trial, told), ...kept };
  }
  if (saboteur.claude !== undefined && !claude.found)
    return { ...resultOf(trial, []), skipped: `Claude Code was not found: ${claude.reason}` };
  try {
    const { verdicts } = await runOnce(sabotaged(saboteur, suite), { saboteur, keepIn }, options);
    return { ...resultOf(trial, verdicts), ...kept };
  } catch (error) {
    options.signal.throwIfAborted();
    // Hours of other trials are not lost for it, and it is not killed.
    return { ...resultOf(trial, []), ...kept, broke: error instanceof Error ? error.message : String(error) };
  }
}

/** One that no suite can show proves nothing, and is not passed over. */
function untried(saboteur: Saboteur, { suite }: SelftestOptions): SabotageResult {
  const name = homeOf(saboteur, suite);
  const why = 'no suite has evidence of what it breaks for a check that must notice';
  const trial = { saboteur, suite: { name }, expected: expectedOf(saboteur) };
  return { ...resultOf(trial, []), untried: why };
}

type Expected = SabotageResult['expected'];

const expectedOf = ({ caughtBy, blinds = [] }: Saboteur): Expected =>
  Object.fromEntries([
    ...caughtBy.map((id) => [id, 'fail'] as const),
    ...blinds.map((id) => [id, 'inconclusive'] as const),
  ]);

const those = (expected: Expected, ids: ReadonlySet<string>): Expected =>
  Object.fromEntries(Object.entries(expected).filter(([id]) => ids.has(id)));

const passedIn = ({ verdicts }: Judged): ReadonlySet<string> =>
  new Set(verdicts.flatMap(({ id, outcome }) => (outcome === 'pass' ? [id] : [])));

/** Each check must come out just as expected: one that merely lost its evidence has noticed nothing. */
function resultOf(
  {
    saboteur: { name, breaks },
    suite,
    expected,
  }: { readonly saboteur: Saboteur; readonly suite: Pick<Suite, 'name'>; readonly expected: Expected },
  verdicts: readonly Verdict[],
): SabotageResult {
  const outcomes = Object.fromEntries(verdicts.map(({ id, outcome }) => [id, outcome]));
  const killedBy = noticedBy({ expected, outcomes });
  return {
    name,
    breaks,
    suite: suite.name,
    expected,
    killedBy,
    killed: killedBy.length === Object.keys(expected).length,
    outcomes,
  };
}

const redOf = ({ name }: Suite, verdicts: readonly (Verdict | RunRecord['checks'][number])[]): RedControl[] =>
  verdicts.filter(isRed).map(({ id, outcome, violations, note }) => ({
    suite: name,
    id,
    outcome,
    what: [...violations.map(({ what }) => what), ...(note === undefined ? [] : [note])],
  }));
