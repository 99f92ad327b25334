/** From lines of logs and exports to rows of the store. */
import type { JsonObject } from '../../../analysis/json.ts';
import { type BadLine, type LogReading, readLog } from '../../../analysis/log-reader.ts';
import { problemOfLine } from '../../../analysis/usage-line.ts';
import { readExportLine, rowOf, type SampleRow, sampleOf } from '../../../config/store-files.ts';
import type { LogFile } from '../../shared/log-files.ts';

export interface Lines {
  /** Lines that hold anything. */
  readonly lines: number;
  /** Those that tell of a whole exchange. */
  readonly exchanges: number;
  readonly bad: { readonly count: number; readonly examples: readonly BadLine[] };
  /** Files of something else: what is wrong with the first line of each. Their lines are in no other figure. */
  readonly strangers: readonly BadLine[];
}

/** One transaction's worth. */
const AT_ONCE = 1_000;
const BAD_EXAMPLES = 20;
/** A file of which so much holds no record is none of ours: nobody wants to hear of its millions of lines. */
const SEEN_ENOUGH_BYTES = 256 * 1024;
const OURS: ReadonlySet<unknown> = new Set(['decision', 'stream_start', 'completion', 'sample']);

/**
 * Reads logs and exports and hands on what exchanges they tell of, a thousand at a time. Announcing lines are passed
 * over, and a file that turns out to be no log is left.
 */
export async function readExchanges(
  files: readonly LogFile[],
  take: (rows: readonly SampleRow[]) => void,
): Promise<Lines> {
  let [lines, exchanges, count] = [0, 0, 0];
  let rows: SampleRow[] = [];
  const [examples, strangers]: [BadLine[], BadLine[]] = [[], []];
  const takeRow = (row: SampleRow): void => {
    exchanges += 1;
    rows.push(row);
    if (rows.length < AT_ONCE) return;
    take(rows);
    rows = [];
  };
  for (const file of files) {
    const found = await readFile(file, takeRow);
    const [first] = found.bad.examples;
    if (!found.isOurs && first !== undefined) {
      strangers.push(first);
      continue;
    }
    lines += found.lines;
    count += found.bad.count;
    examples.push(...found.bad.examples);
  }
  if (rows.length > 0) take(rows);
  return { lines, exchanges, bad: { count, examples: examples.slice(0, BAD_EXAMPLES) }, strangers };
}

/** Reads one file, to its end if what comes first in it holds a record of ours. */
async function readFile(
  { name, chunks }: LogFile,
  takeRow: (row: SampleRow) => void,
): Promise<LogReading & { readonly isOurs: boolean }> {
  let [isOurs, wrong] = [false, 0];
  const examples: BadLine[] = [];
  async function* untilSeenEnough(): AsyncGenerator<Uint8Array, void> {
    let seen = 0;
    for await (const chunk of chunks) {
      yield chunk;
      seen += chunk.length;
      if (!isOurs && seen >= SEEN_ENOUGH_BYTES) return;
    }
  }
  const reading = await readLog([{ name, chunks: untilSeenEnough() }], (record, source, line) => {
    isOurs ||= OURS.has(record['event']);
    const row = rowOfLine(record);
    if (row === null) return;
    if (typeof row !== 'string') return takeRow(row);
    wrong += 1;
    if (examples.length < BAD_EXAMPLES) examples.push({ source, line, problem: row });
  });
  const bad = { count: reading.bad.count + wrong, examples: [...reading.bad.examples, ...examples] };
  return { lines: reading.lines, bad, isOurs };
}

/** The row of a line; null for one that only announces; else what is wrong with it. */
function rowOfLine(record: JsonObject): SampleRow | null | string {
  if (record['event'] === 'decision' || record['event'] === 'stream_start') return null;
  if (record['event'] === 'sample') {
    const sample = readExportLine(record);
    return typeof sample === 'string' ? sample : rowOf(sample);
  }
  return isCompletion(record) ? rowOf(sampleOf(record)) : (problemOfLine(record) ?? 'not a completion');
}

function isCompletion(record: JsonObject): record is Parameters<typeof sampleOf>[0] {
  return record['event'] === 'completion' && problemOfLine(record) === undefined;
}

/** What is wrong with files that are no logs, a sentence each. */
export const strangerSentences = (strangers: Lines['strangers']): string[] =>
  strangers.map(
    ({ source, line, problem }) => `${source} is no usage log: no record in it (line ${line}: ${problem})`,
  );

/** What is said of exchanges that are older than the ids that a store keeps. */
export const tooOldWarnings = (count: number): string[] =>
  count === 0
    ? []
    : [`${count} exchanges are left out: so old that the store no longer knows whether it counts them`];

/** Sentences about bad lines, for standard error. */
export function badLineWarnings({ count, examples }: Lines['bad']): string[] {
  const named = examples.map(({ source, line, problem }) => `${source}:${line}: ${problem}`);
  const more = count - examples.length;
  return more > 0 ? [...named, `and ${more} more lines like these`] : named;
}
