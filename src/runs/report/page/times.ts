/** How long answers took, what the proxy added, and whether streams kept their pace. */

import { duration } from '../../../analysis/duration.ts';
import { isStream } from '../../../analysis/oracle/answer.ts';
import { count, plural } from '../../../analysis/plural.ts';
import type { Transcript } from '../../../protocol/transcript.ts';
import { type Html, html } from '../html.ts';
import type { Case } from './case-file.ts';
import { linkTo } from './exchange.ts';
import { shown } from './format.ts';
import { type Curve, distributionPlot, largest, paceKey, pacePlot, quantile, type Series } from './plots.ts';

/** `linked`: those that the page shows by themselves. */
export function timesSection(cases: readonly Case[], linked: readonly Case[]): Html {
  const whole = cases.filter(({ client }) => client?.ending === 'complete' && client.response !== undefined);
  const total = byLane(whole, ({ client }) => client?.endedMs);
  const first = byLane(whole, ({ client }) => client?.response?.headMs);
  const added = byLane(whole, addedMs);
  const plots = [
    distributionPlot({
      title: 'Whole answers, as clients had them',
      unit: 'ms from request to last byte (logarithmic)',
      series: total,
    }),
    distributionPlot({
      title: 'First byte of the answer',
      unit: 'ms from request to answer (logarithmic)',
      series: first,
    }),
    distributionPlot({
      title: 'First byte at the client, less first byte at the upstream',
      unit: 'ms between them (logarithmic)',
      series: added,
    }),
  ].filter((plot) => plot !== null);
  return html`<section aria-labelledby="times"><h2 id="times">Times and pace</h2>
${plots.length === 0 ? html`<p>No client had a whole answer.</p>` : html`<p>The height of a line is the share of answers that took up to so long. Only answers that came whole are counted. One machine carried clients, proxy and upstreams: these are times of the proof, not of the proxy in use.</p><div class="plots">${plots}</div>${quantiles(total)}`}
${pace(cases, new Set(linked))}</section>`;
}

function byLane(cases: readonly Case[], read: (one: Case) => number | undefined): Series[] {
  const values = cases.flatMap((one) => {
    const value = read(one);
    return value === undefined ? [] : [{ lane: one.lane ?? 'no lane', value }];
  });
  return [...Map.groupBy(values, ({ lane }) => lane)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, group]) => ({ name, values: group.map(({ value }) => value) }));
}

/** Meaningful where one upstream was asked. */
function addedMs({ client, upstream }: Case): number | undefined {
  const [only] = upstream;
  if (client?.response === undefined || only?.response === undefined || upstream.length > 1) return undefined;
  return client.response.headMs - only.response.headMs;
}

/** Fewer values than these say nothing about so rare a time. */
const LEAST_FOR = { p95: 59, p99: 299 } as const;

function quantiles(series: readonly Series[]): Html {
  const rare = (values: readonly number[], share: number, least: number): string =>
    values.length < least ? 'n too small' : duration(quantile(values, share));
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Whole answers by lane"><table><caption>Whole answers by lane</caption><thead><tr><th scope="col">lane</th><th scope="col" class="figure">n</th><th scope="col" class="figure">median</th><th scope="col" class="figure">p95</th><th scope="col" class="figure">p99</th><th scope="col" class="figure">longest</th></tr></thead>
<tbody>${series.map(({ name, values }) => html`<tr><th scope="row">${shown(name, 40)}</th><td class="figure">${count(values.length)}</td><td class="figure">${duration(quantile(values, 0.5))}</td><td class="figure">${rare(values, 0.95, LEAST_FOR.p95)}</td><td class="figure">${rare(values, 0.99, LEAST_FOR.p99)}</td><td class="figure">${duration(largest(values))}</td></tr>`)}</tbody></table></div>`;
}

const MOST_STREAMS = 6;

/** Those with findings first, then those with a timeline on the page, the longest before the others. */
function pace(cases: readonly Case[], linked: ReadonlySet<Case>): Html | null {
  const streams = cases.flatMap((one) => {
    const { answered, client } = one;
    const sent = answered !== undefined && isStream(answered) ? curveOf(answered, 'sent', answered) : null;
    if (sent === null || answered === undefined || client === undefined) return [];
    return [{ one, sent, got: curveOf(client, 'got', answered), span: sent.points.at(-1)?.[0] ?? 0 }];
  });
  if (streams.length === 0) return null;
  const held = ({ one }: (typeof streams)[number]): number =>
    one.problems.some(({ check }) => check.startsWith('STREAM')) ? 0 : 1;
  const unlinked = ({ one }: (typeof streams)[number]): number => (linked.has(one) ? 0 : 1);
  const drawn = streams
    .toSorted((a, b) => held(a) - held(b) || unlinked(a) - unlinked(b) || b.span - a.span)
    .slice(0, MOST_STREAMS);
  const rest = streams.length - drawn.length;
  return html`<h3>Pace of streams</h3>${paceKey()}
<div class="plots">${drawn.map(({ one, sent, got }) => pacePlot(linked.has(one) ? linkTo(one) : html`${one.number}&nbsp;${shown(one.name, 60)}`, paceWords(one, sent, got), got === null ? [sent] : [sent, got]))}</div>
${rest > 0 && html`<p class="note">${plural(rest, 'stream')} more, without such findings, not drawn.</p>`}`;
}

/** The bytes in all that had passed an observer, in milliseconds from the first piece at the upstream. */
function curveOf({ startedAt, response }: Transcript, name: string, upstream: Transcript): Curve | null {
  const pieces = response?.body.pieces ?? [];
  const zero = upstream.startedAt + (upstream.response?.body.pieces[0]?.[0] ?? 0);
  let sum = 0;
  const points = pieces.map(([ms, length]): readonly [number, number] => {
    sum += length;
    return [Math.max(0, startedAt + ms - zero), sum];
  });
  return points.length === 0 ? null : { name, points };
}

function paceWords({ name }: Case, sent: Curve, got: Curve | null): string {
  const say = ({ points }: Curve): string =>
    `${plural(points.length, 'piece')} from ${duration(points[0]?.[0] ?? 0)} to ${duration(points.at(-1)?.[0] ?? 0)}`;
  return shown(
    `Pace of ${name}. The upstream sent ${say(sent)}; the client got ${got === null ? 'nothing' : say(got)}.`,
    400,
  );
}
