/** Figures and evidence as a page shows them. */
import { withoutCredentialShapes } from '../../../analysis/hygiene.ts';
import { count } from '../../../analysis/plural.ts';
import { type Html, html } from '../html.ts';

export function bytes(value: number): string {
  if (value < 10_000) return `${count(value)} B`;
  return value < 10_000_000 ? `${(value / 1e3).toFixed(0)} kB` : `${(value / 1e6).toFixed(0)} MB`;
}

/** UTC, to the second. */
export const instant = (at: number): string =>
  Number.isFinite(at) ? `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC` : '–';

const MOST_CHARACTERS = 600;

/**
 * Text from the evidence: what has the shape of a credential is named in its stead, and what is long is cut, and says so.
 * Whatever a witness saw passes here before it is shown.
 */
export function shown(text: string, most = MOST_CHARACTERS): string {
  // A secret that the cut goes through must be found first; one that is longer than this is none.
  const clean = withoutCredentialShapes(text.slice(0, most + 4_096));
  const rest = text.length - most;
  return rest <= 0 ? clean : `${clean.slice(0, most).toWellFormed()}… (${count(rest)} characters more)`;
}

/** The names that the run put in the place of its credentials stand out. */
export function evidenceText(text: string, most?: number): Html {
  const parts = shown(text, most).split(/(\{\{[a-z][\w:.-]{0,60}\}\})/);
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<b class="taken">${part}</b>` : part))}`;
}

/** For an `id` and the links to it. */
export const slug = (text: string): string => text.replaceAll(/[^\w-]/g, '-');
