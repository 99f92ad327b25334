/** What was taken out of the evidence, as the placeholders in it tell. */
import { formsOf } from '../../analysis/hygiene.ts';
import type { Redaction } from './documents.ts';

/** Stands for the path of a run's folder, which is no credential. */
export const RUN_FOLDER = 'run-folder';

export type Redactions = Redaction['redactions'];

/** `{{anthropic-key}}`; a name is no longer than the names of canaries are. */
const PLACEHOLDER = /\{\{([a-z][a-z0-9:._-]{1,60})\}\}/gi;

/** Of one file: names that stand for something, plain or in the disguise that the secret wore. */
export function redactionsIn(file: string, text: string, names: readonly string[]): Redactions {
  return names.flatMap((name) => {
    const forms = formsOf(`{{${name}}}`).filter((form) => text.includes(form.text));
    const count = forms.reduce((sum, form) => sum + text.split(form.text).length - 1, 0);
    if (count === 0) return [];
    const first = Math.min(...forms.map((form) => text.indexOf(form.text)));
    const rule = name === RUN_FOLDER ? name : `canary:${name}`;
    return [{ rule, file, place: `line ${text.slice(0, first).split('\n').length}`, count }];
  });
}

/** The names of placeholders that stand anywhere in a text as they are. */
export const placeholdersIn = (text: string): string[] =>
  [...text.matchAll(PLACEHOLDER)].flatMap(([, name]) => name ?? []);
