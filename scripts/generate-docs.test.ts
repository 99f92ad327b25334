import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { generateDocs, staleDocs } from './generate-docs.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ccp-docs-'));
  mkdirSync(join(root, 'docs'));
  for (const [path, text] of generateDocs()) writeFileSync(join(root, path), text);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

it('finds nothing to do where the documents say what the code says', () => {
  expect(staleDocs(root)).toEqual([]);
});

it('names the document that was changed by hand, and the one that is missing', () => {
  writeFileSync(join(root, 'docs/settings.md'), '# Settings\n');
  rmSync(join(root, 'docs/usage-event.schema.json'));
  expect(staleDocs(root)).toEqual(['docs/settings.md', 'docs/usage-event.schema.json']);
});

it('describes every variable once in its table, with its default', () => {
  const page = generateDocs().get('docs/settings.md');
  expect(page).toMatch(/^\| `CCP_PORT`, `PORT`, `MITM_PORT` \| `--port` \| port \| `8082` \|/m);
  expect(page).toMatch(/^\| `ZAI_API_KEY` \|/m);
});
