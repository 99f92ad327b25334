/** One exchange with all that its witnesses saw: what is wrong with it first, then the timeline, facts, headers, events, lines. */

import { duration } from '../../../analysis/duration.ts';
import { withoutCredentialShapes } from '../../../analysis/hygiene.ts';
import { decodedBody } from '../../../analysis/oracle/answer.ts';
import { plural } from '../../../analysis/plural.ts';
import { bytesOf } from '../../../analysis/wire.ts';
import type { Transcript } from '../../../protocol/transcript.ts';
import { type Html, html } from '../html.ts';
import type { Case } from './case-file.ts';
import { eventTable } from './event-table.ts';
import { evidenceText, shown, slug } from './format.ts';
import { headerTable } from './header-table.ts';
import { readingsOf } from './readings.ts';
import { witnessTable } from './witness-table.ts';
import { witnessTimeline } from './witness-timeline.ts';

export const idOf = ({ number }: Pick<Case, 'number'>): string => `x${number}`;

export const linkTo = (one: Case): Html =>
  html`<a href="#${idOf(one)}">${one.number}&nbsp;${shown(one.name, 60)}</a>`;

/** `open`: unfolded from the start. */
export function exchangeDetails(one: Case, open: boolean): Html {
  const { client, answered, problems, records, probe } = one;
  return html`<details class="exchange"${open && html` open`}>
<summary>${summaryOf(one)}</summary>
<div id="${idOf(one)}" class="inside" tabindex="-1">
${problems.length > 0 && html`<ul class="problems">${problems.map(({ check, violation }) => html`<li><a href="#${slug(`check-${check}`)}">${check}</a> ${evidenceText(violation.what, 300)}</li>`)}</ul>`}
${problems.length > 0 && readingsOf(one).map((reading) => html`<p class="reading">${evidenceText(reading, 300)}</p>`)}
${witnessTimeline(one)}
${witnessTable(one)}
${headerTable(
  'Headers of the request',
  { who: 'client sent', headers: client?.request.headers ?? null },
  { who: 'upstream got', headers: answered?.request.headers ?? null },
  { ownKey: one.lane !== 'anthropic' },
)}
${headerTable(
  'Headers of the answer',
  { who: 'upstream sent', headers: answered?.response?.headers ?? null },
  { who: 'client got', headers: client?.response?.headers ?? null },
)}
${eventTable(one)}
${bodies(one)}
${records.length > 0 && html`<h3>What the proxy logged</h3><pre tabindex="0">${records.slice(0, MOST_LINES).map((event) => html`${evidenceText(JSON.stringify(event), 2_000)}\n`)}</pre>`}
${probe !== undefined && html`<h3>This request by hand</h3><pre tabindex="0">${evidenceText(probe.reproduce, 2_000)}</pre>`}
</div></details>`;
}

/** Two lines and the start of a stream; more is a defect of its own. */
const MOST_LINES = 12;

function summaryOf({
  number,
  name,
  model,
  lane,
  client,
  answered,
  completion,
  problems,
  upstream,
}: Case): Html {
  const status = client?.response?.status ?? answered?.response?.status ?? completion?.status;
  const ms = client?.endedMs ?? upstream[0]?.endedMs ?? completion?.latency_ms;
  const mark =
    problems.length > 0
      ? html`<span class="badge fail">✕ ${plural(problems.length, 'finding')}</span>`
      : html`<span class="badge pass">✓ nothing found</span>`;
  return html`<span class="number">${number}</span><span class="name">${shown(name, 80)}</span>
<span class="meta">${[
    model,
    lane,
    status === undefined ? 'no status' : String(status),
    ms === undefined ? '' : duration(ms),
  ]
    .filter((word) => word !== null && word !== '')
    .map((word) => shown(word ?? '', 60))
    .join(' · ')}</span>${mark}`;
}

/** Enough to see what an error says or where a body departs from the other. */
const MOST_OF_A_BODY = 500;

function bodies({ client, answered }: Case): Html | null {
  const requests = texts(
    client && textOf(bytesOf(client.request.body)),
    answered && textOf(bytesOf(answered.request.body)),
    ['client sent', 'upstream got'],
  );
  const answers = texts(answered && answerText(answered), client && answerText(client), [
    'upstream sent',
    'client got',
  ]);
  if (requests === null && answers === null) return null;
  return html`<details class="bodies"><summary>Bodies</summary>
${requests !== null && html`<h3>Request</h3>${requests}`}
${answers !== null && html`<h3>Answer, without its compression</h3>${answers}`}</details>`;
}

/** What two sides had: once where it is the same, else both, each from shortly before they part. */
function texts(
  one: string | null | undefined,
  other: string | null | undefined,
  who: readonly [string, string],
): Html | null {
  if (one === null && other === null) return null;
  if ((one ?? other ?? '') === '' && (other ?? one ?? '') === '') return null;
  if (one === undefined || other === undefined || one === other)
    return html`<pre tabindex="0">${evidenceText(one ?? other ?? '', MOST_OF_A_BODY)}</pre>`;
  const from = Math.max(0, partingOf(one ?? '', other ?? '') - 80);
  const side = (text: string | null, name: string): Html =>
    html`<p class="note">${name}${from > 0 && `, from character ${from + 1}`}:</p><pre tabindex="0">${text === null ? 'cannot be read' : evidenceText(text.slice(from), MOST_OF_A_BODY)}</pre>`;
  return html`${side(one, who[0])}${side(other, who[1])}`;
}

function partingOf(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  return at;
}

/** Cleaned before it is cut: a secret that begins before the cut would not be known for one. */
const textOf = (body: Buffer | null): string | null =>
  body === null ? null : withoutCredentialShapes(body.toString('utf8'));

const answerText = (transcript: Transcript): string | null => textOf(decodedBody(transcript));
