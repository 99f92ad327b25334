/** The verdict of a run for a person at a terminal: probes, checks, what failed and why, one last line. */
import { join } from 'node:path';
import { roundsInWords } from '../../analysis/night-rounds.ts';
import { count, plural } from '../../analysis/plural.ts';
import { EXIT } from '../../errors.ts';
import { shellLine } from '../../platform/shell-words.ts';
import { unclaimed } from '../claims.ts';
import { fateOf } from '../probe-ending.ts';
import type { Flake, RunRecord } from '../run-record.ts';
import { inOrderOfUse } from './order-of-use.ts';
import { reproduceLine, resumeLine } from './repeat-line.ts';
import { OUTCOME_WORDS, type Paint } from './style.ts';
import { hang, wrap } from './wrap.ts';

export const WIDTH = 80;

type Verdict = RunRecord['checks'][number];

/** `where`: the run's folder, as the reader would type it. */
export function verdictText(record: RunRecord, { paint, where }: { paint: Paint; where: string }): string {
  const resume = resumeLine(record, where);
  return [
    ...answerLines(record, paint),
    '',
    ...probeTable(record, paint),
    ...unsentLines(record, paint),
    '',
    ...checkTable(record, paint),
    ...inOrderOfUse(record.checks.filter(needsWords)).flatMap((verdict) =>
      failureLines(verdict, record, paint),
    ),
    ...flakyLines(record, { paint, where }),
    '',
    lastLine(record, paint),
    ...proven(record, paint),
    `  ${where}`,
    ...(resume === null ? [] : [`  go on: ${resume}`]),
    '',
  ].join('\n');
}

/** Documents of others, as they are: not wrapped, so that they can be copied. */
function answerLines({ answers = [] }: RunRecord, paint: Paint): string[] {
  return answers.flatMap(({ probe, report, log }) => [
    '',
    paint('bold', `${probe}: what Claude Code said`),
    JSON.stringify(report, null, 2),
    paint('bold', `${probe}: what the usage log says`),
    ...log.map((line) => JSON.stringify(line)),
  ]);
}

function probeTable({ probes, plan }: RunRecord, paint: Paint): string[] {
  const width = Math.max(...probes.map(({ id }) => id.length), 0);
  return probes.map((probe) => {
    const who = (probe.client === 'claude' ? 'Claude Code' : 'raw').padEnd(11);
    const how = paint('dim', `${who}  ${probe.expectedLane.padEnd(9)}`);
    return `  ${probe.id.padEnd(width)}  ${how}  ${seconds(probe.ms).padStart(7)}  ${fateOf(probe, plan)}`;
  });
}

/** What was left out weighs on every verdict, so it is said before them. */
function unsentLines({ plan }: RunRecord, paint: Paint): string[] {
  const reasons = new Set(plan.skippedProbes.map(({ reason }) => reason));
  return [...reasons].flatMap((reason) => {
    const ids = plan.skippedProbes.filter((probe) => probe.reason === reason).map(({ id }) => id);
    return hang('  ', `not sent: ${ids.join(', ')} (${reason})`, WIDTH).map((line) => paint('yellow', line));
  });
}

/** One line a check; what is cut off stands in SUMMARY.md. `width`: of the longest outcome. */
function checkLine({ id, outcome, title, observed, note }: Verdict, width: number, paint: Paint): string {
  const [word, style] = OUTCOME_WORDS[outcome];
  const label = `  ${word.padEnd(width)}  ${id.padEnd(12)}  `;
  const says = outcome === 'pass' || outcome === 'fail' || note === undefined ? title : note;
  const room = WIDTH - label.length - 5;
  const line = `${label}${cut(says, room).padEnd(room)} ${String(observed).padStart(4)}`;
  return line.replace(word, () => paint(style, word));
}

function checkTable({ checks }: RunRecord, paint: Paint): string[] {
  const width = Math.max(...checks.map(({ outcome }) => OUTCOME_WORDS[outcome][0].length), 0);
  const heading = `  ${' '.repeat(width)}  ${'check'.padEnd(12)}  claim`.padEnd(WIDTH - 4);
  return [paint('dim', `${heading}seen`), ...checks.map((verdict) => checkLine(verdict, width, paint))];
}

const cut = (text: string, room: number): string =>
  text.length <= room ? text : `${text.slice(0, room - 1).trimEnd()}…`;

const needsWords = ({ outcome, violations }: Verdict): boolean => outcome === 'fail' && violations.length > 0;

/** More of the same teaches nothing; `run.json` has them all. */
const SHOWN = 5;

