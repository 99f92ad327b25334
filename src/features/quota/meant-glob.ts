/** The glob that one with a slip in it most likely meant. */
import { compileGlob } from '../../protocol/glob.ts';

/** The candidate that a mistyped name most likely meant; null where none is near. */
export type NearestName = (name: string, candidates: Iterable<string>) => string | null;

/** `glob` with its words as these models have them, where it then matches one of them; null where nothing is near. */
export function meantGlob(glob: string, models: readonly string[], nearestName: NearestName): string | null {
  const words = new Set(models.flatMap((model) => model.toLowerCase().match(/[a-z]+/g) ?? []));
  const meant = glob.toLowerCase().replace(/[a-z]+/g, (word) => nearestName(word, words) ?? word);
  return meant !== glob.toLowerCase() && models.some(compileGlob(meant)) ? meant : null;
}
