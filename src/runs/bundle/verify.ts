/**
 * Decides whether a bundle is to be believed: by its file, its signature, its inventory, and by judging the evidence in it
 * again. What it holds is anybody's until the last of these has passed.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { Check } from '../../analysis/check.ts';
import { OperatorError } from '../../errors.ts';
import { type RunRecord, runRecordSchema } from '../run-record.ts';
import { readArchive } from './archive.ts';
import { compose, type Given } from './compose.ts';
import {
  json,
  type Manifest,
  manifestSchema,
  provenanceDocumentSchema,
  redactionSchema,
  repositorySchema,
  runsDocumentSchema,
  type Summary,
} from './documents.ts';
import { type Hashed, hashFile, hashOf, sumsOf } from './inventory.ts';
import { DOCUMENTS, MANIFEST, roleOf, SIGNATURE, SUMS } from './layout.ts';
import { LIMITS, type Limits } from './limits.ts';
import { quote, REASONS, type Reason, Refusal } from './refusal.ts';
import { scanFile } from './scan.ts';
import type { KnownSuite } from './sign-off.ts';
import { mustBeSigned } from './signature.ts';
import { summarize } from './summary.ts';
import { type Evidence, weighEvidence } from './weigh-evidence.ts';

export interface VerifyOptions {
  readonly checks: readonly Check[];
  readonly suites: readonly KnownSuite[];
  readonly publicKey?: Buffer | undefined;
  /** In lower case. */
  readonly expectSha256?: string | undefined;
  readonly limits?: Limits;
}

export type Verification =
  | {
      readonly ok: true;
      readonly sha256: string;
      /** `unchecked`: it has a signature, and nobody said by which key. */
      readonly signature: 'valid' | 'unchecked' | 'none';
      /** Whether anything ties it to what was handed over. */
      readonly bound: boolean;
      readonly files: number;
      readonly summary: Summary;
      /** What was taken as it was stored: nothing else in the bundle gives it. In words, each with its file. */
      readonly attested: readonly string[];
    }
  | { readonly ok: false; readonly reason: Reason; readonly sentence: string };

