/** Gathers what all witnesses of a world saw, once its last probe has ended. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Transcript } from '../protocol/transcript.ts';
import type { Artifact, Collected, Crash, KeptStore } from '../protocol/witness.ts';
import type { Outside } from './outside.ts';
import { plantOwnSecrets } from './own-secrets.ts';
import { artifactsOf, lifeOf, readAnomalies, readCompletions, readLogsFolder, readUsage } from './records.ts';
import { tamper } from './saboteurs/layers.ts';
import { countRows, readStore, storeFile } from './store-file.ts';
import type { Fault, FaultContext, ProxyRecords, RecordedLife } from './types/saboteur.ts';
import type { Target } from './types/target.ts';
import type { Canaries } from './types/world.ts';
import type { Upstreams } from './upstreams.ts';

/** For exchanges that have ended to be put on record. */
const SETTLE_MS = 2_000;
const POLL_MS = 20;

export interface CollectOptions {
  /** What each process of the target told at its end. */
  readonly lives: readonly RecordedLife[];
  readonly crashes: readonly Crash[];
  /** Whether the target keeps a store, or why it need not. */
  readonly keepsStore: StoreDuty;
  /** What was printed and written beside the target. */
  readonly artifacts: readonly Artifact[];
  readonly logsDir: string | null;
  readonly upstreams: Upstreams;
  readonly client: () => readonly Transcript[];
  readonly outside: Pick<Outside, 'attempts'>;
  readonly canaries: Canaries;
  /** Where the target keeps secrets of its own making. */
  readonly stateDir: string;
  readonly context: FaultContext;
}

/** What was gathered, as these faults leave it. */
export type Telling = (faults: readonly Fault[]) => Collected;

/** Call it when everything has settled. */
export async function gather(options: CollectOptions): Promise<Telling> {
  const { lives, upstreams, canaries } = options;
  await plantOwnSecrets(options.stateDir, canaries);
  const records: ProxyRecords = {
    files: await readLogsFolder(options.logsDir),
    store: await readKept(options),
    crashes: options.crashes,
    lives,
  };
  const wire = {
    client: byStart(options.client()),
    upstream: byStart([...upstreams.anth.transcripts(), ...upstreams.zai.transcripts()]),
    elsewhere: options.outside.attempts(),
    canaries: canaries.all(),
  };
  return (faults) => ({ ...wire, ...toldBy(tamper(records, faults, options.context), options.artifacts) });
}

type Told = Omit<Collected, 'client' | 'upstream' | 'elsewhere' | 'canaries'>;

function toldBy(told: ProxyRecords, artifacts: readonly Artifact[]): Told {
  return {
    usage: readUsage(told.files),
    anomalies: readAnomalies(told.files),
    store: told.store,
    crashes: told.crashes,
    lives: told.lives.map(lifeOf),
    artifacts: [...artifactsOf(told), ...artifacts],
  };
}

/** Whether a target has to keep one; where not, why. */
export type StoreDuty = { readonly keeps: true } | { readonly keeps: false; readonly why: string };

/** What is expected of this target, by its kind and its settings. */
export function storeDuty(kind: Target['kind'], settings: Readonly<Record<string, string>> = {}): StoreDuty {
  if (kind !== 'builtin') return { keeps: false, why: 'another program need not keep a store' };
  if (settings['CCP_PERSIST'] === '0') return { keeps: false, why: 'CCP_PERSIST=0: it keeps no store' };
  return { keeps: true };
}

async function readKept({ logsDir, keepsStore }: CollectOptions): Promise<KeptStore> {
  if (!keepsStore.keeps || logsDir === null)
    return { kind: 'none', why: keepsStore.keeps ? 'its files are not read' : keepsStore.why };
  return readStore(storeFile(logsDir));
}

/** Waits until the upstreams are idle and each client exchange is on record, or until it has waited enough. */
export async function settle({
  upstreams,
  target: { logsDir },
  client,
}: Pick<CollectOptions, 'upstreams' | 'client'> & {
  readonly target: Pick<Target, 'logsDir'>;
}): Promise<void> {
  const deadline = performance.now() + SETTLE_MS;
  await Promise.race([
    Promise.all([upstreams.anth.idle(), upstreams.zai.idle()]),
    sleep(SETTLE_MS, undefined, { ref: false }),
  ]);
  if (logsDir === null) return;
  await until(deadline, async () => (await readCompletions(logsDir)).length >= client().length);
}

/**
 * Waits until the store holds as much as the log, or until it has waited enough. Only a target that goes on has to be
 * waited for: one that ends in order puts everything away first.
 */
export async function settleStore(logsDir: string | null, { keeps }: StoreDuty): Promise<void> {
  if (!keeps || logsDir === null || !existsSync(storeFile(logsDir))) return;
  const { length: logged } = await readCompletions(logsDir);
  await until(performance.now() + SETTLE_MS, async () => (await countRows(storeFile(logsDir))) >= logged);
}

async function until(deadline: number, isThere: () => Promise<boolean>): Promise<void> {
  while (performance.now() < deadline && !(await isThere())) await sleep(POLL_MS);
}

function byStart(transcripts: readonly Transcript[]): readonly Transcript[] {
  return transcripts.toSorted((a, b) => a.startedAt - b.startedAt);
}
