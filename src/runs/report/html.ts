/**
 * HTML from templates, and the frame of a page that is one file: no script, no request, nothing of others. Whatever is put
 * in is escaped, unless it is HTML of ours already: what a report shows comes from the wire.
 */
import { createHash } from 'node:crypto';

/** HTML that was escaped where it had to be; made by `html` alone. */
export class Html {
  readonly #text: string;
  constructor(parts: TemplateStringsArray, values: readonly Value[]) {
    this.#text = String.raw({ raw: parts }, ...values.map(written));
  }
  toString(): string {
    return this.#text;
  }
}

/** What a template takes: null, undefined and false are left out, arrays are put in one after the other. */
export type Value = string | number | Html | null | undefined | false | readonly Value[];

/** HTML and SVG alike. A value belongs into content or into an attribute in double quotes, nowhere else. */
export const html = (parts: TemplateStringsArray, ...values: readonly Value[]): Html =>
  new Html(parts, values);

function written(value: Value): string {
  if (value instanceof Html) return value.toString();
  if (value === null || value === undefined || value === false) return '';
  if (typeof value === 'string') return escape(value);
  return typeof value === 'number' ? String(value) : value.map(written).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Control and formatting characters are shown as what they are not, lest they turn text around or hide it. */
function escape(text: string): string {
  return text
    .replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign)
    .replaceAll(/(?![\t\n])[\p{Cc}\p{Cf}\ufffe\uffff]/gu, '\ufffd')
    .toWellFormed();
}

/**
 * A whole document. `style` is the text of its one style sheet, which the policy names by its hash: an element that somebody
 * smuggles in has no style, no script and no way out. Throws where the style would end its own element.
 */
export function page({
  title,
  style,
  body,
}: {
  readonly title: string;
  readonly style: string;
  readonly body: Html;
}): string {
  if (style.includes('</')) throw new RangeError('a style sheet that ends its own element');
  const hash = createHash('sha256').update(style).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    html`<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="referrer" content="no-referrer">',
    '<meta name="color-scheme" content="light dark">',
    html`<title>${title}</title>`,
    // CSS takes no entities.
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    body,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}
