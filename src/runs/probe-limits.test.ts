import { expect, it } from 'vitest';
import { greenRun } from '../analysis/testing/green-run.ts';
import type { ResponseRewrite, Saboteur, WireResponseHead } from '../harness/types/saboteur.ts';
import { createWorld } from '../harness/world.ts';
import { systemClock } from '../platform/clock.ts';
import { driveOf } from './conductors.ts';
import { execute } from './execute.ts';
import { worldPlanOf } from './plan.ts';
import type { Plan } from './run-record.ts';
import { createRunFolder } from './stored/run-folder.ts';
import { PROVENANCE, planFor, temporaryFolder } from './testing/stored-green-run.ts';

type Alter = (head: WireResponseHead) => ResponseRewrite;

/** A whole world is started and gathered, beside many others. */
const WORLD_MS = 60_000;

const LIMITS = { kind: 'limits', lane: 'zai', maxRequests: 9, mockWindow: 9 } as const;

/** How many requests are sent to a lane whose third answer, and each one after it, is altered. The proxy may ask twice. */
async function requestsUntil(alter: Alter): Promise<number> {
  await using parent = await temporaryFolder();
  const folder = await createRunFolder(`${parent.path}/run`);
  const plan: Plan = {
    ...planFor(
      greenRun((run) => (run.probes = [])),
      { driver: LIMITS, waves: [] },
    ),
    settings: { CCP_FALLBACK: 'none' },
    timeoutMs: 10_000,
  };
  let [sent, asked] = [0, 0];
  const saboteur: Saboteur = {
    name: 'third-refused',
    breaks: 'the third answer is another one',
    caughtBy: ['LIMIT-01'],
    faults: [
      {
        layer: 'upstream',
        provider: 'zai',
        rewrite: () => ({
          response(head, { method }) {
            asked += method === 'POST' ? 1 : 0;
            return asked < 3 ? undefined : alter(head);
          },
        }),
      },
    ],
  };
  const drive = driveOf(plan);
  if (drive === undefined) throw new Error('there is nothing to drive');
  await execute({
    plan,
    drive,
    folder,
    provenance: PROVENANCE,
    clock: systemClock,
    signal: new AbortController().signal,
    onEvent: ({ type }) => {
      sent += type === 'probe_started' ? 1 : 0;
    },
    openWorld: () => createWorld({ ...worldPlanOf(plan), runDir: parent.path, saboteur }),
  });
  return sent;
}

it.each<[string, Alter]>([
  ['a wrong key', (head) => ({ head: { ...head, status: 401 } })],
  [
    'an error under status 200',
    () => ({ piece: (bytes) => [Buffer.from('{"code":500}'.padEnd(bytes.length))] }),
  ],
])(
  'sends nothing more after %s',
  async (_name, alter) => {
    expect(await requestsUntil(alter)).toBe(3);
  },
  WORLD_MS,
);
