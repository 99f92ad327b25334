/** The folder of one run: everything that is stored of it passes here, and is read back here. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import type { Evidence } from '../../analysis/evidence.ts';
import { OperatorError } from '../../errors.ts';
import { makeFolder, SHARED } from '../../platform/files.ts';
import type { Transcript } from '../../protocol/transcript.ts';
import type { Canary, Collected, KeptStore, ProxyLife } from '../../protocol/witness.ts';
import type { Redactor } from '../redact.ts';
import { type RunEvent, runEventSchema } from '../run-events.ts';
import { DamagedRun } from './damaged-run.ts';
import {
  artifactSchema,
  canarySchema,
  crashSchema,
  outsideAttemptSchema,
  proxyLineSchema,
  storeHeadSchema,
  storeRowSchema,
  transcriptSchema,
} from './stored-witness.ts';

export interface RunFolder {
  /** Absolute. */
  readonly path: string;
  /** Appends to `events.jsonl`, at once: what happened is on disk before the next thing happens. */
  append(event: RunEvent): void;
  /** Appends the transcripts that are not stored yet, at once. */
  keepWire(seen: Pick<Collected, 'client' | 'upstream' | 'elsewhere'>, redactor: Redactor): void;
  /** Appends the account of a process of the proxy that has ended, at once. */
  keepLife(life: ProxyLife, redactor: Redactor): void;
  /** Replaces the stored views of the witnesses by newer ones. */
  keep(collected: Collected, redactor: Redactor): Promise<void>;
  /** Writes a report, whole or not at all. */
  write(name: string, text: string): Promise<void>;
}

/** Makes the folder; throws USAGE where it exists and is not empty, so that no run is mixed with another. */
export async function createRunFolder(folder: string): Promise<RunFolder> {
  makeFolder(folder, SHARED);
  const [stranger] = await readdir(folder);
  if (stranger !== undefined) {
    throw new OperatorError('USAGE', `${folder} is not empty (it holds ${stranger})`, {
      hint: 'Name another folder with --run-dir.',
    });
  }
  mkdirSync(path.join(folder, 'witness'));
  return openRunFolder(folder);
}

/** The folder of a run that goes on. */
export function openRunFolder(folder: string): RunFolder {
  const write = (name: string, text: string): Promise<void> => writeWhole(folder, name, text);
  const append = (name: string, lines: readonly object[]): void =>
    appendFileSync(path.join(folder, name), jsonLines(lines));
  endTornLine(path.join(folder, EVENTS));
  const stored = new Set<string>();
  const passed = new Set<Transcript>();
  const keepOne = (transcript: Transcript, redactor: Redactor): void => {
    passed.add(transcript);
    const key = `${transcript.side} ${transcript.observer} ${transcript.id}`;
    if (stored.has(key)) return;
    stored.add(key);
    append(`witness/${transcript.side}.jsonl`, [redactor.transcript(transcript)]);
  };
  const told = new Map<string, Canary>();
  let newest: readonly Canary[] | undefined;
  /** Nearly all of them are known, and there are thousands in a long run: only what is new is written. */
  const keepCanaries = (canaries: readonly Canary[]): void => {
    if (canaries === newest) return;
    newest = canaries;
    const fresh = canaries.filter((canary) => !isSame(told.get(canary.name), canary));
    // Of those that are there something is no longer so, or they are of before this folder was opened.
    const isStale = told.size === 0 || fresh.some(({ name }) => told.has(name));
    for (const canary of fresh) told.set(canary.name, canary);
    if (isStale) writeFileSync(path.join(folder, CANARIES), jsonLines(canaries));
    else append(CANARIES, fresh);
  };
  return {
    path: folder,
    append: (event) => append(EVENTS, [event]),
    write,
    keepWire({ client, upstream, elsewhere }, redactor) {
      for (const transcripts of [client, upstream])
        for (const transcript of transcripts) if (!passed.has(transcript)) keepOne(transcript, redactor);
      if (elsewhere !== null)
        writeFileSync(path.join(folder, ELSEWHERE), redactor.text(jsonLines(elsewhere)));
      keepCanaries(redactor.canaries());
    },
    keepLife(life, redactor) {
      appendFileSync(path.join(folder, PROXY), redactor.text(jsonLines([answersLine(life)])));
    },
    async keep(collected, redactor) {
      const { client, upstream, elsewhere, usage, anomalies, lives, artifacts, store, crashes } = collected;
      const said: z.input<typeof proxyLineSchema>[] = [
        ...usage.events.map((event) => ({ kind: 'usage', event }) as const),
        ...anomalies.map((anomaly) => ({ kind: 'anomaly', anomaly }) as const),
        { kind: 'log', bad: [...usage.bad], rotatedBefore: usage.rotatedBefore },
        ...lives.map(answersLine),
      ];
      await Promise.all([
        write('witness/client.jsonl', jsonLines(client.map((one) => redactor.transcript(one)))),
        write('witness/upstream.jsonl', jsonLines(upstream.map((one) => redactor.transcript(one)))),
        ...(elsewhere === null ? [] : [write(ELSEWHERE, redactor.text(jsonLines(elsewhere)))]),
        write(PROXY, redactor.text(jsonLines(said))),
        write(STORE, redactor.text(jsonLines(storeLines(store)))),
        ...(crashes.length === 0 ? [] : [write(CRASHES, jsonLines(crashes))]),
        write(CANARIES, jsonLines(redactor.canaries())),
        write('witness/artifacts.jsonl', redactor.text(jsonLines(artifacts))),
        ...artifacts
          .filter(({ place }) => OWN_FILES.has(place))
          .map(({ place, text }) => write(place, redactor.text(text))),
      ]);
    },
  };
}

