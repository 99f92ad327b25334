/** Puts measured results into docs/performance.md, between the marks of their section. */
import { readFileSync, writeFileSync } from 'node:fs';

export const PAGE = new URL('../../docs/performance.md', import.meta.url);

/** Replaces what stands between `<!-- NAME: begin -->` and `<!-- NAME: end -->`. Throws where the marks are lost. */
export function writeSection(page: URL, name: string, text: string): void {
  const before = readFileSync(page, 'utf8');
  const begin = `<!-- ${name}: begin -->`;
  const [from, to] = [before.indexOf(begin), before.indexOf(`<!-- ${name}: end -->`)];
  if (from < 0 || to < from) throw new Error(`${page.pathname} has lost the marks of its section ${name}`);
  writeFileSync(page, `${before.slice(0, from)}${begin}\n\n${text.trim()}\n\n${before.slice(to)}`);
}
