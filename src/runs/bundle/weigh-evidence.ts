/** Weighs the evidence of a bundle, as it lies in a folder: when it is made, and again when it is verified. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Check } from '../../analysis/check.ts';
import { OperatorError } from '../../errors.ts';
import { closedRounds } from '../closed-rounds.ts';
import { recordOf } from '../judge.ts';
import { readEvents } from '../run-folder.ts';
import type { RunRecord } from '../run-record.ts';
import { readStoredRun } from '../stored-run.ts';
import { derivedReports } from './derived.ts';
import type { ProvenanceDocument } from './documents.ts';
import { EXPECTED } from './evidence.ts';
import { filesBelow } from './files-below.ts';
import { type Hashed, hashOf } from './inventory.ts';
import { byPath } from './layout.ts';
import { placeholdersIn, type Redactions, redactionsIn } from './redactions.ts';

export interface JudgedRun {
  /** Of its folder below `evidence/`. */
  readonly name: string;
  readonly record: RunRecord;
  /** Files that a whole run has and this one has not. */
  readonly absent: readonly string[];
  /** Reports of the run that are not what the evidence makes them. */
  readonly unlike: readonly string[];
  readonly toggles: ProvenanceDocument['runs'][number]['toggles'];
}

export interface Evidence {
  readonly runs: readonly JudgedRun[];
  readonly redactions: Redactions;
  /** Path below the bundle → what it is by its bytes. */
  readonly files: ReadonlyMap<string, Hashed>;
}

export interface Weighing {
  readonly checks: readonly Check[];
  /** Whether reports that are unlike what the evidence makes them are written anew. */
  readonly mend: boolean;
}

/** Reads and judges what lies in `root/evidence`. Throws USAGE where a run can't be judged, or is a part of one. */
export async function weighEvidence(root: string, weighing: Weighing): Promise<Evidence> {
  const runs = await judgeAll(path.join(root, 'evidence'), weighing);
  const paths = await filesBelow(root, 'evidence');
  const files = new Map<string, Hashed>();
  const names = new Set<string>();
  for (const file of paths) {
    const content = await readFile(path.join(root, file));
    files.set(file, hashOf(content));
    for (const name of placeholdersIn(content.toString('latin1'))) names.add(name);
  }
  const redactions: Redactions[] = [];
  for (const file of paths)
    redactions.push(
      redactionsIn(file, await readFile(path.join(root, file), 'latin1'), [...names].toSorted()),
    );
  return { runs, redactions: redactions.flat(), files };
}

/** By name. */
async function judgeAll(evidence: string, weighing: Weighing): Promise<JudgedRun[]> {
  const names = (await readdir(evidence)).toSorted(byPath);
  const judged: JudgedRun[] = [];
  // One after the other: a run may take a good part of the memory.
  for (const name of names) judged.push(await judgeOne(path.join(evidence, name), weighing));
  return judged;
}

async function judgeOne(folder: string, { checks, mend }: Weighing): Promise<JudgedRun> {
  const [stored, events, there] = await Promise.all([
    readStoredRun(folder),
    readEvents(folder),
    readdir(folder, { recursive: true }),
  ]);
  if (closedRounds(events) !== null)
    throw new OperatorError('USAGE', `${path.basename(folder)} is a part of a night`, {
      hint: 'It says by itself what of it is not judged. Give the night that it is of.',
    });
  const { plan } = stored;
  const stageOf = (name: string | undefined) =>
    plan.stages.find((stage) => stage.name === name) ?? plan.stages[0];
  const toggles = events.flatMap((event): JudgedRun['toggles'] => {
    if (event.type === 'toggled') {
      const { license = '', mode = null } = plan.stages[0] ?? {};
      const { protocol } = event;
      return [
        { at: new Date(event.at).toISOString(), stage: `round ${event.round}`, license, mode, protocol },
      ];
    }
    // A run with one stage says nothing of it.
    if (event.type !== 'stage_started' && (event.type !== 'run_started' || plan.stages.length > 1)) return [];
    const stage = stageOf(event.type === 'stage_started' ? event.name : undefined);
    if (stage === undefined) return [];
    const { name, license, mode = null } = stage;
    return [{ at: new Date(event.at).toISOString(), stage: name, license, mode, protocol: null }];
  });
  const record = recordOf(stored, checks);
  const unlike: string[] = [];
  for (const [name, text] of await derivedReports(folder, { record, stored }, there)) {
    const file = path.join(folder, name);
    if ((await readFile(file)).equals(Buffer.from(text))) continue;
    unlike.push(name);
    if (mend) await writeFile(file, text);
  }
  return {
    name: path.basename(folder),
    record,
    absent: EXPECTED.filter((file) => !there.includes(file)),
    unlike,
    toggles,
  };
}
