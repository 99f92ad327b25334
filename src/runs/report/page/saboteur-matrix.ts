/** What each saboteur did to each check: the proof that the checks can fail. */
import type { Outcome } from '../../../analysis/check.ts';
import type { SelftestResult } from '../../selftest-record.ts';
import { type Html, html } from '../html.ts';
import { count, plural, shown } from './format.ts';
import { OUTCOMES } from './verdict.ts';

export type Matrix = Pick<SelftestResult, 'seed' | 'ok' | 'control' | 'saboteurs'>;

export function matrixSection({ seed, control, saboteurs }: Matrix): Html {
  const tried = saboteurs.filter(({ skipped }) => skipped === undefined);
  const survivors = tried.filter(({ killed }) => !killed);
  const checks = [
    ...new Set(saboteurs.flatMap(({ outcomes, expected }) => [...Object.keys(outcomes), ...expected])),
  ];
  return html`<section aria-labelledby="saboteurs"><h2 id="saboteurs">Saboteurs</h2>
<p>Each row breaks one thing on purpose. <b>${count(tried.length - survivors.length)} of ${plural(tried.length, 'saboteur')} killed</b>: noticed by every check that must notice. ${control.length === 0 ? 'The run that nobody broke was green.' : html`<strong>The run that nobody broke was red: ${control.map(({ id }) => id).join(' ')}.</strong>`}</p>
${survivors.map(({ name, breaks, suite, broke, expected, killedBy }) => html`<article class="card fail"><h3><span class="badge fail">✕ ${broke === undefined ? 'survived' : 'broke'}</span> ${shown(name, 60)} in ${shown(suite, 60)}</h3><p>${shown(breaks, 300)}</p><p class="note">${broke === undefined ? `Not noticed by ${expected.filter((id) => !killedBy.includes(id)).join(' ')}.` : shown(broke, 300)}</p><p class="repeat"><span>repeat</span> <code>ccp-uat selftest ${shown(name, 60)} --seed ${shown(seed, 60)}</code></p></article>`)}
<ul class="key"><li><b class="cell must">✕</b> failed, as it must</li><li><b class="cell missed">○</b> must fail, and did not</li><li><b class="cell also">✕</b> failed too</li><li><b class="cell">?</b> lost its evidence</li><li><b class="cell">·</b> passed, skipped or not run</li></ul>
<div class="scroll" tabindex="0" role="region" aria-label="Matrix of saboteurs and checks"><table class="matrix"><caption class="unseen">What each saboteur did to each check</caption><thead><tr><th scope="col">saboteur</th><th scope="col">fate</th>${checks.map((id) => html`<th scope="col" class="turned"><span>${id}</span></th>`)}</tr></thead>
<tbody>${saboteurs.map((one) => html`<tr><th scope="row">${shown(one.name, 60)}<small>${shown(one.breaks, 160)}, in ${shown(one.suite, 60)}</small></th><td>${fateOf(one)}</td>${checks.map((id) => cell(one.outcomes[id], one.expected.includes(id), id))}</tr>`)}</tbody></table></div></section>`;
}

function fateOf({ killed, skipped }: Matrix['saboteurs'][number]): Html {
  if (skipped !== undefined)
    return html`<span class="badge skipped">– skipped</span><small>${shown(skipped, 160)}</small>`;
  return killed
    ? html`<span class="badge pass">✓ killed</span>`
    : html`<span class="badge fail">✕ survived</span>`;
}

function cell(outcome: Outcome | undefined, must: boolean, id: string): Html {
  const red = outcome !== undefined && outcome !== 'pass' && outcome !== 'skipped';
  const sign = red ? OUTCOMES[outcome][0] : must ? '○' : '·';
  const kind = must ? (red ? 'must' : 'missed') : red ? 'also' : '';
  const said = `${id}: ${outcome ?? 'not run'}${must ? ', must notice' : ''}`;
  return html`<td><b class="cell ${kind}" title="${said}"><span aria-hidden="true">${sign}</span>${(must || red) && html`<span class="unseen">${said}</span>`}</b></td>`;
}
