/**
 * Copies what a run stored into a bundle: the files that every run has, and no others, without the paths of the machine
 * that it ran on. Credentials were taken out when the run was stored; what a proxy of a run that died has left in its own
 * logs is cleaned here.
 */
import { constants } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { decodedBody } from '../../analysis/oracle/answer.ts';
import { bytesOf } from '../../analysis/wire.ts';
import { createCanaries } from '../../harness/canaries.ts';
import { readLogsFolder } from '../../harness/records.ts';
import type { Canary } from '../../protocol/witness.ts';
import { createRedactor, type Redactor } from '../redact.ts';
import { endIn } from '../run-end.ts';
import { SELFTEST, selftestSchema } from '../selftest/selftest-record.ts';
import { MATRIX } from '../selftest/stored-matrix.ts';
import { readEvents } from '../stored/run-folder.ts';
import type { RunPlace } from '../stored/stored-runs.ts';
import { transcriptSchema } from '../stored/stored-witness.ts';
import { isUnderWay, UNDER_WAY, UNDER_WAY_COPIED } from '../stored/under-way.ts';
import { everythingBelow } from './files-below.ts';
import { chooseLegs, KEPT_RULE, legOf } from './kept-rounds.ts';
import { byPath } from './layout.ts';
import { RUN_FOLDER } from './redactions.ts';

export interface LeftOut {
  /** Below `evidence/`. */
  readonly file: string;
  readonly why: string;
}

/** What a run may have; which of them it should have is said of a run that has not. */
const KEPT: ReadonlySet<string> = new Set([
  'events.jsonl',
  'run.json',
  'report.html',
  'SUMMARY.md',
  'METRICS.json',
  'junit.xml',
  'ctrf-report.json',
  'usage.jsonl',
  'proxy.log',
  'GLM_LIMIT_PROBE.md',
  'selftest.json',
  'selftest.html',
  'NIGHT.json',
  'usage.1.jsonl',
  'witness/client.jsonl',
  'witness/upstream.jsonl',
  'witness/proxy.jsonl',
  'witness/store.jsonl',
  'witness/crashes.jsonl',
  'witness/elsewhere.jsonl',
  'witness/canaries.jsonl',
  'witness/artifacts.jsonl',
]);

/** Where a proxy keeps its logs while its run goes on. */
const WORLD = 'world/logs';

/** Copies a run to `to`; gives what was left behind. Throws USAGE where the run can't be read. */
export async function copyEvidence(run: RunPlace, to: string): Promise<LeftOut[]> {
  const goesOn = await isUnderWay(run.folder);
  const { files, others } = await everythingBelow(run.folder);
  const kept = await keptIn(run.folder);
  const legs = await chooseLegs(run.folder, { kept, files });
  /** The folders of runs: its own, and those of its rounds. */
  const folders = ['', ...legs.map((leg) => `${leg}/`)];
  const wanted = new Set(
    files.filter((file) =>
      folders.some((folder) => file.startsWith(folder) && KEPT.has(file.slice(folder.length))),
    ),
  );
  const texts = await readAll(run.folder, [...wanted]);
  const places = machinePlaces(run, texts);
  const redactor = createRedactor(places);
  for (const [name, text] of texts) {
    const clean = TRANSCRIPTS.test(name) ? cleanTranscripts(text, redactor) : redactor.text(text);
    await put(to, name, name === MATRIX ? withoutKept(clean) : clean);
  }
  const logs = folders.map((folder) => `${folder}${WORLD}/`);
  for (const folder of logs.filter((one) => files.some((file) => file.startsWith(one)))) {
    const ofTheWorld = createRedactor([...places, ...createCanaries(run.seed).all()]);
    for (const [name, text] of await readLogsFolder(path.join(run.folder, folder)))
      await put(to, `${folder}${name}`, ofTheWorld.text(text));
  }
  // One that has come to its end since has it in what was read.
  if (goesOn && !(await isOver(to))) await put(to, UNDER_WAY, UNDER_WAY_COPIED);
  const strange = files.filter(
    (file) => file !== UNDER_WAY && !wanted.has(file) && !logs.some((folder) => file.startsWith(folder)),
  );
  const told = new Map(strange.map((file) => leftBy(file, { kept, legs })));
  return [
    ...[...told].map(([file, why]) => ({ file, why })),
    ...others.map((file) => ({ file, why: 'no plain file: a run writes no links' })),
  ]
    .toSorted((a, b) => byPath(a.file, b.file))
    .map((one) => ({ file: `${run.name}/${nameable(one.file)}`, why: one.why }));
}

