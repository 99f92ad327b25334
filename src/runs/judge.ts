/** From a stored run to verdicts and one outcome. Pure: the same stored run, the same answer. */
import type { Check, Outcome, Verdict, Violation } from '../analysis/check.ts';
import type { Night } from '../analysis/evidence.ts';
import { accountOf } from '../analysis/exchanges.ts';
import { judgeAll } from '../analysis/judge.ts';
import { countRounds, standingRounds } from '../analysis/night-rounds.ts';
import { plural } from '../analysis/plural.ts';
import { WHOLE_RUN } from '../analysis/whole-run.ts';
import { EXIT } from '../errors.ts';
import { claimsOf } from './claims.ts';
import { endingWords } from './ending-words.ts';
import { endedAsPlanned, fateOf } from './probe-ending.ts';
import type { Answer, Plan, RunRecord } from './run-record.ts';
import { judgeSelftest } from './selftest/judge-selftest.ts';
import type { StoredRun } from './stored/stored-run.ts';
import { withFoundedSkips } from './witness-needs.ts';

/** Judges by today's form of the checks that the plan names, after the run's own completeness. */
export function judgeRun(stored: StoredRun, checks: readonly Check[]): Verdict[] {
  return [
    judgeCompleteness(stored),
    ...stored.plan.checks.flatMap((planned) => judgePlanned(planned, stored, checks)),
    ...(stored.matrix === null ? [] : [judgeSelftest(stored.matrix)]),
  ];
}

function judgePlanned(
  planned: Plan['checks'][number],
  { evidence, unjudged }: StoredRun,
  checks: readonly Check[],
): Verdict[] {
  const { id, title } = planned;
  const skip = unjudged.get(id) ?? planned.skip;
  const check = checks.find((one) => one.id === id);
  if (check !== undefined && skip === undefined) return judgeAll([check], evidence);
  const nothing = { id, title, observed: 0, violations: [] };
  // What the run was to show is not shown any more: that may not pass for a choice of the plan.
  return skip === undefined
    ? [{ ...nothing, outcome: 'invalid', note: 'this check is no longer there' }]
    : [{ ...nothing, outcome: 'skipped', note: skip }];
}

function judgeCompleteness({
  plan,
  probes,
  lost,
  setAside,
  evidence,
  ending,
  endingNote,
}: StoredRun): Verdict {
  const rounds = evidence.night?.rounds ?? [];
  const planned = plan.waves.flat();
  const seen = new Set([...[...probes, ...lost].map(({ id }) => id), ...setAside]);
  const unsent = planned.filter(({ id }) => !seen.has(id));
  const failed = probes.filter((probe) =>
    planned.some((one) => one.id === probe.id && !endedAsPlanned(one, probe)),
  );
  const violations = [
    ...lost.map(({ id, problem }) => ({
      what: `${id}: ${problem}`,
      pointers: ['events.jsonl', `probe:${id}`],
    })),
    ...unsent.map(({ id }) => ({ what: `${id}: was never sent`, pointers: ['events.jsonl', `probe:${id}`] })),
    ...failed.map((probe) => ({
      what: `${probe.id}: ${fateOf(probe, plan)}, where an answer was to come`,
      ...(probe.text !== '' && { saw: { client: beginning(probe.text) } }),
      pointers: ['events.jsonl', `probe:${probe.id}`],
    })),
    ...(ending === 'complete'
      ? []
      : [
          {
            what: `the run ${endingWords(ending)}: ${endingNote ?? 'no more is known'}`,
            pointers: ['events.jsonl'],
          },
        ]),
    ...redRounds(evidence.night),
  ];
  const inRounds = setAsideIn(rounds);
  const notes = [
    ...plan.skippedProbes.map(({ id, reason }) => `${id} was not sent: ${reason}`),
    ...(setAside.length === 0 ? [] : [`${SET_ASIDE}: ${setAside.join(', ')}`]),
    ...(inRounds === 0 ? [] : [`${SET_ASIDE}: ${plural(inRounds, 'probe')}`]),
  ];
  return {
    ...WHOLE_RUN,
    outcome: violations.length > 0 ? 'fail' : 'pass',
    observed: probes.length + probesOf(rounds),
    violations,
    ...(notes.length > 0 && { note: notes.join('; ') }),
  };
}

/** Where the probes of a round were not sent, or did not end as planned: the night knows it by that round's verdict. */
const redRounds = (night: Night | undefined): Violation[] =>
  (night === undefined ? [] : standingRounds(night)).flatMap(({ round, verdict, kept }) =>
    verdict.red
      .filter(({ id }) => id === WHOLE_RUN.id)
      .map(({ what }) => ({ what: `round ${round}: ${what}`, pointers: [kept ?? 'events.jsonl'] })),
  );

