/** The headers of a message as its sender and its receiver had them: equal ones once, others side by side. */

import { plural } from '../../../analysis/plural.ts';
import type { HeaderPairs } from '../../../protocol/transcript.ts';
import { type Html, html } from '../html.ts';
import { evidenceText, shown } from './format.ts';

interface Side {
  readonly who: string;
  /** Null where this side saw no such message. */
  readonly headers: HeaderPairs | null;
}

/** A message with more is cut; nobody sends so many but to see what happens. */
const MOST_HEADERS = 60;
const MOST_CHARACTERS = 240;

/** Credentials are shown under their names alone, whatever their shape. */
const CREDENTIALS = new Set([
  'authorization',
  'proxy-authorization',
  'x-api-key',
  'x-ccp-token',
  'cookie',
  'set-cookie',
]);

/** Hop-by-hop and framing headers, which belong to one connection and may differ (RFC 9110 section 7.6.1). */
const OWN_OF_EACH_HOP = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'upgrade',
  'host',
  'date',
  'content-length',
]);

/** A lane with a key of its own gets that in the place of the client's: `ownKey`. */
export function headerTable(
  caption: string,
  sender: Side,
  receiver: Side,
  { ownKey = false }: { readonly ownKey?: boolean } = {},
): Html | null {
  if (sender.headers === null && receiver.headers === null) return null;
  const rows = align(sender.headers ?? [], receiver.headers ?? []);
  const rest = rows.length - MOST_HEADERS;
  return html`<table class="stack headers"><caption>${caption}</caption>
<thead><tr><th scope="col">header</th><th scope="col">${sender.who}</th><th scope="col">${receiver.who}</th></tr></thead>
<tbody>${rows.slice(0, MOST_HEADERS).map((row) => drawRow(row, sender, receiver, ownKey))}</tbody></table>
${rest > 0 && html`<p class="note">${plural(rest, 'header')} more, not shown.</p>`}`;
}

interface Row {
  readonly name: string;
  readonly sent: string | undefined;
  readonly got: string | undefined;
}

/** By name and occurrence, in the order of the sender; what came up on the way stands last. */
function align(sent: HeaderPairs, got: HeaderPairs): Row[] {
  const arrived = new Map(numbered(got).map(({ key, value }) => [key, value]));
  const rows = numbered(sent).map(({ key, name, value }) => {
    const other = arrived.get(key);
    arrived.delete(key);
    return { name, sent: value, got: other };
  });
  return [
    ...rows,
    ...numbered(got)
      .filter(({ key }) => arrived.has(key))
      .map(({ name, value }) => ({ name, sent: undefined, got: value })),
  ];
}

function numbered(
  headers: HeaderPairs,
): { readonly key: string; readonly name: string; readonly value: string }[] {
  const seen = new Map<string, number>();
  return headers.map(([name, value]) => {
    const lower = name.toLowerCase();
    const nth = seen.get(lower) ?? 0;
    seen.set(lower, nth + 1);
    return { key: `${lower} ${nth}`, name: lower, value };
  });
}

function drawRow({ name, sent, got }: Row, sender: Side, receiver: Side, ownKey: boolean): Html {
  const show = (value: string): Html =>
    evidenceText(CREDENTIALS.has(name) ? named(value) : value, MOST_CHARACTERS);
  if (sent === got && sent !== undefined)
    return html`<tr><th scope="row">${shown(name, 80)}</th><td colspan="2" data-label="both">${show(sent)}</td></tr>`;
  const own =
    OWN_OF_EACH_HOP.has(name) ||
    name.startsWith(':') ||
    (ownKey && CREDENTIALS.has(name)) ||
    sender.headers === null ||
    receiver.headers === null;
  const flag = sent === undefined ? 'added' : got === undefined ? 'gone' : 'changed';
  const cell = (value: string | undefined, { who }: Side): Html =>
    html`<td data-label="${who}">${value === undefined ? html`<span class="none">–</span>` : show(value)}</td>`;
  return html`<tr class="${own ? 'own' : 'differs'}"><th scope="row">${shown(name, 80)} ${!own && html`<span class="flag">${flag}</span>`}</th>${cell(sent, sender)}${cell(got, receiver)}</tr>`;
}

/** A credential under the name that the run gave it; one without a name is only measured. */
function named(value: string): string {
  const names = value.match(/\{\{[a-z][\w:.-]{0,60}\}\}/g) ?? [];
  const scheme = /^(?:bearer|basic) /i.exec(value)?.[0] ?? '';
  return names.length > 0
    ? `${scheme}${names.join(' ')}`
    : `(${plural(value.length, 'character')}, not shown)`;
}
