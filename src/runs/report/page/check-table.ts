/** Every check of the run. The filters are radio buttons that the style sheet acts on, so they need no script. */

import { count } from '../../../analysis/plural.ts';
import type { RunRecord } from '../../run-record.ts';
import { type Html, html } from '../html.ts';
import { evidenceText, shown, slug } from './format.ts';
import { badge, OUTCOMES } from './verdict.ts';

type Verdict = RunRecord['checks'][number];

const FILTERS = [
  'fail',
  'inconclusive',
  'invalid',
  'pass',
  'skipped',
] as const satisfies readonly Verdict['outcome'][];

export function checkTable(checks: readonly Verdict[]): Html {
  const present = FILTERS.filter((outcome) => checks.some((one) => one.outcome === outcome));
  return html`<section class="checks" aria-labelledby="checks"><h2 id="checks">Checks</h2>
${filterBar('outcome', [
  { value: 'all', label: `all ${count(checks.length)}` },
  ...present.map((outcome) => ({
    value: outcome,
    label: `${OUTCOMES[outcome][1]} ${count(checks.filter((one) => one.outcome === outcome).length)}`,
  })),
])}
<table class="wide"><caption class="unseen">Every check of the run</caption><thead><tr><th scope="col">outcome</th><th scope="col">check</th><th scope="col">claim</th><th scope="col" class="figure">seen</th></tr></thead>
<tbody>${checks.map(drawRow)}</tbody></table></section>`;
}

function drawRow({ id, outcome, title, observed, note, violations }: Verdict): Html {
  const told = outcome === 'fail' || outcome === 'inconclusive' || outcome === 'invalid';
  return html`<tr data-outcome="${outcome}"><td>${badge(outcome)}</td>
<th scope="row">${told ? html`<a href="#${slug(`check-${id}`)}">${id}</a>` : id}</th>
<td>${title}${violations.length > 0 && html` <span class="times">×&nbsp;${count(violations.length)}</span>`}${note !== undefined && html`<br><small>${evidenceText(note, 400)}</small>`}</td>
<td class="figure">${count(observed)}</td></tr>`;
}

/** The first is chosen. `name`: of the group, unique in the page. */
export function filterBar(
  name: string,
  choices: readonly { readonly value: string; readonly label: string }[],
): Html {
  return html`<fieldset class="filter"><legend>show</legend>${choices.map(({ value, label }, index) => html`<label><input type="radio" name="${name}" value="${slug(value)}"${index === 0 && html` checked`}> <span>${shown(label, 60)}</span></label>`)}</fieldset>`;
}

/** The rules that make the buttons work; what they hide is shown by any browser that does not know `:has`. */
export const FILTER_STYLE = FILTERS.map(
  (outcome) =>
    `.checks:has(input[value="${outcome}"]:checked) tbody tr:not([data-outcome="${outcome}"]){display:none}`,
).join('\n');
