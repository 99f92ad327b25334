/**
 * `report.html`: the whole run in one file that asks nobody for anything and has no script. Verdict and claims first; then
 * what contradicts them, and the evidence.
 */

import type { Evidence } from '../../../analysis/evidence.ts';
import { count } from '../../../analysis/plural.ts';
import type { RunRecord } from '../../run-record.ts';
import type { StoredRun } from '../../stored/stored-run.ts';
import { type Html, html, page } from '../html.ts';
import { caseFileOf } from './case-file.ts';
import { checkTable, FILTER_STYLE } from './check-table.ts';
import { chooseCases, MOST_IN_FULL, SAMPLE } from './choose-cases.ts';
import { courseSection } from './course.ts';
import { exchangeFilterStyle, exchangeSection } from './exchanges.ts';
import { shown } from './format.ts';
import { lanesSection } from './lanes.ts';
import { nightSection } from './night.ts';
import { keepsNoExchange, keptIn, keptInWords, redactionsSection } from './redactions.ts';
import { type Matrix, matrixSection } from './saboteur-matrix.ts';
import { STYLE } from './style.ts';
import { surroundingsSection } from './surroundings.ts';
import { timesSection } from './times.ts';
import { contradictions, verdictHeader } from './verdict.ts';

export interface ReportedRun {
  readonly record: RunRecord;
  readonly stored: StoredRun;
  /** Where the run is a self-test, or was made beside one. */
  readonly matrix?: Matrix | undefined;
}

/** The page of a run. The same run, the same bytes. */
export function reportHtml({ record, stored, matrix }: ReportedRun): string {
  const cases = caseFileOf(stored.evidence, record.checks);
  const choice = chooseCases(cases.cases);
  const { night } = stored.evidence;
  // Of a night nothing is left but what its rounds came to.
  const isSummedUp = night !== undefined && cases.cases.length === 0;
  const wrong = contradictions(record, cases);
  const sections: readonly (readonly [id: string, title: string])[] = [
    ...(wrong === null ? [] : [['wrong', 'What is wrong'] as const]),
    ['checks', 'Checks'],
    ...(night === undefined ? [] : [['night', 'The night'] as const]),
    ...(isSummedUp
      ? []
      : ([
          ['exchanges', 'Exchanges'],
          ['times', 'Times and pace'],
          ['lanes', 'Lanes and tokens'],
        ] as const)),
    ['course', 'Course of the run'],
    ...(matrix === undefined ? [] : [['saboteurs', 'Saboteurs'] as const]),
    ['surroundings', 'Surroundings'],
    ['redacted', 'What was redacted'],
  ];
  const body = html`<a class="skip" href="#main">Skip to the findings</a>
${verdictHeader(record, cases)}
${contents(sections)}
<main id="main" tabindex="-1">
${wrong}
${checkTable(record.checks)}
${night !== undefined && nightSection(night)}
${!isSummedUp && [exchangeSection(choice, cases.cases), timesSection(cases.cases, choice.inFull), lanesSection(cases.cases)]}
${courseSection(stored)}
${matrix !== undefined && matrixSection(matrix)}
${surroundingsSection(record)}
${redactionsSection(stored.evidence)}
</main>
${footer(stored.evidence)}`;
  return page({
    title: `${record.outcome}: ${shown(record.suite, 80)}`,
    style: [STYLE, FILTER_STYLE, exchangeFilterStyle(choice.inFull)].join('\n'),
    body,
  });
}

/** The page of a self-test: the matrix alone. */
export function selftestHtml(matrix: Matrix): string {
  const { ok, seed } = matrix;
  const outcome = ok ? 'pass' : 'fail';
  return page({
    title: `${outcome}: self-test`,
    style: STYLE,
    body: html`<a class="skip" href="#main">Skip to the matrix</a>
<header class="verdict ${outcome}"><p class="sign" aria-hidden="true">${ok ? '✓' : '✕'}</p><div><h1>${ok ? 'Pass' : 'Fail'}<span class="suite">self-test</span></h1><p class="lead">${leadOf(matrix)}</p><p class="meta">seed ${seed}</p></div></header>
<main id="main" tabindex="-1">${matrixSection(matrix)}</main>`,
  });
}

function leadOf({ ok, interrupted }: Matrix): string {
  if (interrupted !== undefined) return `It proves nothing: ${interrupted}.`;
  return ok
    ? 'The checks can fail: each saboteur that was tried was noticed by every check that must notice it.'
    : 'A saboteur survived, or the run that nobody broke was not green.';
}

const contents = (sections: readonly (readonly [id: string, title: string])[]): Html =>
  html`<nav aria-label="Contents"><ul>${sections.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>`;

/** What is in the file, and what beside it. */
export function footer(evidence: Evidence): Html {
  const kept = keptIn(evidence.night?.rounds ?? []);
  return html`<footer><p>This file has no script and asks nobody for anything; it is written by <code>ccp-uat</code> from the stored evidence alone, and again by <code>ccp-uat report</code>.
${
  keepsNoExchange(evidence)
    ? html`Of its exchanges it shows none: those of a round are deleted once it is judged, and what it came to is its line in <code>events.jsonl</code>. ${kept.length > 0 ? html`Whole worlds with a red round lie in ${keptInWords(kept)}, each with a report of its own once <code>ccp-uat report</code> was asked for it.` : 'No round was kept whole.'} Beside it lie <code>run.json</code>, <code>NIGHT.json</code> and the newest of <code>usage.jsonl</code>.`
    : html`It shows at most ${count(MOST_IN_FULL)} exchanges in full: those with findings first, and up to ${count(SAMPLE)} of the others; every other exchange with findings stands in one line. Long texts, streams and lists are cut where they say so. The whole evidence lies beside it: <code>run.json</code>, <code>events.jsonl</code>, <code>witness/</code>.`
}</p></footer>`;
}
