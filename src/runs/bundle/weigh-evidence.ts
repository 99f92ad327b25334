/** Weighs the evidence of a bundle, as it lies in a folder: when it is made, and again when it is verified. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Check } from '../../analysis/check.ts';
import { OperatorError } from '../../errors.ts';
import { recordOf } from '../judge.ts';
import { closedRounds } from '../night/closed-rounds.ts';
import { sourceHash } from '../provenance.ts';
import { METRICS, metricsOf } from '../report/metrics.ts';
import { PAGE } from '../report/write-reports.ts';
import type { RunEvent } from '../run-events.ts';
import type { Plan, RunRecord } from '../run-record.ts';
import { DamagedRun } from '../stored/damaged-run.ts';
import { readStoredRun, type StoredRun } from '../stored/stored-run.ts';
import { attestedIn } from './attested.ts';
import { derivedFrom, type SelftestAccount } from './derived.ts';
import type { ProvenanceDocument } from './documents.ts';
import { expectedFiles } from './expected-files.ts';
import { filesBelow } from './files-below.ts';
import { type Hashed, hashOf } from './inventory.ts';
import { byPath } from './layout.ts';
import { placeholdersIn, type Redactions, redactionsIn } from './redactions.ts';
import { disagreement, type ToldRound, toldByLeg } from './told-rounds.ts';

export interface JudgedRun {
  /** Of its folder below `evidence/`. */
  readonly name: string;
  readonly record: RunRecord;
  /** Of a self-test that came to its matrix; its record is that of the run that nobody broke, and a check of what became of the saboteurs. */
  readonly selftest: SelftestAccount | null;
  /** Files that such a run has and this one has not. */
  readonly absent: readonly string[];
  /** Reports of the run that are not what the evidence makes them; below its folder. */
  readonly unlike: readonly string[];
  /** What it says of itself and what lies beside it does not say. */
  readonly contradictions: readonly string[];
  /** What its evidence, judged again, does not give, where other programs had judged it: their checks may have been others. */
  readonly outdated: readonly Outdated[];
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
  readonly told: readonly ToldRound[];
  /** Judged again by all that is stored of it; null where that is not in the bundle. */
  readonly record: RunRecord | null;
  /** Whether that gives what was told. */
  readonly agrees: boolean;
}

export interface Outdated {
  /** Below the folder of the run. */
  readonly file: string;
  readonly what: string;
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
  /** Told of a run that is damaged, which is gone over then; by default it ends the work. `name`: of its folder. */
  readonly onDamage?: (name: string, damage: DamagedRun) => Promise<void>;
}

/** Reads and judges what lies in `root/evidence`. Throws USAGE where a run is damaged, or is a part of one. */
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
  for (const name of names)
    try {
      judged.push(await judgeWithLegs({ root, name }, weighing));
    } catch (error) {
      if (!(error instanceof DamagedRun) || weighing.onDamage === undefined) throw error;
      await weighing.onDamage(name, error);
    }
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
  const absent = absentIn(stored, there);
  const contradictions = [...own.contradictions];
  const untrue = [...own.untrue];
  const legs: JudgedLeg[] = [];
  for (const { place, told } of toldByLeg(stored.evidence.night?.rounds ?? [])) {
    if (!there.includes(`${place}/events.jsonl`)) {
      legs.push({ place, told, record: null, agrees: false });
      continue;
    }
    const leg = await judgeFolder({ root, folder: `evidence/${name}/${place}`, mustHave: [PAGE] }, weighing);
    const within = (file: string): string => `${place}/${file}`;
    unlike.push(...leg.unlike.map(within));
    absent.push(...absentIn(leg.stored, leg.there).map(within));
    contradictions.push(...leg.contradictions.map(within));
    untrue.push(...leg.untrue.map(({ file, what }) => ({ file: within(file), what })));
    const otherwise = disagreement(told, leg.record);
    if (otherwise !== null) untrue.push({ file: within('events.jsonl'), what: otherwise });
    legs.push({ place, told, record: leg.record, agrees: otherwise === null });
  }
  const isOurs = untrue.length > 0 && stored.provenance.source === sourceHash();
  return {
    name,
    record: own.record,
    selftest: own.selftest,
    absent,
    unlike,
    contradictions: [
      ...contradictions,
      ...(isOurs ? untrue.map(({ file, what }) => `${file}: ${what}`) : []),
    ],
    outdated: isOurs ? [] : untrue,
    attested: attestedIn({ there, stored, legs }),
    toggles: togglesIn(stored.events, stored.plan),
    legs,
  };
}

/** Reports that are not what lies beside them makes them, in the folder of a run as it was stored; below it. */
export async function slipsIn(folder: string, checks: readonly Check[]): Promise<string[]> {
  const judge = (within: string) => judgeFolder({ root: folder, folder: within }, { checks, mend: false });
  const { stored, there, unlike } = await judge('');
  const slips = [...unlike];
  for (const { place } of toldByLeg(stored.evidence.night?.rounds ?? []))
    if (there.includes(`${place}/events.jsonl`))
      slips.push(...(await judge(place)).unlike.map((file) => `${place}/${file}`));
  return slips;
}

/** One that goes on has yet to write them. */
const absentIn = ({ plan, ending }: StoredRun, there: readonly string[]): string[] =>
  ending === 'running' ? [] : expectedFiles(plan).filter((file) => !there.includes(file));

interface JudgedFolder extends Pick<JudgedRun, 'record' | 'selftest' | 'unlike' | 'contradictions'> {
  /** What it says and its evidence, judged by these checks, does not say. */
  readonly untrue: readonly Outdated[];
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
  const { reports, ...derived } = derivedFrom(folder, { record, stored }, [...there, ...mustHave]);
  for (const [name, text] of reports) await compare(name, text);
  return { record, stored, there, unlike, ...derived };
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
