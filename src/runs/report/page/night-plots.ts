/**
 * What the proxy took and how fast it answered, over the time of a night: every reading that was kept, what was done to the
 * proxy meanwhile, and beside each plot the slope and what it may be. In words, too: a figure for each round.
 */

import { duration } from '../../../analysis/duration.ts';
import { latencyOf, leastGain, type Measured, type Taken, takenOf } from '../../../analysis/night-trends.ts';
import { count, plural } from '../../../analysis/plural.ts';
import type { RoundAccount } from '../../../protocol/witness.ts';
import { type Html, html } from '../html.ts';
import { coordinate, linearAxis } from './axis.ts';
import { shown } from './format.ts';
import { frame, HEIGHT, largest, PLOT, quantile, swatch, tickWord, WIDTH } from './plots.ts';

/** A value, and when it was read: milliseconds since the night began, by the wall clock. */
type Reading = readonly [at: number, value: number];

/** One process of the proxy, or what was answered over one protocol in one round. */
interface Stretch {
  readonly name: string;
  readonly readings: readonly Reading[];
}

interface Plotted {
  readonly title: string;
  readonly unit: string;
  readonly stretches: readonly Stretch[];
  /** Answers are many that have nothing to do with each other, a process goes on. */
  readonly draw: typeof line;
  readonly measured: Measured;
}

const KINDS = [
  ['rssMb', 'Memory in MB', 'MB'],
  ['files', 'Open files', 'files'],
  ['sockets', 'Sockets', 'sockets'],
] as const satisfies readonly (readonly [Taken, string, string])[];

/** Null where nothing was read. */
export function nightPlots(rounds: readonly RoundAccount[]): Html | null {
  const began = rounds[0]?.startedAt ?? 0;
  const plotted: Plotted[] = [
    ...KINDS.map(([kind, title, unit]) => ({
      title,
      unit,
      stretches: livesOf(rounds, kind, began),
      draw: line,
      measured: takenOf(rounds, kind),
    })),
    {
      title: 'Plain answers in ms',
      unit: 'ms',
      stretches: rounds.map((round) => answersOf(round, began)),
      draw: dots,
      measured: latencyOf(rounds),
    },
  ].filter(({ stretches }) => stretches.some(({ readings }) => readings.length > 0));
  if (plotted.length === 0) return null;
  return html`<h3>What the proxy took, and how fast it answered</h3>
<p class="note">Each line is one process of the proxy, each dot an answer. The dashed line is as far above the median as a process may climb in its life, and answers in the whole night.</p>${KEY}
<div class="plots">${plotted.map((one) => plot(one, rounds, began))}</div>
${figuresByRound(rounds, began)}`;
}

/** Of a process that went on, readings come with each round; of one that was started amid a round, after the death before it. */
function livesOf(rounds: readonly RoundAccount[], kind: Taken, began: number): Stretch[] {
  const placed = rounds.flatMap(({ startedAt, deaths, readings }) => {
    const lives = Map.groupBy(readings ?? [], ({ life }) => life);
    return [...lives].flatMap(([life, own], index) => {
      const death = index === 0 ? undefined : deaths[index - 1];
      const from = death === undefined ? startedAt - (own[0]?.at ?? 0) : death.at + (death.backMs ?? 0);
      return own.map((one) => ({ life, reading: [from + one.at - began, one[kind]] as const }));
    });
  });
  return [...Map.groupBy(placed, ({ life }) => life)].map(([life, own]) => ({
    name: `life ${life}`,
    readings: own.map(({ reading }) => reading),
  }));
}

const answersOf = ({ round, protocol, startedAt, answers }: RoundAccount, began: number): Stretch => ({
  name: `round ${round}, HTTP/${protocol}`,
  readings: answers.map(({ at, ms }) => [startedAt + at - (answers[0]?.at ?? 0) - began, ms]),
});

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

