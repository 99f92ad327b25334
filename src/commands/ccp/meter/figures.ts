/** Figures as a person reads them at a glance. */
import type { Totals } from '../../../config/usage-answers.ts';
import type { Screen, Style } from '../../shared/host.ts';

const STEPS = ['', 'k', 'M', 'G', 'T', 'P'];

/** `999`, `1.2k`, `35k`, `1.3M`: at most five characters. */
export function compact(count: number): string {
  let [value, step] = [count, 0];
  // What would be rounded to a thousand belongs to the next step.
  while (value >= 999.5 && step < STEPS.length - 1) [value, step] = [value / 1000, step + 1];
  return `${step === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)}${STEPS[step]}`;
}

/** `1 request`, `1.2k requests`. */
export const amountOf = (count: number, one: string): string =>
  `${compact(count)} ${count === 1 ? one : `${one}s`}`;

/** Dollars with cents; what is less than a cent with as many digits as tell it from nothing, down to `<$0.0001`. */
export function usd(value: number): string {
  const sign = value < 0 ? '-' : '';
  const size = Math.abs(value);
  if (size === 0 || size >= 0.995) return `${sign}$${size.toFixed(2)}`;
  return size < 0.00005 ? `${sign}<$0.0001` : `${sign}$${size.toFixed(size < 0.01 ? 4 : 2)}`;
}

/** What it cost. `+ ?` where some of it has no price or was not counted, which never looks like nothing. */
export function costText({
  cost_usd,
  cost_is_at_least,
  unpriced_tokens,
  uncounted,
}: Pick<Totals, 'cost_usd' | 'cost_is_at_least' | 'unpriced_tokens' | 'uncounted'>): string {
  if (cost_usd === null) return unpriced_tokens > 0 ? 'unpriced' : '?';
  const known = `${cost_is_at_least ? '≥ ' : ''}${usd(cost_usd)}`;
  return unpriced_tokens === 0 && uncounted === 0 ? known : `${known} + ?`;
}

/** What was saved. `+ ?` where some of it has no price on either side, or was not counted. */
export function savedText({
  saved_usd,
  saved_is_partial,
}: Pick<Totals, 'saved_usd' | 'saved_is_partial'>): string {
  if (saved_usd === null) return saved_is_partial ? '?' : '–';
  return saved_is_partial ? `${usd(saved_usd)} + ?` : usd(saved_usd);
}

/** `45s`, `12m`, `3h 20m`, `2d 4h`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole}s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return `${minutes}m`;
  if (minutes < 24 * 60) return joined(Math.floor(minutes / 60), 'h', minutes % 60, 'm');
  const hours = Math.round(minutes / 60);
  return joined(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** `30m`, `1h30m`, `5h`, `7d`: what a window of so many seconds is called. */
export const windowName = (seconds: number): string => span(seconds).replace(' ', '');

const joined = (large: number, one: string, small: number, other: string): string =>
  small === 0 ? `${large}${one}` : `${large}${one} ${small}${other}`;

/** Per cent without decimals; `<1%` is more than none, and `99%` is not all. */
export function percent(pct: number): string {
  if (pct > 0 && pct < 1) return '<1%';
  return `${pct > 99 && pct < 100 ? 99 : Math.round(pct)}%`;
}

/** How full something is, in ten cells: the first is for anything at all, the last for all of it. */
export function bar(pct: number): string {
  const cells = pct >= 100 ? 10 : Math.min(9, Math.max(pct > 0 ? 1 : 0, Math.round(pct / 10)));
  return '█'.repeat(cells) + '░'.repeat(10 - cells);
}

/** Colours what is said of a quota by how it stands. */
export function paintQuota(
  screen: Screen,
  { warn, block }: { readonly warn: boolean; readonly block: boolean },
  text: string,
): string {
  const style: Style = block ? 'red' : warn ? 'yellow' : 'green';
  return screen.paint(style, text);
}

/**
 * In the person's own time zone; with the day unless it is today, and with the year unless it is this one. With seconds
 * where it comes within a minute: without them it might read as the time that it is.
 */
export function clockTime(text: string, now = new Date()): string {
  const date = new Date(text);
  const ahead = date.getTime() - now.getTime();
  const time = date.toLocaleTimeString('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    ...(ahead > 0 && ahead < 60_000 && { second: '2-digit' }),
  });
  if (date.toDateString() === now.toDateString()) return time;
  const day = date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  const year = date.getFullYear();
  return year === now.getFullYear() ? `${day} ${time}` : `${day} ${year} ${time}`;
}
