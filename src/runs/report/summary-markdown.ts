/** `SUMMARY.md`: verdict first, then the checks, the probes, what failed, and how to repeat it. */
import { endingWords } from '../ending-words.ts';
import type { RunRecord } from '../run-record.ts';
import { inOrderOfUse } from './order-of-use.ts';
import { reproduceLine, resumeLine } from './repeat-line.ts';
import { OUTCOME_WORDS } from './style.ts';
import { countsOf, flakeSentence, probesOf, STAYS_RED, seconds } from './verdict-text.ts';

export function summaryMarkdown(record: RunRecord): string {
  const { suite, title, outcome, ending, endingNote, startedAt, ms, provenance, plan, probes, checks } =
    record;
  const resume = resumeLine(record, record.run);
  return [
    `# ${suite}: ${outcome}`,
    '',
    `${title}. ${countsOf(record)}, ${probesOf(record)} in ${seconds(ms)}, started ${startedAt}.`,
    ...(ending === 'complete'
      ? []
      : ['', `The run ${endingWords(ending)}: ${endingNote ?? 'no more is known'}.`]),
    ...(resume === null ? [] : ['', `Go on: \`${resume}\``]),
    ...(record.claims.length === 0 ? [] : ['', ...record.claims.map((claim) => `- ${claim}`)]),
    '',
    '| check | outcome | claim | seen |',
    '| --- | --- | --- | --- |',
    ...checks.map(({ id, outcome: each, title: claim, observed, note }) =>
      row([id, OUTCOME_WORDS[each][0], note === undefined ? claim : `${claim} (${note})`, String(observed)]),
    ),
    ...failures(record),
    ...(record.flaky ?? []).flatMap((flake) => [
      '',
      `## Flaky: ${flake.check}`,
      '',
      `${flakeSentence(flake)}. ${STAYS_RED}.`,
      '',
      `- before: \`${flake.folder}\` (relative to this folder), seed \`${flake.seed}\``,
      `- now: this run, seed \`${plan.seed}\``,
    ]),
    ...probeRows(probes),
    '',
    `Seed \`${plan.seed}\`, upstream ${plan.upstream}, licence ${plan.stages.map(({ license }) => license).join(', ')}, ccp-uat ${provenance.version} on Node ${provenance.node}, ${provenance.platform}.`,
    `Claude Code: ${provenance.claude}.`,
    '',
  ].join('\n');
}

/** A night counts its probes, and has none to list. */
function probeRows(probes: RunRecord['probes']): string[] {
  if (probes.length === 0) return [];
  return [
    '',
    '| probe | client | model | lane | time | ok |',
    '| --- | --- | --- | --- | --- | --- |',
    ...probes.map(({ id, client, model, expectedLane, ms: took, ok }) =>
      row([id, client, model, expectedLane, seconds(took), ok ? 'yes' : 'no']),
    ),
  ];
}

function failures(record: RunRecord): string[] {
  return inOrderOfUse(record.checks.filter(({ outcome }) => outcome === 'fail')).flatMap(
    ({ id, title, violations }) => [
      '',
      `## ${id}: ${title}`,
      '',
      ...violations.flatMap(({ what, expected, saw = {}, pointers }) => [
        `- ${what}`,
        ...(expected === undefined ? [] : [`  - expected: ${expected}`]),
        ...Object.entries(saw).map(([witness, sight]) => `  - ${witness} saw: ${sight}`),
        ...(pointers.length === 0 ? [] : [`  - look at: ${pointers.join(', ')}`]),
      ]),
      '',
      `Repeat: \`${reproduceLine(record, id)}\``,
    ],
  );
}

/** A bar or a line break would end the cell. */
const row = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')).join(' | ')} |`;
