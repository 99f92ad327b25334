/** Makes a review bundle: evidence, verdicts, inventory, signature, archive, and one more look for secrets at the end. */
import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Check } from '../../analysis/check.ts';
import { OperatorError, pathTrouble } from '../../errors.ts';
import { createCanaries } from '../../harness/canaries.ts';
import { makeFolder, SHARED } from '../../platform/files.ts';
import { METRICS } from '../report/metrics.ts';
import type { Repository } from '../repository.ts';
import { DamagedRun } from '../stored/damaged-run.ts';
import type { RunPlace } from '../stored/stored-runs.ts';
import { readArchive } from './archive.ts';
import { compose } from './compose.ts';
import { type Bundler, type Damaged, json, type Summary } from './documents.ts';
import { mustBeReplaceable } from './earlier-folder.ts';
import { copyEvidence, type LeftOut } from './evidence.ts';
import { filesBelow } from './files-below.ts';
import { type Hashed, hashFile, hashOf, manifestOf, sumsOf } from './inventory.ts';
import { bundleName, MANIFEST, SIGNATURE, SUMS } from './layout.ts';
import { packBundle } from './pack.ts';
import { Refusal } from './refusal.ts';
import { type Find, type Secret, scanFile } from './scan.ts';
import type { KnownSuite } from './sign-off.ts';
import { publicKeyOf, type SigningSeed, signatureText } from './signature.ts';
import { endOf, summarize } from './summary.ts';
import { type Evidence, slipsIn, weighEvidence } from './weigh-evidence.ts';

export interface BuildOptions {
  /** What it covers; at least one. */
  readonly runs: readonly RunPlace[];
  /** Newest runs of suites that are known to be damaged, and so are none of `runs`. */
  readonly damaged?: readonly Damaged[];
  readonly checks: readonly Check[];
  readonly suites: readonly KnownSuite[];
  readonly bundler: Bundler;
  readonly repository: Repository;
  /** Absolute; made where it is not there. */
  readonly outDir: string;
  readonly seed?: SigningSeed | undefined;
  /** What may stand nowhere in it, beside what the runs made up. */
  readonly secrets: readonly Secret[];
  /** Its abort ends the work, and leaves nothing behind. */
  readonly signal?: AbortSignal | undefined;
}

export type Build =
  | {
      readonly ok: true;
      /** Absolute, as `folder`. */
      readonly file: string;
      readonly folder: string;
      readonly bytes: number;
      readonly sha256: string;
      readonly summary: Summary;
      /** Of the seed that it was signed with. */
      readonly publicKey: string | null;
    }
  /** Nothing was left behind. */
  | { readonly ok: false; readonly finds: readonly Find[] };

/**
 * A run that is damaged is left out. Throws USAGE where nothing else is there, or a run contradicts itself; NOT_READY where something that is not of an earlier bundle would be
 * replaced; rejects with what the system says where there is no room.
 */
