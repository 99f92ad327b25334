/** What each saboteur did to each check: the proof that the checks can fail. */
import type { SelftestResult } from '../../selftest/selftest-record.ts';
import { untriedIn } from '../../selftest/selftest-verdicts.ts';
import { type Html, html } from '../html.ts';
import { countsOf, fateOf, isAlive, repeatLine, whyOf } from '../selftest-markdown.ts';
import { shown } from './format.ts';
import { OUTCOMES } from './verdict.ts';

export type Matrix = Pick<
  SelftestResult,
  'seed' | 'full' | 'ok' | 'known' | 'interrupted' | 'control' | 'saboteurs'
>;

export function matrixSection(matrix: Matrix): Html {
  const { control, saboteurs } = matrix;
  const untried = untriedIn(matrix);
  const checks = [
    ...new Set(
      saboteurs.flatMap(({ outcomes, expected }) => [...Object.keys(outcomes), ...Object.keys(expected)]),
    ),
  ];
  return html`<section aria-labelledby="saboteurs"><h2 id="saboteurs">Saboteurs</h2>
<p>Each row breaks one thing on purpose. <b>${shown(countsOf(matrix), 2_000)}</b>. One is killed when every check that must notice does, just as it must. ${control.length > 0 && html`<strong>The run that nobody broke was red: ${control.map(({ id }) => id).join(' ')}.</strong>`}</p>
${untried.length > 0 && html`<details><summary>${untried.length} not tried</summary><p>${untried.join(', ')}</p></details>`}
${saboteurs.filter(isAlive).map((one) => html`<article class="card fail"><h3><span class="badge fail">✕ ${fateOf(one).toLowerCase()}</span> ${shown(one.name, 60)} in ${shown(one.suite, 60)}</h3><p>${shown(one.breaks, 300)}</p><p class="note">${shown(whyOf(one), 300)}.</p><p class="repeat"><span>repeat</span> <code>${shown(repeatLine(one, matrix), 200)}</code></p></article>`)}
<ul class="key"><li><b class="cell must">✕</b> came out as it must</li><li><b class="cell missed">○</b> must notice, and did not</li><li><b class="cell also">✕</b> failed too</li><li><b class="cell">?</b> lost its evidence</li><li><b class="cell">·</b> passed, skipped or not run</li></ul>
<div class="scroll" tabindex="0" role="region" aria-label="Matrix of saboteurs and checks"><table class="matrix"><caption class="unseen">What each saboteur did to each check</caption><thead><tr><th scope="col">saboteur</th><th scope="col">fate</th>${checks.map((id) => html`<th scope="col" class="turned"><span>${id}</span></th>`)}</tr></thead>
<tbody>${saboteurs.map((one) => html`<tr><th scope="row">${nameOf(one)}<small>${shown(one.breaks, 160)}, in ${shown(one.suite, 60)}</small></th><td>${fateBadge(one)}</td>${checks.map((id) => cell(one, id))}</tr>`)}</tbody></table></div></section>`;
}

/** Where its run was kept, its page is a click away. */
const nameOf = ({ name, kept }: Row): Html =>
  kept === undefined
    ? html`${shown(name, 60)}`
    : html`<a href="${kept.split('/').map(encodeURIComponent).join('/')}/report.html">${shown(name, 60)}</a>`;

type Row = Matrix['saboteurs'][number];

function fateBadge(one: Row): Html {
  const fate = fateOf(one);
  if (fate === 'killed') return html`<span class="badge pass">✓ killed</span>`;
  return fate === 'skipped'
    ? html`<span class="badge skipped">– skipped</span><small>${shown(one.skipped ?? '', 160)}</small>`
    : html`<span class="badge fail">✕ ${fate.toLowerCase()}</span>`;
}

function cell({ outcomes, expected }: Row, id: string): Html {
  const [outcome, must] = [outcomes[id], expected[id]];
  const red = outcome !== undefined && outcome !== 'pass' && outcome !== 'skipped';
  const noticed = must !== undefined && outcome === must;
  const sign = red && (must === undefined || noticed) ? OUTCOMES[outcome][0] : must === undefined ? '·' : '○';
  const kind = must === undefined ? (red ? 'also' : '') : noticed ? 'must' : 'missed';
  const said = `${id}: ${outcome ?? 'not run'}${must === undefined ? '' : `, must be ${must}`}`;
  return html`<td><b class="cell ${kind}" title="${said}"><span aria-hidden="true">${sign}</span>${kind !== '' && html`<span class="unseen">${said}</span>`}</b></td>`;
}
