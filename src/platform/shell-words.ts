/** Joins words so that a POSIX shell takes them apart again as they are. */
export const shellLine = (words: readonly string[]): string => words.map(shellWord).join(' ');

/** One word, quoted where a shell would see more in it than a word. */
export const shellWord = (word: string): string =>
  /^[\w./:@=,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
