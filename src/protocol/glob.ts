/** Matches a whole model name, in whatever case. */
export type Matcher = (model: string) => boolean;

/**
 * Compiles a glob whose only special character is `*`. By searching for its literal parts one after the
 * other: linear in the name, where a regular expression could be made to backtrack.
 */
export function compileGlob(glob: string): Matcher {
  const parts = glob.toLowerCase().split('*');
  const [head = '', ...rest] = parts;
  const tail = rest.pop();
  if (tail === undefined) return (model) => model.toLowerCase() === head;
  return (model) => {
    const name = model.toLowerCase();
    if (!name.startsWith(head)) return false;
    let from = head.length;
    for (const part of rest) {
      const found = name.indexOf(part, from);
      if (found < 0) return false;
      from = found + part.length;
    }
    return name.length - tail.length >= from && name.endsWith(tail);
  };
}

/** Whether any name at all matches both globs. */
export function globsOverlap(one: string, other: string): boolean {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  // `ends[j]`: whether what of `a` was read so far, and the first `j` characters of `b`, have a name in common.
  let ends = Array.from({ length: b.length + 1 }, (_, j) => /^\**$/.test(b.slice(0, j)));
  for (const char of a) {
    const before = ends;
    ends = [char === '*' && before[0] === true];
    for (let j = 1; j <= b.length; j += 1) {
      const [left, above, both] = [ends[j - 1] === true, before[j] === true, before[j - 1] === true];
      const star = char === '*' || b[j - 1] === '*';
      ends.push(star ? left || above : char === b[j - 1] && both);
    }
  }
  return ends.at(-1) === true;
}
