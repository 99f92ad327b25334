import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { PAGE, writeSection } from './page.ts';

const marks = (name: string, text: string): string => `<!-- ${name}: begin -->${text}<!-- ${name}: end -->`;

function pageOf(text: string): URL {
  const folder = mkdtempSync(join(tmpdir(), 'page-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const page = pathToFileURL(join(folder, 'performance.md'));
  writeFileSync(page, text);
  return page;
}

it('replaces one section and leaves the rest, however often', () => {
  const page = pageOf(`intro\n${marks('a', 'old')}\n${marks('b', '\n\nkept\n\n')}\nend`);
  writeSection(page, 'a', 'first');
  writeSection(page, 'a', 'second');
  expect(readFileSync(page, 'utf8')).toBe(
    `intro\n${marks('a', '\n\nsecond\n\n')}\n${marks('b', '\n\nkept\n\n')}\nend`,
  );
});

it('refuses a page without the marks', () => {
  expect(() => writeSection(pageOf('<!-- a: end --> <!-- a: begin -->'), 'a', 'x')).toThrow('lost the marks');
});

it.each(['proxy', 'analyzer'])('the page has the marks of the section %s', (name) => {
  expect(readFileSync(PAGE, 'utf8')).toMatch(new RegExp(`<!-- ${name}: begin -->[^]*<!-- ${name}: end -->`));
});