export async function buildBundle(options: BuildOptions): Promise<Build> {
  const { outDir, seed } = options;
  const staging = await stageIn(outDir);
  try {
    const draft = path.join(staging, 'draft');
    const leftOut = await gather(draft, options);
    const weighed = await weigh(draft, options);
    if (!weighed.ok) return weighed;
    const { evidence, damaged } = weighed;
    const name = bundleName(endOf(evidence.runs));
    await mustBeReplaceable(path.join(outDir, name));
    const whole = leftOut.filter(({ file }) => !damaged.some(({ run }) => file.startsWith(`${run}/`)));
    const madeAnew = await mendedIn(evidence, options);
    await write(draft, { ...options, name, evidence, leftOut: whole, madeAnew, damaged });
    if (seed !== undefined) await sign(draft, seed);
    await rename(draft, path.join(staging, name));
    const packed = await pack(staging, name);
    const finds = await lookThrough(packed, options);
    if (finds.length > 0) return { ok: false, finds };
    return {
      ok: true,
      ...(await put({ staging, name, outDir })),
      summary: summarize(evidence.runs, options.suites, damaged),
      publicKey: seed === undefined ? null : publicKeyOf(seed),
    };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Beside its place, so that it gets there by renaming, whole or not at all. */
async function stageIn(outDir: string): Promise<string> {
  try {
    makeFolder(outDir, SHARED);
    return await mkdtemp(path.join(outDir, '.ccp-review-'));
  } catch (error) {
    throw pathTrouble(error, { place: outDir, hint: 'Name another folder with --out.' }) ?? error;
  }
}

async function gather(draft: string, { runs, signal }: BuildOptions): Promise<LeftOut[]> {
  const leftOut: LeftOut[] = [];
  for (const run of runs) {
    signal?.throwIfAborted();
    leftOut.push(...(await copyEvidence(run, path.join(draft, 'evidence', run.name))));
  }
  return leftOut;
}

/** A secret may be what makes a run unreadable; then that is what must be told. */
async function weigh(draft: string, options: BuildOptions): Promise<Weighed | Extract<Build, { ok: false }>> {
  const lost: Find[] = [];
  const damages: { readonly place: RunPlace; readonly damage: DamagedRun }[] = [];
  try {
    const evidence = await weighEvidence(draft, {
      checks: options.checks,
      mend: true,
      onMend(file, before) {
        // The checks of hygiene look through this one: a secret in it is no slip of a report, and is not written over.
        if (path.basename(file) === METRICS) lost.push(...scanFile(file, before, secretsFor(file, options)));
      },
      // The others are not stopped by it.
      async onDamage(name, damage) {
        const place = options.runs.find((one) => one.name === name);
        if (place === undefined) throw damage;
        damages.push({ place, damage });
        lost.push(...(await scanBelow(draft, `evidence/${name}`, options)));
        await rm(path.join(draft, 'evidence', name), { recursive: true });
      },
    });
    const [first] = damages;
    if (first !== undefined && lost.length === 0 && evidence.runs.length === 0)
      throw new DamagedRun(first.place.folder, wordsOf(first.damage, draft));
    const found = damages.map(({ place: { name, suite }, damage }) => ({
      run: name,
      suite,
      why: wordsOf(damage, draft),
    }));
    const damaged = [...(options.damaged ?? []), ...found];
    const [contradiction] = evidence.runs.flatMap(({ name, contradictions }) =>
      contradictions.map((what) => `${name}/${what}`),
    );
    if (contradiction !== undefined)
      throw new OperatorError('USAGE', `a run contradicts itself: ${contradiction}`, {
        hint: 'It was changed, or judged by other checks: run its suite again.',
      });
    return lost.length > 0 ? { ok: false, finds: lost } : { ok: true, evidence, damaged };
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    const finds = await scanBelow(draft, 'evidence', options);
    if (finds.length === 0) throw error;
    return { ok: false, finds };
  }
}

interface Weighed {
  readonly ok: true;
  readonly evidence: Evidence;
  readonly damaged: readonly Damaged[];
}

async function scanBelow(draft: string, below: string, options: BuildOptions): Promise<Find[]> {
  const finds: Find[] = [];
  for (const file of await filesBelow(draft, below))
    finds.push(...scanFile(file, await readFile(path.join(draft, file)), secretsFor(file, options)));
  return finds;
}

/** With the rounds of a night that it is in, where it is in some. */
function wordsOf({ what, folder }: DamagedRun, draft: string): string {
  const [, , ...within] = path.relative(draft, folder).split(path.sep);
  return within.length === 0 ? what : `in ${within.join('/')}, ${what}`;
}

/** What a run said of itself is replaced where the evidence does not say it: mostly as there is no place of the machine in it here. */
async function mendedIn({ runs }: Evidence, { runs: places, checks }: BuildOptions): Promise<LeftOut[]> {
  const mended: LeftOut[] = [];
  for (const { name, unlike } of runs.filter((run) => run.unlike.length > 0)) {
    const place = places.find((one) => one.name === name);
    const slips = place === undefined ? unlike : await slipsIn(place.folder, checks);
    for (const file of unlike)
      mended.push({ file: `${name}/${file}`, why: slips.includes(file) ? A_SLIP : ONLY_PLACES });
  }
  return mended;
}

const A_SLIP = "the run's own was not what its evidence gives";
const ONLY_PLACES = 'without the places of the machine, which were taken out of what it shows';

type Written = BuildOptions & {
  readonly name: string;
  readonly evidence: Evidence;
  readonly leftOut: readonly LeftOut[];
  readonly madeAnew: readonly LeftOut[];
  readonly damaged: readonly Damaged[];
};

async function write(
  draft: string,
  { name, evidence, leftOut, madeAnew, ...options }: Written,
): Promise<void> {
  const files = new Map<string, Hashed>(evidence.files);
  const store = async (file: string, text: string): Promise<Hashed> => {
    await writeFile(path.join(draft, file), text);
    return hashOf(Buffer.from(text));
  };
  const documents = compose(
    evidence,
    { ...options, leftOut: [...leftOut], madeAnew: [...madeAnew] },
    options.suites,
  );
  for (const [file, text] of Object.entries(documents)) files.set(file, await store(file, text));
  const manifest = manifestOf(name, files);
  await store(SUMS, sumsOf(manifest, await store(MANIFEST, json(manifest))));
}

async function sign(draft: string, seed: SigningSeed): Promise<void> {
  const sums = await readFile(path.join(draft, SUMS));
  await writeFile(path.join(draft, SIGNATURE), signatureText(sums, seed));
}

async function pack(staging: string, name: string): Promise<string> {
  const file = path.join(staging, `${name}.tgz`);
  const paths = await filesBelow(path.join(staging, name));
  await packBundle({ file, parent: staging, root: name, paths });
  return file;
}

/** Reads the archive as a verifier does, so that none is made which one would refuse. */
async function lookThrough(packed: string, options: BuildOptions): Promise<Find[]> {
  const finds: Find[] = [];
  try {
    for await (const { path: file, content } of readArchive(packed)) {
      options.signal?.throwIfAborted();
      const secrets = secretsFor(file, options);
      // A name can tell as much as a text.
      finds.push(...scanFile(file, content, secrets), ...scanFile(file, Buffer.from(file), secrets));
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new OperatorError('NOT_READY', `the runs make no bundle that anybody would take: ${error.detail}`, {
      hint: 'Remove the run that is too large or has odd names, and run its suite again.',
      cause: error,
    });
  }
  return finds;
}

/** What may not stand in a file: the secrets of its run and of whoever packs; in a document, those of all runs. */
function secretsFor(file: string, { secrets, runs }: BuildOptions): Secret[] {
  const own = runs.filter(
    ({ name }) => !file.startsWith('evidence/') || file.startsWith(`evidence/${name}/`),
  );
  return [...secrets, ...own.flatMap(({ seed }) => createCanaries(seed).all())];
}

async function put({
  staging,
  name,
  outDir,
}: {
  readonly staging: string;
  readonly name: string;
  readonly outDir: string;
}) {
  const [file, folder] = [path.join(outDir, `${name}.tgz`), path.join(outDir, name)];
  const { size: bytes } = await stat(path.join(staging, `${name}.tgz`));
  await rm(folder, { recursive: true, force: true });
  await rename(path.join(staging, name), folder);
  await rename(path.join(staging, `${name}.tgz`), file);
  return { file, folder, bytes, sha256: await hashFile(file) };
}
