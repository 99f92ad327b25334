import stringWidth from 'string-width';
import { plain, type Screen } from './host.ts';

const GAP = '  ';
/**
 * Lays rows out in columns under a heading. What does not fit the screen is wrapped inside its column; the
 * widest columns give way first.
 */
export function table(
  screen: Screen,
  heading: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const cells = rows.map((row) => row.map(plain));
  const natural = heading.map((title, column) => longest([title, ...cells.map((row) => row[column] ?? '')]));
  const widths = fit(
    natural,
    heading.map(({ length }) => length),
    screen.width,
  );
  const body = cells.map((row) => layOut(row, widths));
  return [screen.paint('bold', layOut(heading, widths)), ...body].map((line) => `${line}\n`).join('');
}

/** Takes from the widest column as long as all together are too wide; none gets narrower than its heading. */
function fit(natural: readonly number[], least: readonly number[], available: number): readonly number[] {
  const widths = [...natural];
  const spare = (column: number): number => (widths[column] ?? 0) - (least[column] ?? 0);
  let excess = widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1)) - available;
  for (; excess > 0; excess--) {
    const shrinkable = [...widths.keys()].filter((column) => spare(column) > 0);
    const widest = shrinkable.reduce<number | undefined>(
      (best, column) => (best === undefined || (widths[column] ?? 0) > (widths[best] ?? 0) ? column : best),
      undefined,
    );
    if (widest === undefined) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function layOut(row: readonly string[], widths: readonly number[]): string {
  const wrapped = row.map((cell, column) => wrap(cell, widths[column] ?? Number.POSITIVE_INFINITY));
  const height = Math.max(...wrapped.map(({ length }) => length));
  const lines = Array.from({ length: height }, (_, line) =>
    wrapped
      .map((cell, column) => padded(cell[line] ?? '', widths[column] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
  return lines.join('\n');
}

/** A text that is wrapped at the end of the screen, its further lines behind `indent`. */
export function hanging(screen: Screen, before: string, indent: string, text: string): string {
  return wrap(text, screen.width - Math.max(before.length, indent.length))
    .map((line, index) => `${index === 0 ? before : indent}${line}\n`)
    .join('');
}

/** How many columns the widest of some texts takes. */
export const longest = (texts: readonly string[]): number =>
  Math.max(...texts.map((text) => stringWidth(text)));

/** Fills a text up with spaces to a width in columns: wide characters take two. */
const padded = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(width - stringWidth(text), 0));

/** Cuts a text that is wider than `width` columns, and says so; fills a shorter one up. */
export const fitted = (text: string, width: number): string =>
  padded(stringWidth(text) > width ? `${text.slice(0, endWithin(text, width - 1))}…` : text, width);

/** Breaks at spaces where it can, and inside a word that is longer than a line, of `width` columns. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  for (let most = endWithin(rest, width); most < rest.length; most = endWithin(rest, width)) {
    const space = rest.lastIndexOf(' ', most);
    const end = space > 0 ? space : most;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

const CHARACTERS = new Intl.Segmenter();

/** Where as much of a text ends as takes `width` columns at most, but one character at least. */
function endWithin(text: string, width: number): number {
  let used = 0;
  for (const { segment, index } of CHARACTERS.segment(text)) {
    used += stringWidth(segment);
    if (used > width) return index === 0 ? segment.length : index;
  }
  return text.length;
}
