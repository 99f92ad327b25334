import { readFileSync, writeFileSync } from 'node:fs';

const PAGE = 4096;
/** What a leaf of an index begins with. */
const INDEX_LEAF = 0x0a;

/**
 * Takes a sample out of the index by `rid` that knows which came already, and leaves it in its table. The quick check finds
 * nothing wrong with such a file. Throws where nobody has closed the file, or its index is not what this takes it for.
 */
export function breakIndex(path: string, rid: string): void {
  const bytes = readFileSync(path);
  let broken = 0;
  for (let at = bytes.indexOf(rid); at !== -1; at = bytes.indexOf(rid, at + 1)) {
    if (bytes[at - (at % PAGE)] !== INDEX_LEAF) continue;
    bytes.write('x', at);
    broken += 1;
  }
  if (broken !== 1) throw new Error(`${rid} is ${broken} times in an index of ${path}`);
  writeFileSync(path, bytes);
}
