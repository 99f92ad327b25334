/** Bundles of the green run, and what somebody could make of them. */
import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { Header } from 'tar';
import { CHECKS } from '../../../analysis/checks/index.ts';
import { recordOf } from '../../judge.ts';
import { writeMetrics } from '../../report/metrics.ts';
import { writeReports } from '../../report/write-reports.ts';
import { readStoredRun } from '../../stored/stored-run.ts';
import { listRuns, newestOfEach, type RunPlace } from '../../stored/stored-runs.ts';
import { storeGreenRun } from '../../testing/stored-green-run.ts';
import { headerFor, readArchive } from '../archive.ts';
import { type Build, type BuildOptions, buildBundle } from '../build.ts';
import { json } from '../documents.ts';
import { hashOf, manifestOf, sumsOf } from '../inventory.ts';
import { byPath, MANIFEST, SIGNATURE, SUMS } from '../layout.ts';
import type { KnownSuite } from '../sign-off.ts';

export const SUITES: readonly KnownSuite[] = [{ name: 'test', checks: CHECKS.map(({ id }) => id) }];

/** Stores the green run with all its reports among the results; gives its folder. */
export async function storeWholeRun(
  resultsDir: string,
  name: string,
  ...rest: Parameters<typeof storeGreenRun> extends [string, ...infer Rest] ? Rest : never
): Promise<string> {
  const { folder } = await storeGreenRun(path.join(resultsDir, 'runs'), ...rest);
  await writeMetrics(folder);
  const stored = await readStoredRun(folder.path);
  await writeReports(folder, { stored, record: recordOf(stored, CHECKS) });
  const place = path.join(resultsDir, 'runs', name);
  await rename(folder.path, place);
  return place;
}

export const runsIn = async (resultsDir: string): Promise<RunPlace[]> =>
  newestOfEach(await listRuns(resultsDir));

/** Builds with everything that does not come from the run fixed. */
export function build(
  options: Pick<BuildOptions, 'runs' | 'outDir'> & Partial<BuildOptions>,
): Promise<Build> {
  return buildBundle({
    checks: CHECKS,
    suites: SUITES,
    bundler: { version: '0.0.0', node: '24.0.0', commit: null, dirty: null },
    repository: { v: 1, commit: null, dirty: null, files: [], languages: [] },
    secrets: [],
    ...options,
  });
}

/** Builds, and fails the test where that came to nothing. */
export async function built(
  options: Parameters<typeof build>[0],
): Promise<Extract<Build, { readonly ok: true }>> {
  const result = await build(options);
  if (result.ok) return result;
  throw new Error(`no bundle: ${JSON.stringify(result.finds)}`);
}

/** A bundle that has been taken apart, to be put together otherwise. */
export interface Opened {
  readonly root: string;
  readonly files: Map<string, Buffer>;
}

export async function openBundle(file: string): Promise<Opened> {
  const files = new Map<string, Buffer>();
  let root = '';
  for await (const entry of readArchive(file)) {
    root = entry.root;
    files.set(entry.path, Buffer.from(entry.content));
  }
  return { root, files };
}

/** Alters a text file of it; throws where that changes nothing. */
export function edit(opened: Opened, name: string, alter: (text: string) => string): void {
  const before = opened.files.get(name)?.toString('utf8');
  if (before === undefined) throw new Error(`there is no ${name}`);
  const after = alter(before);
  if (after === before) throw new Error(`${name} was not altered`);
  opened.files.set(name, Buffer.from(after));
}

/** Has manifest and sums list what there is now: what somebody does who knows our format. */
export function relist({ root, files }: Opened): void {
  const listed = [...files].filter(([name]) => ![MANIFEST, SUMS, SIGNATURE].includes(name));
  const manifest = manifestOf(root, new Map(listed.map(([name, content]) => [name, hashOf(content)])));
  files.set(MANIFEST, Buffer.from(json(manifest)));
  files.set(SUMS, Buffer.from(sumsOf(manifest, hashOf(Buffer.from(json(manifest))))));
}

/** Has the attestation list the evidence as it is now, too. */
export function attest({ files }: Opened): void {
  const statement = JSON.parse(files.get(STATEMENT)?.toString() ?? '');
  const evidence = [...files]
    .filter(([name]) => name.startsWith('evidence/'))
    .toSorted(([a], [b]) => byPath(a, b))
    .map(([name, content]) => ({ name, digest: { sha256: hashOf(content).sha256 } }));
  statement.subject = evidence.filter(({ name }) => name.endsWith('/events.jsonl'));
  statement.predicate.configuration = evidence;
  files.set(STATEMENT, Buffer.from(json(statement)));
}

const STATEMENT = 'statement.intoto.json';

/** An entry as it is written, byte for byte. */
export interface RawEntry {
  /** With its root. */
  readonly path: string;
  readonly content: Buffer;
  /** Changes the header; its check sum is made right again, unless `sum` is false. */
  readonly header?: (block: Buffer) => void;
  readonly sum?: false;
  /** What fills the last block. */
  readonly padding?: number;
}

export const entriesOf = ({ root, files }: Opened): RawEntry[] =>
  [...files]
    .toSorted(([a], [b]) => byPath(a, b))
    .map(([name, content]) => ({ path: `${root}/${name}`, content }));

const BLOCK = 512;

export function tarOf(entries: readonly RawEntry[], root: string): Buffer {
  const blocks = entries.flatMap(({ path: name, content, header, sum, padding = 0 }) => {
    const written = new Header({ path: name, size: content.length, ...headerFor(root) });
    written.encode();
    const block = written.block ?? Buffer.alloc(BLOCK);
    header?.(block);
    if (sum !== false) mendSum(block);
    return [block, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK, padding)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

/** Sum of the bytes of the header, its own field taken as spaces. */
function mendSum(block: Buffer): void {
  block.fill(' ', 148, 156);
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')} \0`, 148, 'latin1');
}

/** As our own packing writes it. */
export function gzipOf(tar: Buffer): Buffer {
  const packed = gzipSync(tar, { level: 9 });
  packed[9] = 0xff;
  return packed;
}

/** Writes a bundle from what is there, without a word on whether it is in order. */
export async function repack(file: string, opened: Opened): Promise<string> {
  await writeFile(file, gzipOf(tarOf(entriesOf(opened), opened.root)));
  return file;
}
