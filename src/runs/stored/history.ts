/** What stored runs of a suite said, the newest first. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type RunRecord, runRecordSchema } from '../run-record.ts';
import { runsCalled } from './find-run.ts';

export interface PastRun {
  /** Absolute. */
  readonly folder: string;
  /** Null where the run died before it was judged, or this program cannot read what it wrote. */
  readonly record: RunRecord | null;
}

/** What was longer ago says little of today, and costs time to read. */
const MOST_RUNS = 50;

/** At most 50, each read when it is asked for. */
export async function* pastRuns(resultsDir: string, suite: string): AsyncGenerator<PastRun> {
  let runs = 0;
  for await (const folder of runsCalled(resultsDir, suite)) {
    const record = await recordIn(folder);
    if (record !== null && record.suite !== suite) continue;
    yield { folder, record };
    runs += 1;
    if (runs === MOST_RUNS) return;
  }
}

async function recordIn(folder: string): Promise<RunRecord | null> {
  try {
    return runRecordSchema.parse(JSON.parse(await readFile(path.join(folder, 'run.json'), 'utf8')));
  } catch {
    return null;
  }
}
