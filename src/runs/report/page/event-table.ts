/** The events of a stream: when each left the upstream, when it reached the client, and what became of those that differ. */

import { duration } from '../../../analysis/duration.ts';
import { count, plural } from '../../../analysis/plural.ts';
import { type Html, html } from '../html.ts';
import { beginOf, type Case } from './case-file.ts';
import { evidenceText } from './format.ts';
import { type EventPair, eventsOf, isEqual, pairEvents, type TimedEvent } from './stream-events.ts';

/** Of a long stream its beginning and its end, and what differs. */
const FIRST = 24;
const LAST = 8;
const MOST_DIFFERENT = 24;

export function eventTable(one: Case): Html | null {
  const sent = eventsOf(one.answered);
  const got = eventsOf(one.client);
  if (sent === null && got === null) return null;
  const pairs = pairEvents(sent ?? [], got ?? []);
  const wrong = pairs.filter((pair) => !isEqual(pair)).length;
  const rows = pairs.map((pair, index) => ({ pair, number: index + 1 }));
  const kept = chosen(rows);
  const begin = beginOf(one);
  return html`<table class="events"><caption>Events: ${count(sent?.length ?? 0)} sent, ${count(got?.length ?? 0)} received${wrong > 0 && sent !== null && got !== null && html`, <strong>${plural(wrong, 'line')} that differ${wrong === 1 && 's'}</strong>`}</caption>
<thead><tr><th scope="col" class="figure">#</th><th scope="col">event</th><th scope="col" class="figure">upstream sent</th><th scope="col" class="figure">client got</th><th scope="col" class="figure">on the way</th></tr></thead>
<tbody>${kept.map((row) => drawRow(row, begin))}</tbody></table>
${kept.length < rows.length && html`<p class="note">${plural(rows.length - kept.length, 'event')} in between, not shown.</p>`}`;
}

interface Row {
  readonly pair: EventPair;
  readonly number: number;
}

function chosen(rows: readonly Row[]): Row[] {
  if (rows.length <= FIRST + LAST) return [...rows];
  const different = new Set(rows.filter(({ pair }) => !isEqual(pair)).slice(0, MOST_DIFFERENT));
  return rows.filter((row, index) => index < FIRST || index >= rows.length - LAST || different.has(row));
}

function drawRow({ pair, number }: Row, begin: number): Html {
  const { sent, got } = pair;
  const event = sent ?? got;
  if (event === null) return html``;
  const flag = isEqual(pair) ? null : got === null ? 'never arrived' : 'was never sent';
  return html`<tr${flag !== null && html` class="differs"`}><td class="figure">${number}</td>
<td>${evidenceText(event.type, 60)} ${flag !== null && html`<span class="flag">${flag}</span><br><code>${evidenceText(event.data, 200)}</code>`}</td>
<td class="figure">${time(sent, begin)}</td><td class="figure">${time(got, begin)}</td><td class="figure">${delay(pair)}</td></tr>`;
}

const time = (event: TimedEvent | null, begin: number): string =>
  event === null ? '–' : event.at === null ? 'yes' : duration(event.at - begin);

function delay({ sent, got }: EventPair): string {
  const [from, to] = [sent?.at ?? null, got?.at ?? null];
  return from === null || to === null ? '' : duration(to - from);
}
