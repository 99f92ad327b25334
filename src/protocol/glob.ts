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
