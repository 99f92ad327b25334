/** The exchanges of the run, one to unfold after the other, with filters; which are shown is said. */

import { count, plural } from '../../../analysis/plural.ts';
import { type Html, html } from '../html.ts';
import type { Case } from './case-file.ts';
import { filterBar } from './check-table.ts';
import type { Choice } from './choose-cases.ts';
import { exchangeDetails, idOf } from './exchange.ts';
import { shown, slug } from './format.ts';
import { timelineKey } from './witness-timeline.ts';

/** So many with findings are unfolded from the start. */
const MOST_OPEN = 2;

export function exchangeSection({ inFull, inBrief, left }: Choice, all: readonly Case[]): Html {
  const open = new Set(inFull.filter(({ problems }) => problems.length > 0).slice(0, MOST_OPEN));
  const wrong = all.filter(({ problems }) => problems.length > 0).length;
  return html`<section class="exchanges" aria-labelledby="exchanges"><h2 id="exchanges">Exchanges</h2>
<p>${plural(all.length, 'exchange')}, ${wrong === 0 ? 'nothing found in any' : `findings in ${count(wrong)}`}. Each as the client, the proxy and the upstream saw it.${left > 0 && html` <strong>${count(left)} with nothing found are not shown</strong>: this file keeps a sample of one of each kind first, ${plural(inFull.length, 'exchange')} in full; all are in <code>witness/</code> of the run.`}</p>
${timelineKey()}
${filterBar('exchange', [
  { value: 'all', label: `all ${count(inFull.length)}` },
  {
    value: 'found',
    label: `with findings ${count(inFull.filter(({ problems }) => problems.length > 0).length)}`,
  },
  ...lanesOf(inFull).map((lane) => ({ value: `lane-${lane}`, label: `lane ${lane}` })),
])}
${inFull.map((one) => html`<div class="one${one.problems.length > 0 && ' found'} lane-${slug(one.lane ?? 'none')}">${exchangeDetails(one, open.has(one))}</div>`)}
${inBrief.length > 0 && briefly(inBrief)}</section>`;
}

/** A list that a page can hold; a run has two lanes, a catalog some more. */
const MOST_LANES = 8;

const lanesOf = (cases: readonly Case[]): string[] =>
  [...new Set(cases.map(({ lane }) => lane ?? 'none'))]
    .filter((lane) => LANE.test(lane))
    .slice(0, MOST_LANES);

const LANE = /^[a-z][\w-]{0,30}$/;

const briefly = (cases: readonly Case[]): Html =>
  html`<details class="exchange"><summary>${plural(cases.length, 'exchange')} more with findings, a line each</summary>
<table class="wide inside"><caption class="unseen">Exchanges with findings, in brief</caption><thead><tr><th scope="col" class="figure">#</th><th scope="col">exchange</th><th scope="col">lane</th><th scope="col">findings of</th></tr></thead>
<tbody>${cases.map((one) => html`<tr id="${idOf(one)}"><td class="figure">${one.number}</td><td>${shown(one.name, 60)}</td><td>${one.lane === null ? '–' : shown(one.lane, 40)}</td><td>${[...new Set(one.problems.map(({ check }) => check))].join(' ')}</td></tr>`)}</tbody></table></details>`;

/** For the lanes that are shown: each hides what is on another. */
export const exchangeFilterStyle = (cases: readonly Case[]): string =>
  ['found', ...lanesOf(cases).map((lane) => `lane-${lane}`)]
    .map((name) => `.exchanges:has(input[value="${name}"]:checked) .one:not(.${name}){display:none}`)
    .join('\n');
