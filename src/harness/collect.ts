/** Gathers what all witnesses of a world saw, once its last probe has ended. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Transcript } from '../protocol/transcript.ts';
import type { Artifact } from '../protocol/witness.ts';
import type { Outside } from './outside.ts';
import { plantOwnSecrets } from './own-secrets.ts';
import {
  artifactsOf,
  countCompletions,
  lifeOf,
  readAnomalies,
  readLogsFolder,
  readUsage,
} from './records.ts';
import { tamper } from './saboteurs/layers.ts';
import type {
  Canaries,
  Collected,
  Fault,
  FaultContext,
  ProxyRecords,
  RecordedLife,
  Target,
} from './types.ts';
import type { Upstreams } from './upstreams.ts';

/** For exchanges that have ended to be put on record. */
const SETTLE_MS = 2_000;
const POLL_MS = 20;

export interface CollectOptions {
  /** What each process of the target told at its end. */
  readonly lives: readonly RecordedLife[];
  /** What was printed and written beside the target. */
  readonly artifacts: readonly Artifact[];
  readonly logsDir: string | null;
  readonly upstreams: Upstreams;
  readonly client: () => readonly Transcript[];
  readonly outside: Pick<Outside, 'attempts'>;
  readonly canaries: Canaries;
  /** Where the target keeps secrets of its own making. */
  readonly stateDir: string;
  readonly faults: readonly Fault[];
  readonly context: FaultContext;
}

/** Call it when everything has settled. */
export async function collect(options: CollectOptions): Promise<Collected> {
  const { lives, upstreams, canaries } = options;
  await plantOwnSecrets(options.stateDir, canaries);
  const records: ProxyRecords = { files: await readLogsFolder(options.logsDir), lives };
  const told = tamper(records, options.faults, options.context);
  return {
    client: byStart(options.client()),
    upstream: byStart([...upstreams.anth.transcripts(), ...upstreams.zai.transcripts()]),
    elsewhere: options.outside.attempts(),
    usage: readUsage(told.files),
    anomalies: readAnomalies(told.files),
    lives: told.lives.map(lifeOf),
    canaries: canaries.all(),
    artifacts: [...artifactsOf(told), ...options.artifacts],
  };
}

/** Waits until the upstreams are idle and each client exchange is on record, or until it has waited enough. */
export async function settle({
  upstreams,
  target,
  client,
}: Pick<CollectOptions, 'upstreams' | 'client'> & {
  readonly target: Pick<Target, 'logsDir'>;
}): Promise<void> {
  const deadline = performance.now() + SETTLE_MS;
  await Promise.race([
    Promise.all([upstreams.anth.idle(), upstreams.zai.idle()]),
    sleep(SETTLE_MS, undefined, { ref: false }),
  ]);
  if (target.logsDir === null) return;
  while (performance.now() < deadline) {
    if (countCompletions(await readLogsFolder(target.logsDir)) >= client().length) return;
    await sleep(POLL_MS);
  }
}

function byStart(transcripts: readonly Transcript[]): readonly Transcript[] {
  return transcripts.toSorted((a, b) => a.startedAt - b.startedAt);
}
