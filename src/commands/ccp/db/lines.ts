/** From lines of logs and exports to rows of the store. */
import { basename } from 'node:path';
import type { JsonObject } from '../../../analysis/json.ts';
import { type BadLine, type LogReading, readLog } from '../../../analysis/log-reader.ts';
import { plural } from '../../../analysis/plural.ts';
import { problemOfLine } from '../../../analysis/usage-line.ts';
import { readExportLine, rowOf, type SampleRow, sampleOf } from '../../../config/store-files.ts';
import type { LogFile } from '../../shared/log-files.ts';

export interface Lines {
  /** Lines that hold anything. */
  readonly lines: number;
  /** Those that tell of a whole exchange. */
  readonly exchanges: number;
  readonly bad: { readonly count: number; readonly examples: readonly BadLine[] };
  /** Files of something else. Their lines are in no other figure. */
  readonly strangers: readonly Stranger[];
}

/** What is wrong with the first line of a file that is no log. */
interface Stranger extends BadLine {
  /** Whether it was read to its end. */
  readonly whole: boolean;
}

/** One transaction's worth. */
const AT_ONCE = 1_000;
const BAD_EXAMPLES = 20;
/**
 * A file of which so much holds no record is none of ours, unless its name says so: nobody wants to hear of its millions of
 * lines.
 */
const SEEN_ENOUGH_KIB = 256;
/** Usage logs, their rotated copies, and exports by such a name. */
const LOG_NAME = /^usage.*\.jsonl(\.[1-9]\d*)?$/;
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
  const [examples, strangers]: [BadLine[], Stranger[]] = [[], []];
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
      strangers.push({ ...first, whole: found.whole });
      continue;
    }
    lines += found.lines;
    count += found.bad.count;
    examples.push(...found.bad.examples);
  }
  if (rows.length > 0) take(rows);
  return { lines, exchanges, bad: { count, examples: examples.slice(0, BAD_EXAMPLES) }, strangers };
}

/** Whether a file has the name of a usage log. */
export const isLogName = (path: string): boolean => LOG_NAME.test(basename(path));

/** Reads one file, to its end if it is named as a log, or what comes first in it holds a record of ours. */
async function readFile(
  { name, chunks }: LogFile,
  takeRow: (row: SampleRow) => void,
): Promise<LogReading & { readonly isOurs: boolean; readonly whole: boolean }> {
  let [isOurs, whole, wrong] = [false, true, 0];
  const examples: BadLine[] = [];
  async function* untilSeenEnough(): AsyncGenerator<Uint8Array, void> {
    let seen = 0;
    for await (const chunk of chunks) {
      whole = isOurs || seen < SEEN_ENOUGH_KIB * 1024 || isLogName(name);
      if (!whole) return;
      yield chunk;
      seen += chunk.length;
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
  return { lines: reading.lines, bad, isOurs, whole };
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
  strangers.map(({ source, line, problem, whole }) => {
    const where = whole ? 'it' : `its first ${SEEN_ENOUGH_KIB} KiB`;
    return `${source} is no usage log: no record in ${where} (line ${line}: ${problem})`;
  });

/** What is said of exchanges that are older than the ids that a store keeps. */
export const tooOldWarnings = (count: number): string[] =>
  count === 0
    ? []
    : [
        `left out: ${plural(count, 'exchange')} from so long ago that the store no longer knows what it counted then`,
      ];

/** Sentences about bad lines, for standard error. */
export function badLineWarnings({ count, examples }: Lines['bad']): string[] {
  const named = examples.map(({ source, line, problem }) => `${source}:${line}: ${problem}`);
  const more = count - examples.length;
  return more > 0 ? [...named, `and ${plural(more, 'more line')} like these`] : named;
}