function plot(
  { title, unit, stretches, draw, measured }: Plotted,
  rounds: readonly RoundAccount[],
  began: number,
) {
  const values = stretches.flatMap(({ readings }) => readings.map(([, value]) => value));
  const median = quantile(values, 0.5);
  const allowed = median + measured.bound;
  const end = largest(rounds.map(({ startedAt, ms }) => startedAt + ms - began));
  const [tick, word] = end > 3 * HOUR_MS ? [HOUR_MS, 'hours'] : [MINUTE_MS, 'minutes'];
  const time = linearAxis(end / tick, { from: PLOT.left, to: PLOT.right });
  const x = (ms: number): number => time.at(ms / tick);
  const y = linearAxis(Math.max(allowed, largest(values)) * 1.05, { from: PLOT.bottom, to: PLOT.top });
  const said = `${title} over ${duration(end)}: ${count(values.length)} readings in ${plural(stretches.length, 'part')}, median ${figure(median)} ${unit}, at most ${figure(largest(values))}. ${inWords(measured)}`;
  return html`<figure><figcaption>${title}</figcaption>
<svg class="plot" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${shown(said, 900)}">
${shades(rounds, began, x)}
${frame({ x: time.ticks.map((at) => [time.at(at), tickWord(at)]), y: y.ticks.map((at) => [y.at(at), tickWord(at)]), unit: `${word} since the night began` })}
<path class="line level" d="M${PLOT.left} ${coordinate(y.at(median))}H${PLOT.right}"/><path class="line bound" d="M${PLOT.left} ${coordinate(y.at(allowed))}H${PLOT.right}"/>
${faultBars(rounds, began, x)}${starts(rounds, began, x)}
${stretches.map(({ readings }) => draw(readings.map(([at, value]) => `${coordinate(x(at))} ${coordinate(y.at(value))}`)))}
${deaths(rounds, began, x)}</svg>
<p class="beside">Median ${figure(median)} ${unit}. ${inWords(measured)}</p></figure>`;
}

/** One reading alone is a dot. */
const line = (points: readonly string[]): Html =>
  points.length === 1
    ? dots(points)
    : html`<path class="line reading" d="${points.map((point, index) => `${index === 0 ? 'M' : 'L'}${point}`).join('')}"/>`;

const dots = (points: readonly string[]): Html =>
  html`<path class="line reading dots" d="${points.map((point) => `M${point}h.1`).join('')}"/>`;

const MOST_MARKS = 400;

/** Where HTTP/1.1 was set. */
const shades = (rounds: readonly RoundAccount[], began: number, x: (ms: number) => number): Html[] =>
  rounds
    .filter(({ protocol }) => protocol === '1.1')
    .slice(0, MOST_MARKS)
    .map(({ startedAt, ms }) => {
      const [from, to] = [x(startedAt - began), x(startedAt + ms - began)];
      return html`<rect class="shade" x="${coordinate(from)}" width="${coordinate(to - from)}" y="${PLOT.top}" height="${PLOT.bottom - PLOT.top}"/>`;
    });

const HIGHEST_BAR = 16;

/** How many faults a round was played, against the round that was played most. */
function faultBars(rounds: readonly RoundAccount[], began: number, x: (ms: number) => number): Html[] {
  const most = largest(rounds.map(({ faults }) => faults.length));
  return rounds
    .filter(({ faults }) => faults.length > 0)
    .slice(0, MOST_MARKS)
    .map(({ startedAt, ms, faults }) => {
      const [from, to] = [x(startedAt - began), x(startedAt + ms - began)];
      const height = (HIGHEST_BAR * faults.length) / most;
      return html`<rect class="faults" x="${coordinate(from)}" width="${coordinate(Math.max(1, to - from - 1))}" y="${coordinate(PLOT.bottom - height)}" height="${coordinate(height)}"/>`;
    });
}

/** Where another world was opened, and another proxy in it. */
const starts = (rounds: readonly RoundAccount[], began: number, x: (ms: number) => number): Html[] =>
  rounds
    .filter(({ leg }, index) => index > 0 && rounds[index - 1]?.leg !== leg)
    .slice(0, MOST_MARKS)
    .map(({ startedAt }) => upright('start', x(startedAt - began)));

