import path from 'node:path';
import { expect, it } from 'vitest';
import { greenRun } from '../analysis/testing/green-run.ts';
import { systemClock } from '../platform/clock.ts';
import { execute } from './execute.ts';
import { createRunFolder } from './stored/run-folder.ts';
import { PROVENANCE, planFor, temporaryFolder } from './testing/stored-green-run.ts';

it('what comes after a world is not for each world of a run that is conducted', async () => {
  await using parent = await temporaryFolder();
  const given: string[] = [];
  const { ending } = await execute({
    plan: planFor(greenRun()),
    provenance: PROVENANCE,
    folder: await createRunFolder(path.join(parent.path, 'run')),
    clock: systemClock,
    signal: new AbortController().signal,
    onEvent: () => {},
    openWorld: () => Promise.reject(new Error('no world is opened here')),
    afterwards: async () => {},
    conduct: async (conducting) => void given.push(...Object.keys(conducting)),
  });
  expect(ending).toBe('complete');
  expect(given).toContain('openWorld');
  expect(given).not.toContain('afterwards');
});
