/** One exchange drawn over time: a row each for the client, the proxy and each upstream that was asked. */

import { duration } from '../../../analysis/duration.ts';
import type { Ending, Transcript } from '../../../protocol/transcript.ts';
import { type Html, html } from '../html.ts';
import { type Axis, coordinate, linearAxis } from './axis.ts';
import { beginOf, type Case } from './case-file.ts';

const WIDTH = 440;
const LEFT = 76;
const ROW = 26;
const TOP = 8;
const FOOT = 34;
/** Attempts beyond these are in the table alone. */
const MOST_ROWS = 6;
/** More pieces than these cannot be told apart. */
const MOST_TICKS = 120;

interface Row {
  readonly who: 'client' | 'proxy' | 'upstream';
  readonly label: string;
  /** Milliseconds from the first byte of the client's request, as all below. */
  readonly from: number;
  readonly to: number;
  readonly head: number | null;
  readonly ticks: readonly number[];
  readonly ending: Ending | 'record';
}

export function witnessTimeline(one: Case): Html {
  const begin = beginOf(one);
  const rows = rowsOf(one, begin).slice(0, MOST_ROWS);
  const most = Math.max(1, ...rows.map(({ to }) => to));
  const height = TOP + rows.length * ROW + FOOT;
  const axis = linearAxis(most, { from: LEFT, to: WIDTH - 12 });
  const bottom = TOP + rows.length * ROW;
  return html`<svg class="plot" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${describe(rows)}">
<g class="grid">${axis.ticks.map((tick) => html`<line x1="${coordinate(axis.at(tick))}" x2="${coordinate(axis.at(tick))}" y1="${TOP}" y2="${bottom}"/>`)}</g>
${rows.map((row, index) => drawRow(row, TOP + index * ROW + ROW / 2, axis))}
<g class="words">${axis.ticks.map((tick) => html`<text x="${coordinate(axis.at(tick))}" y="${bottom + 13}" text-anchor="middle">${tickWord(tick)}</text>`)}
<text x="${(LEFT + WIDTH - 12) / 2}" y="${bottom + 29}" text-anchor="middle">ms since the first byte of the request</text></g>
</svg>`;
}

const tickWord = (tick: number): string => String(Number(tick.toPrecision(3)));

function rowsOf(one: Case, begin: number): Row[] {
  const { client, upstream } = one;
  return [
    ...(client === undefined ? [] : [wireRow(client, 'client', begin)]),
    ...proxyRow(one, begin),
    ...upstream.map((transcript) => wireRow(transcript, 'upstream', begin)),
  ];
}

function wireRow(transcript: Transcript, who: 'client' | 'upstream', begin: number): Row {
  const { startedAt, endedMs, response, ending, observer } = transcript;
  const from = startedAt - begin;
  const pieces = response?.body.pieces ?? [];
  const every = Math.ceil(pieces.length / MOST_TICKS) || 1;
  return {
    who,
    label: who === 'client' ? 'client' : observer,
    from,
    to: from + endedMs,
    head: response === undefined ? null : from + response.headMs,
    ticks: pieces.filter((_, index) => index % every === 0).map(([ms]) => from + ms),
    ending,
  };
}

/** As its own records have it: a claim, drawn where it claims to be. */
function proxyRow({ completion, records }: Case, begin: number): Row[] {
  if (completion === undefined) return [];
  const to = Date.parse(completion.ts) - begin;
  const from = to - completion.latency_ms;
  if (!Number.isFinite(from)) return [];
  return [
    {
      who: 'proxy',
      label: 'proxy',
      from: Math.max(0, from),
      to,
      head: completion.ttfb_ms === undefined ? null : from + completion.ttfb_ms,
      ticks: records.map(({ ts }) => Date.parse(ts) - begin).filter((ms) => Number.isFinite(ms)),
      ending: 'record',
    },
  ];
}

function drawRow({ who, label, from, to, head, ticks, ending }: Row, y: number, { at }: Axis): Html {
  const [x1, x2] = [at(from), at(to)];
  const strokes = ticks.map((tick) => `M${coordinate(at(tick))} ${coordinate(y - 6)}v12`).join('');
  return html`<g class="${who}"><text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${label.slice(0, 11)}</text>
<line class="life" x1="${coordinate(x1)}" x2="${coordinate(Math.max(x2, x1 + 1))}" y1="${y}" y2="${y}"/>
${strokes !== '' && html`<path class="ticks" d="${strokes}"/>`}
${head !== null && html`<path class="mark" d="M${coordinate(at(head))} ${y - 3}l-4 -7h8z"/>`}
${drawEnd(ending, x2, y)}</g>`;
}

/** By shape, not by colour: a whole end is a full circle, a departure an open one, a break a cross, a limit a bar. */
function drawEnd(ending: Row['ending'], x: number, y: number): Html {
  const [cx, cy] = [coordinate(x), coordinate(y)];
  switch (ending) {
    case 'complete':
      return html`<circle class="mark" cx="${cx}" cy="${cy}" r="4"/>`;
    case 'ended_by_self':
      return html`<circle class="open" cx="${cx}" cy="${cy}" r="4"/>`;
    case 'cut_by_peer':
      return html`<path class="cross" d="M${coordinate(x - 4)} ${coordinate(y - 4)}l8 8m0 -8l-8 8"/>`;
    case 'timeout':
      return html`<path class="cross" d="M${cx} ${coordinate(y - 8)}v16"/>`;
    case 'record':
      return html`<rect class="mark" x="${coordinate(x - 3.5)}" y="${coordinate(y - 3.5)}" width="7" height="7"/>`;
  }
}

export const ENDING_WORDS: Readonly<Record<Ending, string>> = {
  complete: 'whole',
  ended_by_self: 'ended it itself',
  cut_by_peer: 'was cut off',
  timeout: 'ran out of time',
};

function describe(rows: readonly Row[]): string {
  const said = rows.map(({ who, label, from, to, head, ticks, ending }) => {
    const name = who === 'upstream' ? `upstream ${label}` : who;
    const first = head === null ? 'no answer began' : `the answer began at ${duration(head)}`;
    const pieces = who === 'proxy' ? '' : `, in ${ticks.length} pieces`;
    const end = ending === 'record' ? 'on record' : ENDING_WORDS[ending];
    return `${name}: from ${duration(from)}, ${first}${pieces}, ended at ${duration(to)}, ${end}`;
  });
  return `Timeline. ${said.join('. ')}.`;
}

/** What the shapes mean, once for all timelines. */
export function timelineKey(): Html {
  const sign = (shape: Html): Html =>
    html`<svg class="sign" viewBox="0 0 16 16" aria-hidden="true"><g class="client">${shape}</g></svg>`;
  return html`<ul class="key" aria-label="Shapes in the timelines">
<li>${sign(html`<path class="mark" d="M8 11l-4 -7h8z"/>`)} answer begins</li>
<li>${sign(html`<path class="ticks" d="M4 2v12M8 2v12M12 2v12"/>`)} a piece of the body; at the proxy, a line of its log</li>
<li>${sign(drawEnd('complete', 8, 8))} ended whole</li>
<li>${sign(drawEnd('ended_by_self', 8, 8))} ended it itself</li>
<li>${sign(drawEnd('cut_by_peer', 8, 8))} was cut off</li>
<li>${sign(drawEnd('timeout', 8, 8))} ran out of time</li>
<li>${sign(drawEnd('record', 8, 8))} end of the proxy’s record</li>
</ul>`;
}
