/** The glob that one with a slip in it most likely meant. */
import { compileGlob } from '../../protocol/glob.ts';

/** The candidate that a mistyped name most likely meant; null where none is near. */
export type NearestName = (name: string, candidates: Iterable<string>) => string | null;

/** Clients make names up, and a page of quotas must not wait for what is sought in them. */
const LONGEST_WORD = 32;
const MOST_WORDS = 100;

/** `glob` with its words as the first of these models have them, where it then matches one of them; null where nothing is near. */
export function meantGlob(glob: string, models: readonly string[], nearestName: NearestName): string | null {
  const words = wordsOf(models);
  const meant = glob.toLowerCase().replace(/[a-z]+/g, (word) => nearestName(word, words) ?? word);
  return meant !== glob.toLowerCase() && models.some(compileGlob(meant)) ? meant : null;
}

function wordsOf(models: readonly string[]): ReadonlySet<string> {
  const words = new Set<string>();
  for (const model of models) {
    for (const word of model.toLowerCase().match(/[a-z]+/g) ?? []) {
      if (words.size === MOST_WORDS) return words;
      if (word.length <= LONGEST_WORD) words.add(word);
    }
  }
  return words;
}