/** Where the runs of the saboteurs were kept is a place of the machine, to which nothing leads from a bundle. */
function withoutKept(text: string): string {
  const { success, data } = selftestSchema.safeParse(parsed(text));
  // One that is damaged is the business of the judge.
  if (!success || data.saboteurs.every(({ kept }) => kept === undefined)) return text;
  const saboteurs = data.saboteurs.map((one) => {
    const { kept: _, ...rest } = one;
    return rest;
  });
  return `${JSON.stringify({ ...data, saboteurs }, null, 2)}\n`;
}

/** By what was copied. A self-test is over when its matrix is there. */
async function isOver(copy: string): Promise<boolean> {
  const events = await readEvents(copy).catch(() => []);
  const isSelftest = events.some((event) => event.type === 'run_started' && event.plan.suite === SELFTEST);
  return isSelftest ? (await readdir(copy)).includes(MATRIX) : endIn(events) !== undefined;
}

/** The red rounds that a night kept whole, as its events name them, in order. */
async function keptIn(folder: string): Promise<string[]> {
  // Where they are damaged, that is told when the run is judged.
  const events = await readEvents(folder).catch(() => []);
  return [
    ...new Set(events.flatMap((event) => (event.type === 'round_judged' ? (event.account.kept ?? []) : []))),
  ];
}

/** What is told of a file that is not taken. Of a round that is not taken, that is its folder. */
function leftBy(
  file: string,
  { kept, legs }: { readonly kept: readonly string[]; readonly legs: readonly string[] },
): readonly [what: string, why: string] {
  const leg = legOf(file);
  if (leg !== null && !legs.includes(leg))
    return [leg, kept.includes(leg) ? KEPT_RULE : 'of rounds that were under way when the night ended'];
  const name = leg === null ? file : file.slice(leg.length + 1);
  return [file, name.startsWith('world/') ? 'of the world that the run died in' : 'no file of a run'];
}

/** A strange name is foreign text. */
const nameable = (file: string): string => file.replaceAll(/[^A-Za-z0-9._/-]/g, '?');

/** What a link leads to is not of the run, also where it became one a moment ago. */
const NO_LINK = constants.O_RDONLY | constants.O_NOFOLLOW;

async function readAll(folder: string, files: readonly string[]): Promise<Map<string, string>> {
  const texts = files.map(async (file) => {
    const text = await readFile(path.join(folder, file), { encoding: 'utf8', flag: NO_LINK });
    return [file, text] as const;
  });
  return new Map(await Promise.all(texts));
}

async function put(to: string, name: string, text: string): Promise<void> {
  const file = path.join(to, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
}

const TRANSCRIPTS = /(^|\/)witness\/(client|upstream)\.jsonl$/;

/** Length and hash of a body stay those of the wire, as in the stored run. */
function cleanTranscripts(text: string, redactor: Redactor): string {
  const clean = text.split('\n').map((line) => {
    const { success, data } = transcriptSchema.safeParse(parsed(line));
    // A torn line is the business of the judge.
    return success ? JSON.stringify(redactor.transcript(data)) : redactor.text(line);
  });
  return clean.join('\n');
}

/**
 * The folder of the run, as the run wrote it down when it was there, in both forms: its own, and that of Claude Code
 * for a project's folder. As canaries, since the redactor knows every disguise of those.
 */
function machinePlaces({ name, folder }: RunPlace, texts: ReadonlyMap<string, string>): Canary[] {
  const written = new RegExp(String.raw`/[^\s"'\\]*/${name.replaceAll('.', String.raw`\.`)}(?=/)`, 'g');
  const found = [...texts].flatMap(([file, text]) =>
    (TRANSCRIPTS.test(file) ? bodiesIn(text) : [text]).flatMap((one) =>
      [...one.matchAll(written)].map(([place]) => place),
    ),
  );
  const places = [...new Set([folder, ...found])].flatMap((place) => [
    place,
    place.replaceAll(/[^A-Za-z0-9]/g, '-'),
  ]);
  // The longest first: one may begin with another.
  return places
    .toSorted((a, b) => b.length - a.length || byPath(a, b))
    .map((value) => ({ name: RUN_FOLDER, value, allowed: [] }));
}

function bodiesIn(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const { success, data } = transcriptSchema.safeParse(parsed(line));
    if (!success) return [];
    return [bytesOf(data.request.body), decodedBody(data)].flatMap((body) => body?.toString('latin1') ?? []);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
