/** Looks for many texts at once, in time that grows with what is searched and hardly with how many are looked for. */

export interface Found {
  /** Where the first begins. */
  readonly at: number;
  /** How many there are that do not overlap. */
  readonly count: number;
}

/**
 * A search for these texts; it gives those that are there. Texts that begin alike (all phrases of a run's prompts do) are
 * found in one pass for their common beginning: one pass for each would take the square of a long run.
 */
export function createSearch(needles: Iterable<string>): (text: string) => Map<string, Found> {
  const wanted = new Set(needles);
  wanted.delete('');
  const lengths = new Map<string, Set<number>>();
  for (const needle of wanted) {
    const stem = needle.slice(0, STEM);
    lengths.set(stem, (lengths.get(stem) ?? new Set()).add(needle.length));
  }
  return (text) => {
    const found = new Map<string, Found>();
    const ends = new Map<string, number>();
    for (const [stem, sizes] of lengths)
      for (let at = text.indexOf(stem); at !== -1; at = text.indexOf(stem, at + 1))
        for (const size of sizes) {
          const needle = text.slice(at, at + size);
          if (!wanted.has(needle) || at < (ends.get(needle) ?? 0)) continue;
          const before = found.get(needle);
          found.set(needle, { at: before?.at ?? at, count: (before?.count ?? 0) + 1 });
          ends.set(needle, at + size);
        }
    return found;
  };
}

/** Short enough for every disguise of a phrase to share it with that of the others, long enough to be rare. */
const STEM = 8;
