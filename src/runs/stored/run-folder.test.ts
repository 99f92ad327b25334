import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createCanaries } from '../../harness/canaries.ts';
import { createRedactor } from '../redact.ts';
import { temporaryFolder } from '../testing/stored-green-run.ts';
import { createRunFolder, openRunFolder, type RunFolder } from './run-folder.ts';

const NOTHING = { client: [], upstream: [], elsewhere: null };

it('has every canary on disk at once, each as it is now, also in a folder that goes on', async () => {
  await using parent = await temporaryFolder();
  const canaries = createCanaries('5eed');
  const folder = await createRunFolder(path.join(parent.path, 'run'));
  const keepIn = (one: RunFolder): void => one.keepWire(NOTHING, createRedactor(canaries.all()));
  const kept = async (): Promise<unknown[]> =>
    (await readFile(path.join(folder.path, 'witness/canaries.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  const told = () => createRedactor(canaries.all()).canaries();

  for (const probe of ['a', 'b']) {
    canaries.prompt(probe, ['anth']);
    keepIn(folder);
    expect(await kept()).toEqual(told());
  }
  canaries.prompt('a', ['anth', 'zai']);
  keepIn(folder);
  expect(await kept()).toEqual(told());

  canaries.prompt('c', ['zai']);
  keepIn(openRunFolder(folder.path));
  expect(await kept()).toEqual(told());
});
