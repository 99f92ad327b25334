import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { sourceHash } from './provenance.ts';
import { temporaryFolder } from './testing/stored-green-run.ts';

it('tells other programs apart, by text, name and place, and not other tests', async () => {
  await using root = await temporaryFolder();
  const write = async (name: string, text: string): Promise<string> => {
    const file = path.join(root.path, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
    return sourceHash(root.path);
  };
  const first = await write('src/a.ts', 'one');
  for (const name of ['src/a.test.ts', 'src/testing/kit.ts', 'docs/a.md', 'results/run.json'])
    expect(await write(name, 'else')).toBe(first);
  const hashes = [
    first,
    await write('src/a.ts', 'two'),
    await write('src/b.ts', ''),
    await write('fixtures/x.yaml', 'y'),
    await write('package-lock.json', '{}'),
  ];
  expect(new Set(hashes).size).toBe(hashes.length);
});
