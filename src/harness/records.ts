/** What a target left behind, read from its folder and made into what the checks judge. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { rotatedSet } from '../platform/rotated-files.ts';
import type { Anomaly } from '../protocol/anomaly.ts';
import type { CompletionEvent, DecisionEvent, UsageEvent } from '../protocol/usage-event.ts';
import type { Artifact, ProxyLife, UsageLog } from '../protocol/witness.ts';
import { isStoreFile, printableIn } from './store-file.ts';
import type { ProxyRecords, RecordedLife } from './types/saboteur.ts';

const USAGE_LOG = 'usage.jsonl';
const ANOMALIES = 'anomalies.jsonl';
/** Old enough to be no line of the run, too young to be rotated away for its age (24 h). */
const MARKER_AGE_MS = 20 * 3_600_000;
const MARKER = 'planted-before-the-run';

/** A line for the log as it was before the run: after `ccp log rotate` it must be in an older file. */
export function markerLine(now: number): string {
  const marker: DecisionEvent = {
    v: 1,
    ts: new Date(now - MARKER_AGE_MS).toISOString(),
    rid: MARKER,
    event: 'decision',
    lane: 'anthropic',
    provider: 'anth',
    model: null,
    op: 'other',
    decision: 'to_anthropic',
    alternatives: [],
  };
  return `${JSON.stringify(marker)}\n`;
}

/**
 * Text of every file below the logs folder, by its name relative to it; of the store, which is no text, the text in it.
 * Empty where there is no folder.
 */
export async function readLogsFolder(
  folder: string | null,
  wanted: (name: string) => boolean = () => true,
): Promise<ReadonlyMap<string, string>> {
  if (folder === null) return new Map();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && wanted(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name));
  const texts = files.map(async (file) => [path.relative(folder, file), await textOf(file)] as const);
  return new Map((await Promise.all(texts)).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

async function textOf(file: string): Promise<string> {
  if (!isStoreFile(path.basename(file))) return readFile(file, 'utf8');
  // SQLite takes its side files away when the last of its users has gone.
  return printableIn(await readFile(file).catch(() => Buffer.alloc(0)));
}

/**
 * The usage events of the run: all lines of all files that are younger than the planted one. Lines are
 * claims: that each is a valid event is for a check to say, so anything that calls itself an event passes.
 */
export function readUsage(files: ProxyRecords['files']): UsageLog {
  const log = rotatedSet(USAGE_LOG, files.keys());
  const planted = log.findIndex((name) => files.get(name)?.includes(MARKER));
  const rotatedBefore = planted !== -1 && log[planted] !== USAGE_LOG;
  const ofTheRun = rotatedBefore ? log.slice(planted + 1) : log;
  const read = ofTheRun.map((file) => ({ file, ...readLines(files.get(file) ?? '', isEventLike) }));
  return {
    events: read.flatMap(({ events }) => events),
    bad: read.flatMap(({ file, bad }) => bad.map((one) => ({ file, ...one }))),
    rotatedBefore,
  };
}

/** What the target itself found remarkable; a damaged line is left out, as nothing is claimed of it. */
export function readAnomalies(files: ProxyRecords['files']): readonly Anomaly[] {
  return readLines(files.get(ANOMALIES) ?? '', isAnomalyLike).events;
}

/** Every text of the target, under the name of its place; what several lives say is one text. */
export function artifactsOf({ files, lives }: Pick<ProxyRecords, 'files' | 'lives'>): readonly Artifact[] {
  const answers = lives.map((life) => life.answers);
  const said: [place: string, texts: readonly (string | null)[]][] = [
    ['metrics', answers.map(({ metrics }) => metrics)],
    ['readyz', answers.map(({ readyz }) => readyz && JSON.stringify(readyz.body))],
    ['providers', answers.map(({ providers }) => documentOf(providers))],
    ['license', answers.map(({ license }) => documentOf(license))],
    ['meter', answers.map(({ meter }) => documentOf(meter))],
  ];
  return [
    ...[...files].map(([place, text]) => ({ place, text })),
    { place: 'proxy.log', text: lives.map(({ output }) => output).join('') },
    ...said.flatMap(([place, texts]) => {
      const there = texts.filter((text) => text !== null);
      return there.length === 0 ? [] : [{ place, text: there.join('\n') }];
    }),
  ];
}

const documentOf = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

/** A life as the checks judge it. */
export function lifeOf({ output, ...life }: RecordedLife): ProxyLife {
  return { ...life, licenseLines: output.split('\n').filter((line) => line.includes('[license]')) };
}

/** The exchanges that have been put on record so far. */
export async function readCompletions(folder: string): Promise<readonly CompletionEvent[]> {
  const files = await readLogsFolder(folder, (name) => name.startsWith(USAGE_LOG));
  return readUsage(files).events.filter((event) => event.event === 'completion');
}

function readLines<Line>(text: string, isLine: (value: unknown) => value is Line) {
  const events: Line[] = [];
  const bad: { line: number; problem: string }[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    if (raw === '') continue;
    const value = parse(raw);
    if (isLine(value)) events.push(value);
    else
      bad.push({
        line: index + 1,
        problem: value === undefined ? 'not valid JSON' : 'JSON, but not an event',
      });
  }
  return { events, bad };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isEventLike(value: unknown): value is UsageEvent {
  return isRecord(value) && typeof value['event'] === 'string' && typeof value['rid'] === 'string';
}

function isAnomalyLike(value: unknown): value is Anomaly {
  return isRecord(value) && typeof value['kind'] === 'string' && typeof value['rid'] === 'string';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
