import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findWords } from './check-words.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'words-'));
  execFileSync('git', ['init', '-q'], { cwd: root });
});
afterEach(() => rmSync(root, { recursive: true }));

function track(file: string, text: string): void {
  writeFileSync(join(root, file), text);
  execFileSync('git', ['add', file], { cwd: root });
}

it('names file and line of a path of a machine and of an address of a registry', () => {
  track('a.md', ['fine', ['', 'home', 'ada', 'x'].join('/'), ['', 'root', 'x'].join('/')].join('\n'));
  track('b.json', ['"resolved": "https', '://example.test/x.tgz"\n', 'registry', '.npmjs', '.org'].join(''));
  expect(findWords(root).map(({ file, line }) => `${file}:${line}`)).toEqual([
    'a.md:2',
    'a.md:3',
    'b.json:1',
    'b.json:2',
  ]);
});

it('names a heading that swallowed the paragraph below it', () => {
  track('a.md', ['## Fine', '', `## The self-test runs ${'one after the other '.repeat(5)}`].join('\n'));
  track('b.md', `### ${'x'.repeat(90)}\n# ${'a comment of the shell '.repeat(5)}`);
  expect(findWords(root)).toEqual([{ file: 'a.md', line: 3, what: 'a heading longer than 90 characters' }]);
});

it('leaves relative paths, the home of examples and untracked files alone', () => {
  track('a.md', `src/home/page.ts, ${['example.test', 'root', 'x'].join('/')}, /home/me/x`);
  writeFileSync(join(root, 'untracked'), ['', 'root', 'x'].join('/'));
  expect(findWords(root)).toEqual([]);
});

it('fails where git tracks nothing', () => {
  expect(() => findWords(root)).toThrow('tracks no file');
});
