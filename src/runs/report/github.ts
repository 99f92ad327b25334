/**
 * What a job of GitHub Actions shows of a run: a summary on its page, and an annotation for each check that did not pass
 * (https://docs.github.com/actions/reference/workflow-commands-for-github-actions).
 */
import { plural } from '../../analysis/plural.ts';
import { endingWords } from '../ending-words.ts';
import type { Flake, RunRecord } from '../run-record.ts';
import { inOrderOfUse } from './order-of-use.ts';
import { reproduceLine } from './repeat-line.ts';
import { OUTCOME_WORDS } from './style.ts';
import { countsOf, flakeSentence, probesOf, STAYS_RED, seconds } from './verdict-text.ts';

type Verdict = RunRecord['checks'][number];

/** A step may show so many of each kind; what is beyond is dropped without a word. */
const MOST_ANNOTATIONS = 10;

/** Lines of commands for the runner. `where`: the folder of the run. */
export function annotations(record: RunRecord, where: string): string[] {
  const failed = failedOf(record);
  const unsure = record.checks.filter(({ outcome }) => outcome === 'inconclusive' || outcome === 'invalid');
  const lines = [
    ...limited(
      failed.map((verdict) => command('error', record, verdict, where)),
      (rest) => line('error', record.suite, `${rest} more checks failed, see ${where}/report.html`),
    ),
    ...limited(
      unsure.map((verdict) => command('warning', record, verdict, where)),
      (rest) => line('warning', record.suite, `${rest} more checks saw too little, see ${where}/report.html`),
    ),
  ];
  const flaky = record.flaky ?? [];
  lines.push(
    ...limited(
      flaky.map((flake) => flakeLine(record, flake, where)),
      (rest) => line('warning', record.suite, `${rest} more checks are flaky, see ${where}/report.html`),
    ),
  );
  // A run of which no check could be judged has failed without one that did.
  if (lines.length > 0 || record.outcome === 'pass') return lines;
  return [line('error', record.suite, `${countsOf(record)}, which is no pass; see ${where}/report.html`)];
}

const flakeLine = (record: RunRecord, flake: Flake, where: string): string =>
  line(
    'warning',
    `${record.suite}: ${flake.check} is flaky`,
    [
      `${flakeSentence(flake)}, so the run is red`,
      STAYS_RED,
      `repeat: ${reproduceLine(record, flake.check)} --repeat-each 10`,
      `report: ${where}/report.html`,
    ].join('\n'),
  );

const failedOf = ({ checks }: RunRecord): Verdict[] =>
  inOrderOfUse(checks.filter(({ outcome }) => outcome === 'fail'));

function limited(lines: readonly string[], last: (rest: number) => string): string[] {
  if (lines.length <= MOST_ANNOTATIONS) return [...lines];
  const shown = lines.slice(0, MOST_ANNOTATIONS - 1);
  return [...shown, last(lines.length - shown.length)];
}

function command(kind: 'error' | 'warning', record: RunRecord, verdict: Verdict, where: string): string {
  const { id, title, violations, note = '' } = verdict;
  const [first] = violations;
  const message = [
    first?.what ?? note,
    ...(first?.expected === undefined ? [] : [`expected: ${first.expected}`]),
    ...Object.entries(first?.saw ?? {}).map(([witness, sight]) => `${witness} saw: ${sight}`),
    ...(violations.length > 1 ? [`and ${violations.length - 1} more`] : []),
    `repeat: ${reproduceLine(record, id)}`,
    `report: ${where}/report.html`,
  ].join('\n');
  return line(kind, `${record.suite}: ${id} ${title}`, message);
}

const line = (kind: string, title: string, message: string): string =>
  `::${kind} title=${property(title)}::${data(message)}`;

const data = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

/** A page of a job takes 1 MiB a step, and drops all of it where there is more. */
const MOST_BYTES = 200_000;
const MOST_VIOLATIONS = 5;

/** Markdown that is appended to the summary of a job: the verdict, what failed, and the rest to unfold. */
export function jobSummary(record: RunRecord, where: string): string {
  const { suite, outcome, ending, endingNote, ms, checks, flaky = [] } = record;
  const sign = { pass: '✅', fail: '❌', inconclusive: '❔' }[outcome];
  const text = [
    `### ${sign} ${cell(suite)}: ${outcome}`,
    '',
    `${countsOf(record)}, ${probesOf(record)} in ${seconds(ms)}.`,
    ...(ending === 'complete'
      ? []
      : ['', `The run ${endingWords(ending, ['“', '”'])}: ${cell(endingNote ?? 'no more is known')}.`]),
    ...(outcome === 'pass' ? ['', ...record.claims.map((claim) => `- ${cell(claim)}`)] : []),
    ...flaky.flatMap((flake) => ['', `⚠️ Flaky: ${cell(flakeSentence(flake))}. The run is red for it.`]),
    ...checks.filter(({ outcome: each }) => each === 'fail').flatMap((verdict) => failure(record, verdict)),
    '',
    `<details><summary>${plural(checks.length, 'check')}</summary>`,
    '',
    '| check | outcome | claim | seen |',
    '| --- | --- | --- | ---: |',
    ...checks.map(
      ({ id, outcome: each, title, observed }) =>
        `| ${cell(id)} | ${OUTCOME_WORDS[each][0]} | ${cell(title)} | ${observed} |`,
    ),
    '',
    '</details>',
    '',
    `The whole story, exchange by exchange: <code>${cell(where)}/report.html</code>`,
    '',
  ].join('\n');
  if (Buffer.byteLength(text) <= MOST_BYTES) return `${text}\n`;
  return `### ${sign} ${cell(suite)}: ${outcome}\n\n${countsOf(record)}. The rest is too long for this page: <code>${cell(where)}/report.html</code>\n\n`;
}

function failure(record: RunRecord, { id, title, violations }: Verdict): string[] {
  const rest = violations.length - MOST_VIOLATIONS;
  return [
    '',
    `#### ${cell(id)}: ${cell(title)}`,
    '',
    ...violations
      .slice(0, MOST_VIOLATIONS)
      .flatMap(({ what, expected, saw = {} }) => [
        `- ${cell(what)}`,
        ...(expected === undefined ? [] : [`  - expected: ${cell(expected)}`]),
        ...Object.entries(saw).map(([witness, sight]) => `  - ${cell(witness)} saw: ${cell(sight)}`),
      ]),
    ...(rest > 0 ? [`- and ${rest} more`] : []),
    '',
    `Repeat: <code>${cell(reproduceLine(record, id))}</code>`,
  ];
}

const MOST_CHARACTERS = 400;

/** Text of the wire as Markdown shows it: one line, and nothing in it that Markdown or HTML would act on. */
function cell(text: string): string {
  const cut = text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
  return cut
    .toWellFormed()
    .replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ')
    .replaceAll(/[&<>|`*_[\]\\~@]/g, (sign) => `&#${sign.codePointAt(0)};`)
    .replaceAll('://', ':&#47;&#47;');
}