/** Writes a file of a run, whole or not at all. Rejects with what the file system says. */
export async function writeWhole(folder: string, name: string, text: string): Promise<void> {
  const file = path.join(folder, name);
  await writeFile(`${file}.part`, text);
  await rename(`${file}.part`, file);
}

type ProxyLine = z.output<typeof proxyLineSchema>;

const PROXY = 'witness/proxy.jsonl';

const answersLine = (life: ProxyLife): z.input<typeof proxyLineSchema> => ({ kind: 'answers', ...life });

const CANARIES = 'witness/canaries.jsonl';

const isSame = (known: Canary | undefined, canary: Canary): boolean =>
  known === canary || (known !== undefined && isDeepStrictEqual(known, canary));

/** Is there if and only if somebody was watched. */
const ELSEWHERE = 'witness/elsewhere.jsonl';

const STORE = 'witness/store.jsonl';
/** Is there where the run killed its target. */
const CRASHES = 'witness/crashes.jsonl';

const storeLines = (store: KeptStore): readonly object[] =>
  store.kind === 'read' ? [{ kind: store.kind }, ...store.rows] : [store];

function storeOf(folder: string, text: string): KeptStore {
  const end = text.indexOf('\n') + 1;
  const place = { folder, name: STORE };
  const [head] = parseLines(text.slice(0, end), storeHeadSchema, place);
  if (head === undefined) return { kind: 'none', why: 'the run stored none' };
  return head.kind === 'read' ? { ...head, rows: parseLines(text.slice(end), storeRowSchema, place) } : head;
}

/** Artifacts that a person looks for under their own name. */
const OWN_FILES: ReadonlySet<string> = new Set(['usage.jsonl', 'proxy.log']);

/**
 * Every event of a stored run; a line torn by its death is left out. Throws USAGE where there is no run, and for a line that
 * is damaged: a run judged without it would be another run.
 */
export async function readEvents(folder: string): Promise<RunEvent[]> {
  const text = await readOptional(path.join(folder, EVENTS));
  const read = lines(text).map((line) => runEventSchema.safeParse(parsed(line)));
  const events = read.flatMap(({ success, data }, index) => {
    if (success) return [data];
    const wasTorn =
      index === read.length - 1 ? !text.endsWith('\n') : read[index + 1]?.data?.type === 'resumed';
    // Whatever that is, it is no run.
    if (wasTorn || read[0]?.data?.type !== 'run_started') return [];
    throw new DamagedRun(folder, `line ${index + 1} of ${EVENTS} is damaged`);
  });
  if (events[0]?.type !== 'run_started') {
    throw new OperatorError('USAGE', `${folder} holds no run (no readable events.jsonl)`);
  }
  return events;
}

/**
 * The stored views of the witnesses; what a run that died had not written yet is empty. Throws USAGE for a
 * line that is damaged: a run judged without it would be another run.
 */
export async function readCollected(folder: string): Promise<Omit<Evidence, 'suite' | 'run' | 'probes'>> {
  const read = async <T>(name: string, schema: z.ZodType<T>): Promise<T[]> =>
    parseLines(await readOptional(path.join(folder, 'witness', name)), schema, {
      folder,
      name: `witness/${name}`,
    });
  const [client, upstream, watched, said, store, crashes, canaries, artifacts] = await Promise.all([
    read('client.jsonl', transcriptSchema),
    read('upstream.jsonl', transcriptSchema),
    readIfThere(path.join(folder, ELSEWHERE)),
    read(path.basename(PROXY), proxyLineSchema),
    readOptional(path.join(folder, STORE)),
    read('crashes.jsonl', crashSchema),
    read('canaries.jsonl', canarySchema),
    read('artifacts.jsonl', artifactSchema),
  ]);
  const log = said.find((line) => line.kind === 'log');
  return {
    client,
    upstream,
    elsewhere:
      watched === null ? null : parseLines(watched, outsideAttemptSchema, { folder, name: ELSEWHERE }),
    canaries,
    artifacts,
    store: storeOf(folder, store),
    crashes,
    anomalies: said.flatMap((line) => (line.kind === 'anomaly' ? [line.anomaly] : [])),
    usage: {
      events: said.flatMap((line) => (line.kind === 'usage' ? [line.event] : [])),
      bad: log?.bad ?? [],
      rotatedBefore: log?.rotatedBefore ?? false,
    },
    lives: said.flatMap((line) => (line.kind === 'answers' ? [lifeOf(line)] : [])),
  };
}

function lifeOf(line: Extract<ProxyLine, { kind: 'answers' }>): ProxyLife {
  const { kind: _, ...life } = line;
  return life;
}

const jsonLines = (values: readonly object[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join('');

const EVENTS = 'events.jsonl';

/** What is written next must not become part of a line that a death cut short. */
function endTornLine(file: string): void {
  if (existsSync(file) && !readFileSync(file, 'latin1').endsWith('\n')) appendFileSync(file, '\n');
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseLines<T>(
  text: string,
  schema: z.ZodType<T>,
  { folder, name }: { readonly folder: string; readonly name: string },
): T[] {
  // What follows the last line break was being written when the run died.
  return lines(text.slice(0, text.lastIndexOf('\n') + 1)).map((line, index) => {
    const { success, data } = schema.safeParse(parsed(line));
    if (success) return data;
    throw new DamagedRun(folder, `line ${index + 1} of ${name} is damaged`);
  });
}

const readOptional = async (file: string): Promise<string> => (await readIfThere(file)) ?? '';

async function readIfThere(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}
