/** A night, round by round: what each came to, and where the whole of its evidence is if that was kept. */

import { duration } from '../../../analysis/duration.ts';
import { countRounds, roundsInWords } from '../../../analysis/night-rounds.ts';
import { count, plural } from '../../../analysis/plural.ts';
import type { Night, RoundAccount } from '../../../protocol/witness.ts';
import { type Html, html } from '../html.ts';
import { shown } from './format.ts';
import { nightPlots } from './night-plots.ts';

/** Of a long night the red rounds, and as many of the others as there is room for. */
const MOST_ROUNDS = 400;
const MOST_FAULTS = 12;

/** Links are relative to the folder of the run, in which the page lies. */
export function nightSection({ rounds }: Night): Html {
  const red = rounds.filter(isRed);
  const shownRounds = chosen(rounds, red.length);
  const rest = rounds.length - shownRounds.length;
  return html`<section aria-labelledby="night"><h2 id="night">The night, round by round</h2>
<p class="note">${roundsInWords(countRounds(rounds))}, ${count(red.length)} of them red. Of a round that was kept, <code>ccp-uat report</code> with its folder makes a page like this.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Rounds of the night"><table><caption>What each round came to</caption><thead><tr><th scope="col" class="figure">round</th><th scope="col">protocol</th><th scope="col">verdict</th><th scope="col" class="figure">exchanges</th><th scope="col" class="figure">lasted</th><th scope="col">checks that were not satisfied</th><th scope="col">deaths of the proxy</th><th scope="col">faults</th><th scope="col">evidence</th></tr></thead>
<tbody>${shownRounds.map(row)}</tbody></table></div>
${rest > 0 && html`<p class="note">${plural(rest, 'green round')} more, in <code>events.jsonl</code>.</p>`}
${nightPlots(rounds)}</section>`;
}

const isRed = ({ verdict }: RoundAccount): boolean => verdict.outcome !== 'pass';

/** In the order of the night. */
function chosen(rounds: readonly RoundAccount[], red: number): readonly RoundAccount[] {
  let room = Math.max(0, MOST_ROUNDS - red);
  return rounds.filter((one) => {
    if (isRed(one)) return true;
    room -= 1;
    return room >= 0;
  });
}

const row = (one: RoundAccount): Html =>
  html`<tr><th scope="row" class="figure">${one.round}${one.partial && ' (interrupted)'}</th><td>HTTP/${one.protocol}</td><td>${one.verdict.outcome}</td><td class="figure">${count(one.witnesses.client)}</td><td class="figure">${duration(one.ms)}${one.stalledMs > 0 && html`<br><small>stood still ${duration(one.stalledMs)}</small>`}</td><td class="prose">${redWords(one)}</td><td>${deathWords(one)}</td><td class="prose">${faultWords(one)}</td><td>${one.kept === null ? 'summed up' : html`<a href="${keptLink(one.kept)}">${shown(one.kept, 80)}</a>`}</td></tr>`;

/** A folder: it has a page of its own only once somebody asks for that. */
const keptLink = (kept: string): string => `./${kept.split('/').map(encodeURIComponent).join('/')}/`;

const redWords = ({ verdict: { red } }: RoundAccount): string =>
  red.map(({ id, outcome, what }) => `${shown(id, 40)} is ${outcome}: ${shown(what, 200)}`).join('; ') ||
  'none';

const DEATHS = { chaos: 'killed by the plan', itself: 'of itself', hung: 'killed, as it hung' } as const;

const deathWords = ({ deaths }: RoundAccount): string =>
  deaths
    .map(({ cause, backMs }) => {
      return `${DEATHS[cause]}, ${backMs === null ? 'not back' : `back after ${duration(backMs)}`}`;
    })
    .join('; ') || 'none';

function faultWords({ faults }: RoundAccount): string {
  const kinds = Map.groupBy(faults, ({ scenario }) => scenario);
  const words = [...kinds].map(([scenario, played]) => `${shown(scenario, 60)} × ${played.length}`);
  const rest = words.length - MOST_FAULTS;
  return [...words.slice(0, MOST_FAULTS), ...(rest > 0 ? [`${rest} more`] : [])].join(', ') || 'none';
}