const SET_ASIDE = 'set aside, as under way when the proxy was killed or the run interrupted';

type Rounds = Night['rounds'];

/** How many probes the rounds of a night have judged; it has none beside them. */
const probesOf = (rounds: Rounds): number =>
  rounds.reduce((sum, { sent, setAside }) => sum + sent - setAside, 0);

const setAsideIn = (rounds: Rounds): number => rounds.reduce((sum, { setAside }) => sum + setAside, 0);

/** Of what a client was told, as much as a person reads in a verdict. */
const beginning = (text: string): string => (text.length > 160 ? `${text.slice(0, 160)}…` : text);

/** A run in which no check was judged has proven nothing: it fails. What nobody saw is no pass, whatever is allowed of it. */
export function outcomeOf(verdicts: readonly Verdict[]): RunRecord['outcome'] {
  const has = (...outcomes: Outcome[]): boolean => verdicts.some(({ outcome }) => outcomes.includes(outcome));
  if (has('fail') || judgedIn(verdicts).length === 0) return 'fail';
  return has('inconclusive', 'invalid') ? 'inconclusive' : 'pass';
}

const judgedIn = (verdicts: readonly Verdict[]): Verdict[] =>
  verdicts.filter(({ id, outcome }) => id !== WHOLE_RUN.id && outcome !== 'skipped');

/** The record of a stored run, judged now, whatever its plan says it need not be judged by. `brokenBy`: the exit code of what broke it, where something did. */
export function recordOf(stored: StoredRun, checks: readonly Check[], brokenBy?: number): RunRecord {
  const { plan, provenance, evidence, probes, ending, endingNote, flaky, startedAt, ms } = stored;
  const verdicts = judgeRun({ ...stored, plan: { ...plan, checks: withFoundedSkips(plan, checks) } }, checks);
  // What it says now is chance, so it may not make the run green.
  const outcome = flaky.length > 0 ? 'fail' : outcomeOf(verdicts);
  const isTolerated = plan.allowInconclusive && judgedIn(verdicts).some((one) => one.outcome === 'pass');
  return {
    v: 1,
    run: plan.run,
    suite: plan.suite,
    title: plan.title,
    outcome,
    ending,
    ...(endingNote !== undefined && { endingNote }),
    exitCode: exitCodeOf({ outcome, ending }, { brokenBy, isTolerated }),
    startedAt: new Date(startedAt).toISOString(),
    ms,
    provenance,
    plan,
    probes: [...probes],
    ...(evidence.night !== undefined && { night: sumOf(evidence.night) }),
    claims: claimsOf(stored, outcome),
    checks: verdicts.map(toRecord),
    ...(flaky.length > 0 && { flaky: [...flaky] }),
    ...(plan.showsAnswers && { answers: answersOf(stored) }),
  };
}

const sumOf = ({ rounds }: Night): RunRecord['night'] & {} => ({
  ...countRounds(rounds),
  probes: probesOf(rounds),
  setAside: setAsideIn(rounds),
  exchanges: rounds.reduce((sum, { witnesses }) => sum + witnesses.client, 0),
});

function answersOf({ evidence, probes, reports }: StoredRun): Answer[] {
  const { exchanges } = accountOf(evidence);
  return probes
    .filter(({ id }) => reports.has(id))
    .map((probe) => {
      const own = exchanges.filter((exchange) => exchange.probe === probe);
      const rids = new Set(
        own.flatMap(({ completions, decisions }) => [...completions, ...decisions].map(({ rid }) => rid)),
      );
      return {
        probe: probe.id,
        report: reports.get(probe.id) ?? null,
        log: evidence.usage.events.filter(({ rid }) => rids.has(rid)),
      };
    });
}

function toRecord({ violations, ...verdict }: Verdict): RunRecord['checks'][number] {
  return {
    ...verdict,
    violations: violations.map(({ saw, pointers, ...violation }) => ({
      ...violation,
      ...(saw !== undefined && { saw: { ...saw } }),
      pointers: [...pointers],
    })),
  };
}

/**
 * Interrupted and broken runs are judged too, but end as what they are. `isTolerated`: whether an inconclusive one may end
 * like one that passed (`--allow-inconclusive`, and something was shown).
 */
export function exitCodeOf(
  { outcome, ending }: Pick<RunRecord, 'outcome' | 'ending'>,
  {
    brokenBy = EXIT.failed,
    isTolerated = false,
  }: { brokenBy?: number | undefined; isTolerated?: boolean } = {},
): number {
  if (ending === 'interrupted') return EXIT.interrupted;
  if (ending === 'broken') return brokenBy;
  if (ending === 'died' || ending === 'running') return EXIT.failed;
  return outcome === 'pass' || (outcome === 'inconclusive' && isTolerated) ? EXIT.ok : EXIT.failed;
}