const deaths = (rounds: readonly RoundAccount[], began: number, x: (ms: number) => number): Html[] =>
  rounds
    .flatMap((round) => round.deaths)
    .slice(0, MOST_MARKS)
    .map(({ at, cause }) => {
      const place = coordinate(x(at - began));
      const name = cause === 'chaos' ? 'chaos' : 'itself';
      return html`${upright(name, x(at - began))}<path class="${name}" d="M${place} ${PLOT.top + 5}m-4 -4l8 8m0 -8l-8 8"/>`;
    });

const upright = (name: string, at: number): Html =>
  html`<path class="${name}" d="M${coordinate(at)} ${PLOT.top}V${PLOT.bottom}"/>`;

const sign = (drawing: Html): Html =>
  html`<svg class="sign" viewBox="0 0 16 16" aria-hidden="true">${drawing}</svg>`;

const KEY = html`<ul class="key"><li>${swatch('level')} median</li><li>${swatch('bound')} median and what may be gained</li>
<li>${sign(html`<path class="start" d="M8 0V16"/>`)} started anew</li><li>${sign(html`<path class="chaos" d="M8 0V16m-4 -15l8 8m0 -8l-8 8"/>`)} killed by the plan</li><li>${sign(html`<path class="itself" d="M8 0V16m-4 -15l8 8m0 -8l-8 8"/>`)} died of itself, or hung</li>
<li>${sign(html`<rect class="faults" x="2" y="6" width="12" height="10"/>`)} faults played in the round</li><li>${sign(html`<rect class="shade edged" x="1" y="1" width="14" height="14"/>`)} HTTP/1.1 was set</li></ul>`;

/** The slope, what it comes to, and what it may. */
function inWords({ trend, unit, of, bound, worst }: Measured): string {
  if (trend === null) return `Too few readings for a slope; bound: ${figure(bound)} ${unit} more in ${of}.`;
  const { slope, low, high, span } = trend;
  const [gain, least, most] = [slope, low, high].map((one) => figure(one * span));
  const life =
    worst == null
      ? ''
      : ` The most in life ${worst.life}: ${figure(leastGain(worst.trend))} ${unit} or more.`;
  return `Slope ${figure(slope * MINUTE_MS)} ${unit} a minute: ${gain} (95 %: ${least} to ${most}) in ${of} of ${duration(span)}; bound ${figure(bound)}.${life}`;
}

const figure = (value: number): string => String(Number(value.toPrecision(3)) + 0);

function figuresByRound(rounds: readonly RoundAccount[], began: number): Html {
  const drawn = rounds.slice(-MOST_MARKS);
  const rest = rounds.length - drawn.length;
  return html`<details class="exchange"><summary>The same in figures, round by round</summary><div class="scroll inside" tabindex="0" role="region" aria-label="Readings by round"><table><caption>Medians of each round</caption><thead><tr><th scope="col" class="figure">round</th><th scope="col" class="figure">after</th><th scope="col" class="figure">memory</th><th scope="col" class="figure">files</th><th scope="col" class="figure">sockets</th><th scope="col" class="figure">answers</th><th scope="col" class="figure">faults</th><th scope="col" class="figure">deaths</th></tr></thead>
<tbody>${drawn.map(
    (one) =>
      html`<tr><th scope="row" class="figure">${one.round}</th><td class="figure">${duration(one.startedAt - began)}</td>${KINDS.map(
        ([kind, , unit]) =>
          html`<td class="figure">${middle(
            (one.readings ?? []).map((reading) => reading[kind]),
            unit === 'MB' ? ' MB' : '',
          )}</td>`,
      )}<td class="figure">${middle(
        one.answers.map(({ ms }) => ms),
        ' ms',
      )}</td><td class="figure">${one.faults.length}</td><td class="figure">${one.deaths.length}</td></tr>`,
  )}</tbody></table>
${rest > 0 && html`<p class="note">${plural(rest, 'round')} before these, in <code>events.jsonl</code>.</p>`}</div></details>`;
}

const middle = (values: readonly number[], unit: string): string =>
  values.length === 0 ? '–' : `${figure(quantile(values, 0.5))}${unit}`;
