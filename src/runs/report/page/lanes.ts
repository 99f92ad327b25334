/** What went over each lane, and how many tokens it used: by the log, and by the upstreams themselves. */
import { answerOf } from '../../../analysis/oracle/answer.ts';
import { tokensOf } from '../../../analysis/oracle/tokens.ts';
import { count } from '../../../analysis/plural.ts';
import type { Tokens } from '../../../protocol/usage-event.ts';
import { type Html, html } from '../html.ts';
import type { Case } from './case-file.ts';
import { shown } from './format.ts';

export function lanesSection(cases: readonly Case[]): Html {
  const lanes = [...Map.groupBy(cases, ({ lane }) => lane ?? 'no lane')].toSorted(([a], [b]) =>
    a < b ? -1 : 1,
  );
  return html`<section aria-labelledby="lanes"><h2 id="lanes">Lanes and tokens</h2>
<p>The first line of each lane is the sum of the proxy’s log, the second that of what its upstream stated. A stream that a client left may differ: the proxy counts what it saw.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Lanes and tokens"><table><caption class="unseen">Exchanges and tokens of each lane</caption><thead><tr><th scope="col">lane</th><th scope="col">by</th><th scope="col" class="figure">exchanges</th><th scope="col" class="figure">not 2xx</th><th scope="col" class="figure">input</th><th scope="col" class="figure">output</th><th scope="col" class="figure">cache read</th><th scope="col" class="figure">cache written</th></tr></thead>
<tbody>${lanes.map(([lane, group]) => laneRows(lane, group))}</tbody></table></div>${models(cases)}</section>`;
}

function laneRows(lane: string, cases: readonly Case[]): Html {
  const logged = cases.flatMap(({ completion }) => completion ?? []);
  const asked = cases.filter(({ upstream }) => upstream.length > 0);
  const log = sumOf(logged.map(({ tokens }) => tokens));
  const truth = sumOf(asked.map(({ answered }) => answered && tokensOf(answerOf(answered))));
  const differ = figures(log).join() !== figures(truth).join();
  const bad = (status: number | undefined): boolean => status !== undefined && (status < 200 || status > 299);
  const row = (by: string, all: number, refused: number, tokens: Tokens): Html =>
    html`<tr${differ && html` class="differs"`}>${by === 'log' && html`<th scope="rowgroup" rowspan="2">${shown(lane, 40)}${differ && html` <span class="flag">differs</span>`}</th>`}<td>${by}</td><td class="figure">${count(all)}</td><td class="figure">${count(refused)}</td>${figures(tokens).map((figure) => html`<td class="figure">${count(figure)}</td>`)}</tr>`;
  return html`${row('log', logged.length, logged.filter(({ status }) => bad(status)).length, log)}
${row('upstream', asked.length, asked.filter(({ answered }) => bad(answered?.response?.status)).length, truth)}`;
}

const figures = ({
  input,
  output,
  cache_read: read,
  cache_write_5m: short,
  cache_write_1h: long,
}: Tokens): number[] => [input, output, read, short + long];

const NONE: Tokens = { input: 0, output: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 };

const sumOf = (all: readonly (Tokens | undefined)[]): Tokens =>
  all.reduce<Tokens>(
    (sum, tokens = NONE) => ({
      input: sum.input + tokens.input,
      output: sum.output + tokens.output,
      cache_read: sum.cache_read + tokens.cache_read,
      cache_write_5m: sum.cache_write_5m + tokens.cache_write_5m,
      cache_write_1h: sum.cache_write_1h + tokens.cache_write_1h,
    }),
    NONE,
  );

/** More models than these are somebody's typing. */
const MOST_MODELS = 12;

function models(cases: readonly Case[]): Html | null {
  const groups = [
    ...Map.groupBy(cases, ({ model, lane, completion }) =>
      JSON.stringify([model, lane, completion?.decision]),
    ),
  ]
    .map(([, group]) => group)
    .toSorted((a, b) => b.length - a.length);
  if (groups.length === 0) return null;
  return html`<table class="wide"><caption>Where each model went, as the upstreams saw it, and why, as the log says</caption><thead><tr><th scope="col">model</th><th scope="col">lane</th><th scope="col">decision</th><th scope="col" class="figure">exchanges</th></tr></thead>
<tbody>${groups.slice(0, MOST_MODELS).map(modelRow)}</tbody></table>
${groups.length > MOST_MODELS && html`<p class="note">${count(groups.length - MOST_MODELS)} combinations more, not shown.</p>`}`;
}

const modelRow = (group: readonly Case[]): Html => {
  const { model, lane, completion } = group[0] ?? { model: null, lane: null, completion: undefined };
  return html`<tr><th scope="row">${shown(model ?? 'none', 80)}</th><td>${shown(lane ?? 'none', 40)}</td><td>${shown(completion?.decision ?? 'none on record', 40)}</td><td class="figure">${count(group.length)}</td></tr>`;
};
