/** What was taken out before anything was stored: the names that stand in the place of credentials, where, and how often. */
import type { Evidence, Night } from '../../../analysis/evidence.ts';
import { decodedBody } from '../../../analysis/oracle/answer.ts';
import { count } from '../../../analysis/plural.ts';
import { bytesOf } from '../../../analysis/wire.ts';
import type { Transcript } from '../../../protocol/transcript.ts';
import { type Html, html } from '../html.ts';
import { shown } from './format.ts';

export function redactionsSection(evidence: Evidence): Html {
  const credentials = evidence.canaries.filter(({ name }) => !name.startsWith('prompt:'));
  const counts = countsOf(evidence, new Set(credentials.map(({ name }) => name)));
  const names = [...new Set([...counts.values()].flatMap((places) => [...places.keys()]))].toSorted();
  const unseen = credentials.filter(({ name }) => !names.includes(name));
  const isGone = keepsNoExchange(evidence);
  return html`<section aria-labelledby="redacted"><h2 id="redacted">What was redacted</h2>
<p>Each credential of the run was replaced by its name in double braces before it was stored, in every disguise that the search for leaks knows. Anything else in the shape of a credential is named by its shape in this file. No secret is in it, masked or not.</p>
${isGone && goneInWords(evidence.night?.rounds ?? [])}
${
  names.length === 0
    ? html`<p>${isGone ? 'In what is left of it no name stands in the place of a credential.' : 'No credential was seen anywhere.'}</p>`
    : html`<div class="scroll" tabindex="0" role="region" aria-label="Redactions"><table><caption class="unseen">How often each name stands in the place of a credential</caption><thead><tr><th scope="col">place</th>${names.map((name) => html`<th scope="col" class="figure">${shown(name, 40)}</th>`)}</tr></thead>
<tbody>${[...counts].map(([place, own]) => html`<tr><th scope="row">${shown(place, 80)}</th>${names.map((name) => html`<td class="figure">${own.has(name) ? count(own.get(name) ?? 0) : html`<span class="none">–</span>`}</td>`)}</tr>`)}</tbody></table></div>`
}
${!isGone && unseen.length > 0 && html`<p class="note">Planted and seen nowhere: ${shown(unseen.map(({ name }) => name).join(', '), 600)}.</p>`}</section>`;
}

/** Of a night nothing is left but what its rounds came to, and the worlds of some that were red. */
export const keepsNoExchange = ({ night, client, upstream }: Evidence): boolean =>
  night !== undefined && client.length + upstream.length === 0;

function goneInWords(rounds: Night['rounds']): Html {
  const kept = keptIn(rounds);
  return html`<p><strong>How often cannot be said of a night.</strong> Its exchanges were searched and judged as each round ended, and deleted with it${kept.length > 0 && html`, but for those in ${keptInWords(kept)}, whose own reports count what was redacted in them`}.</p>`;
}

/** Folders of whole worlds, relative to that of the night. */
export const keptIn = (rounds: Night['rounds']): readonly string[] => [
  ...new Set(rounds.flatMap(({ kept }) => kept ?? [])),
];

export const keptInWords = (kept: readonly string[]): Html =>
  html`${kept.map((place, at) => html`${at > 0 && ', '}<code>${shown(place, 80)}</code>`)}`;

type Counts = Map<string, Map<string, number>>;

/** `known`: other words in double braces are a client's own way of writing. */
function countsOf({ client, upstream, artifacts }: Evidence, known: ReadonlySet<string>): Counts {
  const counts: Counts = new Map();
  const add = (place: string, text: string): void => {
    for (const [, name = ''] of text.matchAll(/\{\{([a-z][\w.-]{0,60})\}\}/g)) {
      if (!known.has(name)) continue;
      const own = counts.get(place) ?? new Map<string, number>();
      counts.set(place, own.set(name, (own.get(name) ?? 0) + 1));
    }
  };
  for (const transcript of [...client, ...upstream]) {
    const who = transcript.side === 'client' ? 'client' : `upstream ${transcript.observer}`;
    add(`${who}, requests`, requestText(transcript));
    add(`${who}, answers`, answerText(transcript));
  }
  // The wire is counted above, from the transcripts.
  for (const { place, text } of artifacts) if (!place.startsWith('wire:')) add(place, text);
  return counts;
}

const headerText = (headers: Transcript['request']['headers']): string =>
  headers.map(([, value]) => value).join('\n');

const requestText = ({ request }: Transcript): string =>
  [request.target, headerText(request.headers), bytesOf(request.body)?.toString('latin1') ?? ''].join('\n');

const answerText = (transcript: Transcript): string =>
  [headerText(transcript.response?.headers ?? []), decodedBody(transcript)?.toString('latin1') ?? ''].join(
    '\n',
  );
