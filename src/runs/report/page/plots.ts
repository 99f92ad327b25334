/** Distributions as the share of values up to each value: every value counts, and nothing is smoothed. */

import { duration } from '../../../analysis/duration.ts';
import { count } from '../../../analysis/plural.ts';
import { type Html, html } from '../html.ts';
import { coordinate, linearAxis, logAxis } from './axis.ts';
import { shown } from './format.ts';

export interface Series {
  readonly name: string;
  readonly values: readonly number[];
}

/** Of every drawing, in its own units. */
export const WIDTH = 440;
export const HEIGHT = 230;
/** The room between the axes. */
export const PLOT = { left: 46, right: WIDTH - 14, top: 10, bottom: HEIGHT - 42 };
/** More points than these are finer than a line is wide. */
const MOST_POINTS = 160;
/** Told apart by dashes as well as by colour; more lines than these could not be. */
const MOST_SERIES = 4;

/** Shares of values up to each duration, a line a series. `unit`: what the horizontal axis says. */
export function distributionPlot({
  title,
  unit,
  series,
}: {
  readonly title: string;
  readonly unit: string;
  readonly series: readonly Series[];
}): Html | null {
  const lines = series.filter(({ values }) => values.length > 0).slice(0, MOST_SERIES);
  // A logarithm has no zero: what is under a tenth of a millisecond stands at the edge.
  const all = lines.flatMap(({ values }) => values.map((value) => Math.max(value, 0.1)));
  if (all.length === 0) return null;
  const x = logAxis(smallest(all), largest(all), { from: PLOT.left, to: PLOT.right });
  const y = linearAxis(100, { from: PLOT.bottom, to: PLOT.top });
  const said = lines.map(
    ({ name, values }) =>
      `${name}: ${values.length} values, half of them up to ${duration(quantile(values, 0.5))}, all up to ${duration(largest(values))}`,
  );
  return html`<figure><figcaption>${title}</figcaption>
<svg class="plot" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${shown(`${title}. ${said.join('. ')}.`, 900)}">
${frame({ x: x.ticks.map((tick) => [x.at(tick), tickWord(tick)]), y: [0, 25, 50, 75, 100].map((tick) => [y.at(tick), `${tick} %`]), unit })}
${lines.map(({ values }, index) => html`<path class="line s${index}" d="${stairs(values, x.at, y.at)}"/>`)}</svg>
${key(lines.map(({ name, values }) => `${name}: n ${count(values.length)}, median ${duration(quantile(values, 0.5))}`))}</figure>`;
}

export interface Curve {
  readonly name: string;
  /** Milliseconds and bytes in all by then. */
  readonly points: readonly (readonly [ms: number, bytes: number])[];
}

/** How the bytes of one stream left and arrived. */
export function pacePlot(title: Html, said: string, curves: readonly Curve[]): Html {
  const most = largest(curves.flatMap(({ points }) => points.map(([ms]) => ms)));
  const total = largest(curves.flatMap(({ points }) => points.map(([, sum]) => sum)));
  const x = linearAxis(most, { from: PLOT.left, to: PLOT.right });
  const y = linearAxis(100, { from: PLOT.bottom, to: PLOT.top });
  const path = (points: Curve['points']): string =>
    thin(points)
      .map(([ms, sum], index) => {
        const [px, py] = [coordinate(x.at(ms)), coordinate(y.at((100 * sum) / total))];
        return index === 0 ? `M${px} ${coordinate(PLOT.bottom)}V${py}` : `H${px}V${py}`;
      })
      .join('');
  return html`<figure><figcaption>${title}</figcaption>
<svg class="plot" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${said}">
${frame({ x: x.ticks.map((tick) => [x.at(tick), tickWord(tick)]), y: [0, 25, 50, 75, 100].map((tick) => [y.at(tick), `${tick} %`]), unit: 'ms since the first piece left the upstream' })}
${curves.map(({ points }, index) => html`<path class="line ${index === 0 ? 'sent' : 'got'}" d="${path(points)}"/>`)}</svg></figure>`;
}

/** For the lines of `pacePlot`. */
export const paceKey = (): Html =>
  html`<ul class="key"><li>${swatch('sent')} bytes as they left the upstream</li><li>${swatch('got')} bytes as they reached the client</li></ul>`;

interface Frame {
  readonly x: readonly (readonly [at: number, word: string])[];
  readonly y: readonly (readonly [at: number, word: string])[];
  readonly unit: string;
}

/** Grid and words of both axes. */
export const frame = ({ x, y, unit }: Frame): Html => html`<g class="grid">
${x.map(([at]) => html`<line x1="${coordinate(at)}" x2="${coordinate(at)}" y1="${PLOT.top}" y2="${PLOT.bottom}"/>`)}
${y.map(([at]) => html`<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${coordinate(at)}" y2="${coordinate(at)}"/>`)}</g>
<g class="words">${x.map(([at, word]) => html`<text x="${coordinate(at)}" y="${PLOT.bottom + 15}" text-anchor="middle">${word}</text>`)}
${y.map(([at, word]) => html`<text x="${PLOT.left - 6}" y="${coordinate(at + 4)}" text-anchor="end">${word}</text>`)}
<text x="${(PLOT.left + PLOT.right) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${unit}</text></g>`;

export const tickWord = (tick: number): string => String(Number(tick.toPrecision(3)));

const key = (words: readonly string[]): Html =>
  html`<ul class="key">${words.map((word, index) => html`<li>${swatch(`s${index}`)} ${shown(word, 120)}</li>`)}</ul>`;

/** For a key: a piece of the line of this class. */
export const swatch = (name: string): Html =>
  html`<svg class="sign wide" viewBox="0 0 32 16" aria-hidden="true"><path class="line ${name}" d="M1 8h30"/></svg>`;

/** The share of values up to each, as steps. */
function stairs(
  values: readonly number[],
  x: (value: number) => number,
  y: (value: number) => number,
): string {
  const sorted = values.toSorted((a, b) => a - b);
  const points = sorted.map((value, index): readonly [number, number] => [
    Math.max(value, 0.1),
    (100 * (index + 1)) / sorted.length,
  ]);
  const steps = thin(points).map(([value, share]) => `H${coordinate(x(value))}V${coordinate(y(share))}`);
  return `M${coordinate(x(Math.max(sorted[0] ?? 0.1, 0.1)))} ${coordinate(y(0))}${steps.join('')}H${PLOT.right}`;
}

/** At most so many points, the last among them. */
function thin<T>(points: readonly T[]): readonly T[] {
  const every = Math.ceil(points.length / MOST_POINTS) || 1;
  return points.filter((_, index) => (points.length - 1 - index) % every === 0);
}

/** The smallest value that at least this share does not exceed (nearest rank). */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** A spread of a hundred thousand arguments overflows the stack. */
export const largest = (values: readonly number[]): number =>
  values.reduce((most, value) => Math.max(most, value), 0);
const smallest = (values: readonly number[]): number =>
  values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
