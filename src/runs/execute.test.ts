import path from 'node:path';
import { expect, it } from 'vitest';
import { greenRun } from '../analysis/testing/green-run.ts';
import { systemClock } from '../platform/clock.ts';
import { type ExecuteOptions, execute } from './execute.ts';
import type { RunEvent } from './run-events.ts';
import { createRunFolder } from './stored/run-folder.ts';
import { PROVENANCE, planFor, temporaryFolder } from './testing/stored-green-run.ts';

it('what comes after a world is not for each world of a run that is conducted', async () => {
  await using parent = await temporaryFolder();
  const given: string[] = [];
  const { ending } = await execute({
    ...(await conducted(parent.path)),
    afterwards: async () => {},
    conduct: async (conducting) => void given.push(...Object.keys(conducting)),
  });
  expect(ending).toBe('complete');
  expect(given).toContain('openWorld');
  expect(given).not.toContain('afterwards');
});

it('says which probes were under way as the run was interrupted, also of those that ended a moment later', async () => {
  await using parent = await temporaryFolder();
  const evidence = greenRun();
  const [early, late, never] = evidence.probes;
  if (early === undefined || late === undefined || never === undefined) throw new Error('there are more');
  const interruption = new AbortController();
  const told: RunEvent[] = [];
  await execute({
    ...(await conducted(parent.path)),
    signal: interruption.signal,
    onEvent: (event) => told.push(event),
    conduct: async ({ tell }) => {
      tell({ type: 'probe_started', id: early.id });
      tell({ type: 'probe_started', id: late.id });
      tell({ type: 'probe_ended', result: early });
      tell({ type: 'probe_started', id: never.id });
      interruption.abort(new Error('interrupted by the test'));
      tell({ type: 'probe_ended', result: late });
    },
  });
  expect(told.at(-1)).toMatchObject({ type: 'interrupted', underWay: [late.id, never.id] });
});

/** A run that opens no world. */
const conducted = async (parent: string): Promise<ExecuteOptions> => ({
  plan: planFor(greenRun()),
  provenance: PROVENANCE,
  folder: await createRunFolder(path.join(parent, 'run')),
  clock: systemClock,
  signal: new AbortController().signal,
  onEvent: () => {},
  openWorld: () => Promise.reject(new Error('no world is opened here')),
});