/** Rejects with what the system says where the file can't be read, or there is no room to unpack it. */
export async function verifyBundle(file: string, options: VerifyOptions): Promise<Verification> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ccp-bundle-'));
  try {
    return await verified(file, folder, options);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { reason, detail } = error;
    return { ok: false, reason, sentence: `Refused: ${REASONS[reason]} (${detail}).` };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function verified(file: string, folder: string, options: VerifyOptions): Promise<Verification> {
  const { publicKey, expectSha256, limits = LIMITS } = options;
  const sha256 = await hashFile(file);
  if (expectSha256 !== undefined && sha256 !== expectSha256)
    throw new Refusal('expected_hash', `its SHA-256 is ${sha256}`);
  const contents = await unpack(file, { folder, limits });
  if (publicKey !== undefined) {
    const signature = contents.small.get(SIGNATURE);
    if (signature === undefined) throw new Refusal('unsigned', `there is no ${SIGNATURE}`);
    mustBeSigned(smallOf(contents, SUMS), signature.toString('latin1'), publicKey);
  }
  const manifest = mustAgree(contents);
  await mustBeClean(contents, folder);
  mustBeAsAttested(contents);
  const evidence = await weigh(folder, options.checks);
  const [contradiction] = evidence.runs.flatMap(({ name, contradictions }) =>
    contradictions.map((what) => `evidence/${name}/${what}`),
  );
  if (contradiction !== undefined) throw new Refusal('evidence_contradicts', contradiction);
  const summary = mustSayTheSame(contents, evidence, options.suites);
  const signed = contents.small.has(SIGNATURE) ? 'unchecked' : 'none';
  return {
    ok: true,
    sha256,
    signature: publicKey === undefined ? signed : 'valid',
    bound: publicKey !== undefined || expectSha256 !== undefined,
    files: manifest.files.length,
    summary,
    attested: evidence.runs.flatMap(({ name, attested }) =>
      attested.map((what) => `evidence/${name}/${what}`),
    ),
  };
}

export interface Contents {
  readonly root: string;
  readonly files: ReadonlyMap<string, Hashed>;
  /** What is no evidence, and what of that was asked for, by path. */
  readonly small: ReadonlyMap<string, Buffer>;
}

export interface Unpacking {
  readonly limits: Limits;
  /** Absolute; where what is evidence goes. By default it is hashed and let go. */
  readonly folder?: string;
  /** Which evidence is held as well. */
  readonly holds?: (name: string) => boolean;
}

/** Takes the archive apart. */
export async function unpack(
  file: string,
  { limits, folder, holds = () => false }: Unpacking,
): Promise<Contents> {
  const files = new Map<string, Hashed>();
  const small = new Map<string, Buffer>();
  let root = '';
  for await (const entry of readArchive(file, limits)) {
    const { path: name, content } = entry;
    root = entry.root;
    files.set(name, hashOf(content));
    if (!name.startsWith('evidence/') || holds(name)) small.set(name, content);
    if (name.startsWith('evidence/') && folder !== undefined) {
      const place = path.join(folder, name);
      await mkdir(path.dirname(place), { recursive: true });
      await writeFile(place, content, { flag: 'wx' });
    }
  }
  return { root, files, small };
}

/** Nothing in it has the shape of a credential. Not before it is known whose it is: to look takes its time. */
async function mustBeClean({ files, small }: Contents, folder: string): Promise<void> {
  for (const name of files.keys()) {
    const content = small.get(name) ?? (await readFile(path.join(folder, name)));
    const [find] = scanFile(name, content, []);
    if (find !== undefined) throw new Refusal('secret', `${find.rule} in ${quote(name)}, line ${find.line}`);
  }
}

/** Manifest, list of sums and files: each must have what the others have. Gives the manifest. */
export function mustAgree(contents: Contents): Manifest {
  const { root, files } = contents;
  for (const name of [MANIFEST, SUMS, ...Object.keys(DOCUMENTS)]) smallOf(contents, name);
  const manifest = documentIn(contents, MANIFEST, manifestSchema, 'manifest_form');
  if (manifest.bundle !== root)
    throw new Refusal(
      'manifest_form',
      `it is of ${quote(manifest.bundle)}, and the folder is ${quote(root)}`,
    );
  const listed = new Map(manifest.files.map((one) => [one.path, one]));
  if (listed.size !== manifest.files.length) throw new Refusal('manifest_form', 'it lists a file twice');
  for (const { path: name, bytes, sha256, role } of manifest.files) {
    const there = files.get(name);
    if (there === undefined) throw new Refusal('missing_file', quote(name));
    if (there.bytes !== bytes)
      throw new Refusal('wrong_size', `${quote(name)} has ${there.bytes} bytes, and ${bytes} are listed`);
    if (there.sha256 !== sha256) throw new Refusal('wrong_hash', quote(name));
    if (roleOf(name) !== role) throw new Refusal('wrong_role', `${quote(name)} is called ${quote(role)}`);
  }
  for (const name of files.keys()) {
    if (!listed.has(name) && ![MANIFEST, SUMS, SIGNATURE].includes(name))
      throw new Refusal('unlisted_file', quote(name));
  }
  const sums = sumsOf(manifest, hashOf(smallOf(contents, MANIFEST)));
  if (smallOf(contents, SUMS).toString('latin1') !== sums)
    throw new Refusal('sums_differ', 'SHA256SUMS is not what the manifest makes it');
  return manifest;
}

function smallOf({ small }: Contents, name: string): Buffer {
  const content = small.get(name);
  if (content === undefined) throw new Refusal('missing_document', `there is no ${name}`);
  return content;
}

/** A JSON document, read through its form. */
export function documentIn<T>(
  contents: Contents,
  name: string,
  schema: z.ZodType<T>,
  reason: Reason = 'document_form',
): T {
  let value: unknown;
  try {
    value = JSON.parse(smallOf(contents, name).toString('utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Refusal(reason, `${name} is no JSON`);
  }
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  throw new Refusal(reason, `${name}, at ${quote(issue?.path.join('.') ?? '')}: ${issue?.message}`);
}

async function weigh(folder: string, checks: readonly Check[]): Promise<Evidence> {
  try {
    return await weighEvidence(folder, { checks, mend: false });
  } catch (error) {
    if (error instanceof OperatorError)
      throw new Refusal('evidence_damaged', error.message.replaceAll(folder, ''));
    const none = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (none) throw new Refusal('evidence_damaged', 'there is none');
    throw error;
  }
}

/** What only the bundle can tell is taken from it; everything else must follow. Gives what it comes to. */
function mustSayTheSame(contents: Contents, evidence: Evidence, suites: readonly KnownSuite[]): Summary {
  const provenance = documentIn(contents, 'provenance.json', provenanceDocumentSchema);
  const { leftOut, madeAnew, damaged = [] } = documentIn(contents, 'redaction.json', redactionSchema);
  const given: Given = {
    bundler: provenance.bundle,
    repository: documentIn(contents, 'repository.json', repositorySchema),
    leftOut,
    madeAnew,
    damaged,
  };
  mustBeTheVerdicts(contents, evidence);
  const { version, commit } = given.bundler;
  const maker = `it was made by ccp-uat ${quote(version)}${commit === null ? '' : ` of commit ${quote(commit)}`}, which may word it otherwise`;
  for (const { name, unlike } of evidence.runs)
    for (const file of unlike)
      throw new Refusal('report_differs', `${quote(`evidence/${name}/${file}`)}; ${maker}`);
  for (const [name, text] of Object.entries(compose(evidence, given, suites))) {
    if (!smallOf(contents, name).equals(Buffer.from(text)))
      throw new Refusal('document_differs', `${name}; ${maker}`);
  }
  const summary = summarize(evidence.runs, suites, damaged);
  if (summary.bundle !== contents.root)
    throw new Refusal('document_differs', `the name ${quote(contents.root)} is not that of its newest run`);
  return summary;
}

/** Apart from the rest, and first: this is what somebody would want to change. */
function mustBeTheVerdicts(contents: Contents, { runs }: Evidence): void {
  const { runs: told, legs = [] } = documentIn(contents, 'run.json', runsDocumentSchema);
  for (const { record } of runs) mustBeTheVerdict(record, told, record.suite);
  for (const { record } of runs.flatMap((run) => run.legs))
    if (record !== null) mustBeTheVerdict(record, legs, record.run);
}

/** `called`: what is told of it by. */
function mustBeTheVerdict(judged: RunRecord, told: readonly RunRecord[], called: string): void {
  // In the order of the form, as what it is compared with.
  const record = runRecordSchema.parse(judged);
  const other = told.find(({ run, suite }) => run === record.run && suite === record.suite);
  const where = `${called}: the evidence gives`;
  if (other === undefined) throw new Refusal('verdict_differs', `${where} a verdict, and run.json has none`);
  if (other.outcome !== record.outcome || other.ending !== record.ending)
    throw new Refusal(
      'verdict_differs',
      `${where} ${record.outcome}, ${record.ending}; run.json says ${other.outcome}, ${other.ending}`,
    );
  const ids = new Set([...record.checks, ...other.checks].map(({ id }) => id));
  for (const id of ids) {
    const [ours, theirs] = [record, other].map(({ checks }) => checks.find((check) => check.id === id));
    if (json(ours) === json(theirs)) continue;
    throw new Refusal(
      'verdict_differs',
      `${called}/${quote(id)}: the evidence gives ${ours?.outcome ?? 'nothing'}; run.json says ${theirs?.outcome ?? 'nothing'}`,
    );
  }
}

/**
 * The attestation lists each file of the evidence with its hash, so that evidence which was changed since is told of as such:
 * otherwise a document would seem to be what is wrong.
 */
function mustBeAsAttested(contents: Contents): void {
  const { predicate } = documentIn(contents, 'statement.intoto.json', attestedFilesSchema);
  const attested = new Map(predicate.configuration.map(({ name, digest }) => [name, digest.sha256]));
  for (const [name, { sha256 }] of contents.files) {
    if (roleOf(name) !== 'evidence' || attested.get(name) === sha256) continue;
    throw new Refusal(
      'evidence_differs',
      `${quote(name)} is ${attested.has(name) ? 'another file' : 'not there'} in statement.intoto.json`,
    );
  }
  for (const name of attested.keys())
    if (!contents.files.has(name))
      throw new Refusal(
        'evidence_differs',
        `${quote(name)} is in statement.intoto.json, and not in the bundle`,
      );
}

/** As much of an in-toto statement as it takes; the whole is composed anew and compared. */
const attestedFilesSchema = z.looseObject({
  predicate: z.looseObject({
    configuration: z.array(
      z.looseObject({ name: z.string(), digest: z.looseObject({ sha256: z.string() }) }),
    ),
  }),
});