function failureLines({ id, title, violations, note }: Verdict, record: RunRecord, paint: Paint): string[] {
  const rest = violations.length - SHOWN;
  return [
    '',
    ...wrap(`FAIL ${id}: ${title}`, WIDTH).map((line) => paint('red', line)),
    ...violations
      .slice(0, SHOWN)
      .flatMap(({ what, expected, saw = {}, pointers }) => [
        ...hang('  - ', what, WIDTH),
        ...(expected === undefined ? [] : hang('    expected  ', expected, WIDTH)),
        ...Object.entries(saw).flatMap(([witness, sight]) =>
          hang(`    ${`${witness} saw`.padEnd(14)}  `, sight, WIDTH),
        ),
        ...(pointers.length === 0 ? [] : hang('    look at   ', pointers.join(', '), WIDTH)),
      ]),
    ...(rest > 0 ? [`  and ${rest} more, see run.json`] : []),
    ...(note === undefined ? [] : hang('  ', note, WIDTH)),
    `  repeat: ${reproduceLine(record, id)}`,
  ];
}

function flakyLines(record: RunRecord, { paint, where }: { paint: Paint; where: string }): string[] {
  return (record.flaky ?? []).flatMap((flake) => [
    '',
    ...hang('', `FLAKY ${flakeSentence(flake)}`, WIDTH).map((line) => paint('red', line)),
    `  before  ${join(where, flake.folder)}, seed ${flake.seed}`,
    `  now     ${where}, seed ${record.plan.seed}`,
    `  repeat: ${reproduceLine(record, flake.check)} --repeat-each 10`,
    ...hang('  ', `${STAYS_RED}, such as by`, WIDTH),
    `  ${shellLine(['rm', '-r', join(where, flake.folder)])}`,
  ]);
}

/** That this check changed its mind; undefined where it did not. */
export const flakeOn = ({ flaky = [] }: Pick<RunRecord, 'flaky'>, check: string): Flake | undefined =>
  flaky.find((one) => one.check === check);

/** What a person who has looked into it can do: nothing else ends it. */
export const STAYS_RED =
  'It stays red, however often it is repeated, until the source changes or that run is removed';

/** What changed its mind, in a sentence. */
export const flakeSentence = ({ check, outcome, before }: Flake): string =>
  `${check}: ${OUTCOME_WORDS[outcome][0]} now and ${OUTCOME_WORDS[before][0]} in a run before, of the same plan and the same programs`;

const VERDICTS = {
  pass: ['PASS', 'green'],
  fail: ['FAIL', 'red'],
  inconclusive: ['INCONCLUSIVE', 'yellow'],
} as const satisfies Record<RunRecord['outcome'], unknown>;

function lastLine(record: RunRecord, paint: Paint): string {
  const [word, style] = VERDICTS[record.outcome];
  const ending = record.ending === 'complete' ? '' : `, ${record.ending}`;
  return `${paint(style, word)}  ${record.suite}: ${countsOf(record)}, ${probesOf(record)}, ${seconds(record.ms)}${ending}`;
}

/** `1 probe`, `15 probes`, `152 probes in 8 rounds`, `150 probes (and 2 set aside) in 8 rounds`. */
export const probesOf = ({ probes, night }: Pick<RunRecord, 'probes' | 'night'>): string =>
  night === undefined
    ? plural(probes.length, 'probe')
    : `${plural(night.probes, 'probe')}${night.setAside === 0 ? '' : ` (and ${count(night.setAside)} set aside)`} in ${roundsInWords(night)}`;

/** `23 of 24 checks passed, 1 skipped`. */
export function countsOf({ checks, flaky = [] }: Pick<RunRecord, 'checks' | 'flaky'>): string {
  const having = (outcome: Verdict['outcome']): number =>
    checks.filter((one) => one.outcome === outcome).length;
  const others = (['fail', 'inconclusive', 'invalid', 'skipped'] as const)
    .filter((outcome) => having(outcome) > 0)
    .map((outcome) => `, ${having(outcome)} ${outcome === 'fail' ? 'failed' : outcome}`);
  const flakes = flaky.length === 0 ? '' : `, ${flaky.length} flaky`;
  return `${having('pass')} of ${plural(checks.length, 'check')} passed${others.join('')}${flakes}`;
}

function proven({ outcome, exitCode, claims: shown, plan }: RunRecord, paint: Paint): string[] {
  if (outcome !== 'pass')
    return exitCode === EXIT.ok
      ? [paint('dim', '  Nothing is claimed. The exit code is 0 all the same: --allow-inconclusive.')]
      : [];
  const claims = shown.length > 0 ? shown : [unclaimed(plan)];
  return claims.flatMap((claim) => hang('  ', claim, WIDTH)).map((line) => paint('dim', line));
}

export function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
