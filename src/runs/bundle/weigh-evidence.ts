/** Weighs the evidence of a bundle, as it lies in a folder: when it is made, and again when it is verified. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Check } from '../../analysis/check.ts';
import { OperatorError } from '../../errors.ts';
import { closedRounds } from '../closed-rounds.ts';
import { recordOf } from '../judge.ts';
import { METRICS, metricsOf } from '../report/metrics.ts';
import { PAGE } from '../report/write-reports.ts';
import type { RunEvent } from '../run-events.ts';
import type { Plan, RunRecord } from '../run-record.ts';
import { readStoredRun, type StoredRun } from '../stored-run.ts';
import { attestedIn } from './attested.ts';
import { derivedFrom } from './derived.ts';
import type { ProvenanceDocument } from './documents.ts';
import { expectedFiles } from './expected-files.ts';
import { filesBelow } from './files-below.ts';
import { type Hashed, hashOf } from './inventory.ts';
import { byPath } from './layout.ts';
import { placeholdersIn, type Redactions, redactionsIn } from './redactions.ts';

export interface JudgedRun {
  /** Of its folder below `evidence/`. */
  readonly name: string;
  readonly record: RunRecord;
  /** Files that such a run has and this one has not. */
  readonly absent: readonly string[];
  /** Reports of the run that are not what the evidence makes them; below its folder. */
  readonly unlike: readonly string[];
  /** What it says of itself and what lies beside it does not say. */
  readonly contradictions: readonly string[];
  /** What nothing else in the bundle gives again, in words. */
  readonly attested: readonly string[];
  readonly toggles: ProvenanceDocument['runs'][number]['toggles'];
  /** The red rounds that a night kept whole. */
  readonly legs: readonly JudgedLeg[];
}

/** Some rounds of a night that shared a world, as a run of its own. */
export interface JudgedLeg {
  /** `rounds/leg-0001`. */
  readonly place: string;
  /** The checks that the night says were not satisfied, by its rounds. */
  readonly told: readonly { readonly round: number; readonly red: readonly string[] }[];
  /** Judged again by all that is stored of it; null where that is not in the bundle. */
  readonly record: RunRecord | null;
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
  /** Told of what is about to be written anew, with what stood there; `file` is a path below the bundle. */
  readonly onMend?: (file: string, before: Buffer) => void;
}

/** Reads and judges what lies in `root/evidence`. Throws USAGE where a run can't be judged, or is a part of one. */
export async function weighEvidence(root: string, weighing: Weighing): Promise<Evidence> {
  const runs = await judgeAll(root, weighing);
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
async function judgeAll(root: string, weighing: Weighing): Promise<JudgedRun[]> {
  const names = (await readdir(path.join(root, 'evidence'))).toSorted(byPath);
  const judged: JudgedRun[] = [];
  // One after the other: a run may take a good part of the memory.
  for (const name of names) judged.push(await judgeWithLegs({ root, name }, weighing));
  return judged;
}

async function judgeWithLegs(
  { root, name }: { readonly root: string; readonly name: string },
  weighing: Weighing,
): Promise<JudgedRun> {
  const { stored, there, ...own } = await judgeFolder({ root, folder: `evidence/${name}` }, weighing);
  if (closedRounds(stored.events) !== null)
    throw new OperatorError('USAGE', `${name} is a part of a night`, {
      hint: 'It says by itself what of it is not judged. Give the night that it is of.',
    });
  const unlike = [...own.unlike];
  const contradictions = [...own.contradictions];
  const legs: JudgedLeg[] = [];
  for (const { place, told } of legsOf(stored.evidence.night?.rounds ?? [])) {
    let record: RunRecord | null = null;
    if (there.includes(`${place}/events.jsonl`)) {
      const leg = await judgeFolder(
        { root, folder: `evidence/${name}/${place}`, mustHave: [PAGE] },
        weighing,
      );
      unlike.push(...leg.unlike.map((file) => `${place}/${file}`));
      contradictions.push(...leg.contradictions);
      record = leg.record;
    }
    legs.push({ place, told, record });
  }
  return {
    name,
    record: own.record,
    // One that goes on has yet to write them.
    absent:
      stored.ending === 'running' ? [] : expectedFiles(stored.plan).filter((file) => !there.includes(file)),
    unlike,
    contradictions,
    attested: attestedIn({ there, stored, legs }),
    toggles: togglesIn(stored.events, stored.plan),
    legs,
  };
}

type Rounds = NonNullable<StoredRun['evidence']['night']>['rounds'];

/** Each once, with what the night said of its red rounds as they ended. */
function legsOf(rounds: Rounds): Pick<JudgedLeg, 'place' | 'told'>[] {
  const kept = Map.groupBy(
    rounds.filter((round) => round.kept !== null),
    (round) => round.kept ?? '',
  );
  return [...kept].map(([place, own]) => ({
    place,
    told: own.map(({ round, verdict }) => ({ round, red: verdict.red.map(({ id }) => id) })),
  }));
}

interface JudgedFolder extends Pick<JudgedRun, 'record' | 'unlike' | 'contradictions'> {
  readonly stored: StoredRun;
  readonly there: readonly string[];
}

interface PlacedFolder {
  readonly root: string;
  /** Below it. */
  readonly folder: string;
  /** Reports that are made for the bundle where the run has none. */
  readonly mustHave?: readonly string[];
}

/** Judges one run; its reports are compared with what they follow from. */
async function judgeFolder(
  { root, folder: below, mustHave = [] }: PlacedFolder,
  { checks, mend, onMend }: Weighing,
): Promise<JudgedFolder> {
  const folder = path.join(root, below);
  const there = await readdir(folder, { recursive: true });
  const unlike: string[] = [];
  const compare = async (name: string, text: string): Promise<void> => {
    const file = path.join(folder, name);
    const before = there.includes(name) ? await readFile(file) : null;
    if (before?.equals(Buffer.from(text)) === true) return;
    if (before !== null || !mend) unlike.push(name);
    if (!mend) return;
    if (before !== null) onMend?.(`${below}/${name}`, before);
    await writeFile(file, text);
  };
  // Before the rest: what it holds is looked through by the checks themselves.
  const metrics = there.includes(METRICS) ? await metricsOf(folder) : null;
  if (metrics !== null) await compare(METRICS, metrics);
  const stored = await readStoredRun(folder);
  const record = recordOf(stored, checks);
  const { reports, contradictions } = await derivedFrom(folder, { record, stored }, [...there, ...mustHave]);
  for (const [name, text] of reports) await compare(name, text);
  return { record, stored, there, unlike, contradictions };
}

/** What was switched in a run, and when. */
function togglesIn(events: readonly RunEvent[], { stages }: Plan): JudgedRun['toggles'] {
  return events.flatMap((event): JudgedRun['toggles'] => {
    if (event.type === 'toggled') {
      const { license = '', mode = null } = stages[0] ?? {};
      const { protocol } = event;
      return [
        { at: new Date(event.at).toISOString(), stage: `round ${event.round}`, license, mode, protocol },
      ];
    }
    // A run with one stage says nothing of it.
    if (event.type !== 'stage_started' && (event.type !== 'run_started' || stages.length > 1)) return [];
    const entered = event.type === 'stage_started' ? event.name : undefined;
    const stage = stages.find((one) => one.name === entered) ?? stages[0];
    if (stage === undefined) return [];
    const { name, license, mode = null } = stage;
    return [{ at: new Date(event.at).toISOString(), stage: name, license, mode, protocol: null }];
  });
}
