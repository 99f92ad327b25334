/** What was used, by model and lane, as text for a screen. */
import type { StoreState, Totals, UsageAnswer } from '../../../config/usage-answers.ts';
import { plain, type Screen } from '../../shared/host.ts';
import { fitted, hanging, longest, table } from '../../shared/table.ts';
import { amountOf, compact, costText, percent, savedText } from './figures.ts';

/** Why figures lack exchanges, and what to do, in sentences; nothing while the store is well. */
export function storeLine(screen: Screen, { ok, reason, remedy, pending }: StoreState): string {
  if (reason === null) return '';
  const waiting = `Waiting to be written, and not counted here: ${amountOf(pending, 'exchange')}.`;
  const missing = ok ? ['Nothing is counted here.'] : pending === 0 ? [] : [waiting];
  const text = [`store: ${reason}.`, ...missing, remedy ?? ''].join(' ').trimEnd();
  return screen.paint(ok ? 'yellow' : 'red', hanging(screen, '', '  ', plain(text)));
}

/** What is said where nothing was counted: only a store that is well knows that nothing was used. */
export const emptyText = ({ reason }: StoreState): string =>
  reason === null ? 'No requests' : 'Nothing counted';

export type Named = readonly [name: string, totals: Totals];

/** What a narrow screen goes without, the first of them first. */
const SPARED = ['cache r/w', 'saved'];
/** So much of a name is worth more than a spared column: `claude-haiku-4-5-20251001`. */
const NAME_COLUMNS = 25;

/** Totals a line each, busiest first, and below them `sums` where there are several. */
export function totalsTable(
  screen: Screen,
  what: string,
  entries: readonly Named[],
  sums: readonly Named[] = [],
): string {
  const sorted = entries.toSorted(
    ([, a], [, b]) => countTokens(b) - countTokens(a) || b.requests - a.requests,
  );
  const lines = entries.length > 1 ? [...sorted, ...sums] : sorted;
  const heading = [what, 'requests', 'errors', 'in', 'out', 'cache r/w', 'cost', 'saved'];
  const rows = lines.map(([name, totals]) => [plain(name), ...figuresOf(totals)]);
  return table(screen, ...withShortNames(screen, ...spared(screen, ...rightAligned(heading, rows))));
}

type Columns = [heading: string[], rows: string[][]];

/** Without the columns that a screen has no room for. */
function spared({ width }: Screen, ...all: Columns): Columns {
  return SPARED.reduce<Columns>(([heading, rows], title) => {
    const least = Math.min(NAME_COLUMNS, namesIn(heading, rows)) + besideNames(heading);
    if (least <= width) return [heading, rows];
    const others = (row: readonly string[]): string[] =>
      row.filter((_, column) => heading[column]?.trim() !== title);
    return [others(heading), rows.map(others)];
  }, all);
}

/** Names end where the screen is full: broken up they are none. */
function withShortNames({ width }: Screen, ...[heading, rows]: Columns): Columns {
  const room = Math.max(heading[0]?.length ?? 0, width - besideNames(heading));
  const columns = Math.min(room, namesIn(heading, rows));
  return [heading, rows.map(([name = '', ...figures]) => [fitted(name, columns), ...figures])];
}

const namesIn = ([what = '']: readonly string[], rows: readonly (readonly string[])[]): number =>
  longest([what, ...rows.map(([name = '']) => name)]);

/** Columns behind the names, as wide as their headings are by now, and what parts them. */
const besideNames = ([, ...figures]: readonly string[]): number =>
  figures.reduce((sum, { length }) => sum + 2 + length, 0);

function figuresOf({ requests, errors, tokens, ...money }: Totals): string[] {
  const written = tokens.cache_write_5m + tokens.cache_write_1h;
  return [
    compact(requests),
    errors === 0 ? '–' : compact(errors),
    compact(tokens.input),
    compact(tokens.output),
    `${compact(tokens.cache_read)}/${compact(written)}`,
    costText(money),
    savedText(money),
  ];
}

/** Figures end where their heading ends. */
function rightAligned(heading: readonly string[], rows: readonly string[][]): Columns {
  const widths = heading.map((title, column) =>
    column === 0 ? 0 : Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const align = (row: readonly string[]): string[] =>
    row.map((cell, column) => cell.padStart(widths[column] ?? 0));
  return [align(heading), rows.map(align)];
}

/** A name as it is shown: an empty one would be none. */
export const shown = (name: string): string => (name === '' ? '""' : name);

/** Names without the day of their snapshot, where that leaves them apart. */
export function shortNames<T>(entries: readonly (readonly [string, T])[]): (readonly [string, T])[] {
  const short = (name: string): string => shown(name.replace(/-20\d{6}$/, ''));
  const names = entries.map(([name]) => short(name));
  const isUnique = (name: string): boolean => names.filter((one) => one === name).length === 1;
  return entries.map(([name, value]) => [isUnique(short(name)) ? short(name) : shown(name), value]);
}

const countTokens = ({ tokens }: Totals): number =>
  Object.values(tokens).reduce((sum, count) => sum + count, 0);

/** Everything on one line, for a shell's greeting. */
export function banner({ lanes, models, store }: UsageAnswer, range: string): string {
  const parts = Object.entries(lanes).map(([lane, totals]) => {
    const saved = totals.saved_usd === null ? '' : `, saved ${savedText(totals)}`;
    return `${lane} ${compact(totals.requests)} req ${costText(totals)}${saved}`;
  });
  const [fullest] = shortNames(Object.entries(models))
    .map(([model, { rolling_pct, weekly_pct }]) => ({
      model,
      pct: Math.max(rolling_pct ?? 0, weekly_pct ?? 0),
    }))
    .filter(({ pct }) => pct > 0)
    .toSorted((a, b) => b.pct - a.pct);
  const quota = fullest === undefined ? [] : [`${fullest.model} quota ${percent(fullest.pct)}`];
  const nothing = store.reason === null ? 'nothing used' : 'nothing counted';
  const used = parts.length === 0 ? [nothing] : parts;
  return `${plain(`ccp ${range}: ${[...used, ...quota, ...storeWords(store)].join(' · ')}`)}\n`;
}

const storeWords = ({ ok, reason }: StoreState): string[] =>
  reason === null ? [] : [ok ? `store ${reason}` : 'store in trouble'];
